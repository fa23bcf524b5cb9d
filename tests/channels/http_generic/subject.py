"""A gateway of short messages that posts JSON with a signature, for the conformance suite; signed apart from the code under test."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from channels.http_generic import HttpGeneric, Settings, make
from channels.registry import load
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from core.model.outbound import OutboundMessage, Reply
from tests.conformance.subject import MESSAGE_ID, NOWHERE, PUBLIC_URL, Accepted, Change, Subject, with_header

HERE = Address(AddressKind.SHORT_CODE, "40404")
PERSON = Address(AddressKind.MSISDN, "+254711000111")
NEW, OLD, SECRET = "new-key-canary-11", "old-key-canary-22", "send-secret-canary-33"


def settings(base: str, **changed: object) -> Settings:
    values: dict[str, object] = {
        "hmac_keys": (NEW, OLD),
        "sources": ("127.0.0.0/8",),
        "send_url": f"{base}/send",
        "send_format": "json",
        "send_secret": SECRET,
        "send_headers": ("X-Key={secret}",),
        **changed,
    }
    return Settings(**values)  # type: ignore[arg-type]


def adapter(base: str, here: Address = HERE, **changed: object) -> HttpGeneric:
    return make(ChannelId("gateway"), here, settings(base, **changed), PUBLIC_URL, "KE")


def request(body: object, content_type: str = "application/json") -> RawRequest:
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return RawRequest("POST", PUBLIC_URL, {"content-type": content_type}, raw, 1_767_225_600_000, "127.0.0.1")


def _says(text: str, unknown: Mapping[str, str]) -> RawRequest:
    return request({"id": "g-1", "from": "+254711000111", "to": "40404", "text": text, **unknown})


def signed(key: str) -> Change:
    """Return what adds the signature under a key."""
    return lambda what: with_header(what, "x-signature", hmac.new(key.encode(), what.body, "sha256").hexdigest())


SUBJECT = Subject(
    kind="http_generic",
    settings=settings(NOWHERE),
    make=adapter,
    says=_says,
    authentic=signed(NEW),
    authentic_before=signed(OLD),
    forgeries={
        "no signature": lambda what: what,
        "another key": signed("another key"),
        "another body": lambda what: replace(signed(NEW)(what), body=what.body + b" "),
        "no hex": lambda what: with_header(what, "x-signature", "ü"),
        "another network": lambda what: replace(signed(NEW)(what), remote="192.0.2.7"),
        "another short code": lambda what: signed(NEW)(replace(what, body=what.body.replace(b"40404", b"40405"))),
    },
    secrets=(NEW, OLD, SECRET, "path-secret-canary-9f86d081884c7d65"),
    samples=Path(__file__).parent / "samples",
    message=OutboundMessage(MESSAGE_ID, HERE, PERSON, Reply("Your balance is KES 250.00")),
    accepted=Accepted(external_id="g-9", status=200, document={"id": "g-9"}),
    impatient=lambda base: adapter(base, timeout_s=0.2),
    offline_parse=load("http_generic").parse,
)
