"""Vonage for the conformance suite: the form of its SMS API, signed here as its documentation says, apart from the code under test."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from channels.registry import load
from channels.sms_vonage import Settings, SmsVonage, make
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from core.model.outbound import OutboundMessage, Reply
from tests.conformance.subject import MESSAGE_ID, NOWHERE, PUBLIC_URL, Accepted, Subject, with_header

HERE = Address(AddressKind.MSISDN, "+447700900001")
NEW, OLD, SECRET, KEY = (
    "new-signature-canary-11-9f86d081884c7d65",
    "old-signature-canary-22-9f86d081884c7d65",
    "api-secret-canary-33",
    "abcd1234",
)
ID = "0C000000217B7F02"
FORM = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}


def settings(api_base: str, **changed: object) -> Settings:
    values: dict[str, object] = {"api_key": KEY, "api_secret": SECRET, "signature_secret": (NEW, OLD), "api_base": api_base, **changed}
    return Settings(**values)  # type: ignore[arg-type]


def adapter(provider_base: str, **changed: object) -> SmsVonage:
    return make(ChannelId("vonage"), HERE, settings(provider_base, **changed), PUBLIC_URL, "GB")


def said(text: str, **changed: str) -> dict[str, str]:
    """Return the fields of an inbound message."""
    return {
        "api-key": KEY,
        "msisdn": "447700900111",
        "to": "447700900001",
        "messageId": "0A0000000123ABCD1",
        "text": text,
        "type": "text",
        "keyword": "HELLO",
        "message-timestamp": "2020-01-01 12:00:00",
        "timestamp": "1577880000",
        "nonce": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
        **changed,
    }


def request(form: Mapping[str, str]) -> RawRequest:
    return RawRequest("POST", PUBLIC_URL, FORM, urlencode(form).encode(), 1_767_225_600_000, "127.0.0.1")


def signed(what: RawRequest, secret: str = NEW) -> RawRequest:
    """Return the form with the `sig` that belongs to it, JSON with a token in the header; a body that is no form as it is."""
    if what.headers.get("content-type") == "application/json":
        return with_header(what, "authorization", f"Bearer {token(what.body, secret)}")
    try:
        form = dict(parse_qsl(what.body.decode(), keep_blank_values=True, errors="strict"))
    except (UnicodeDecodeError, ValueError):
        return what
    text = "".join("&" + name + "=" + form[name].replace("&", "_").replace("=", "_") for name in sorted(form))
    sig = hmac.new(secret.encode(), text.encode("utf-8", "replace"), "sha256").hexdigest()
    return replace(what, body=what.body + b"&sig=" + sig.upper().encode())


def token(body: bytes, secret: str, algorithm: str = "HS256", **claims: object) -> str:
    """Return the token with which the Messages API signs a body."""
    known = {"iat": 1577880000, "jti": "x", "iss": "Vonage", "payload_hash": sha256(body).hexdigest(), "api_key": KEY}
    pieces = [_base64(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": algorithm}, {**known, **claims})]
    return ".".join([*pieces, _base64(hmac.new(secret.encode(), ".".join(pieces).encode(), "sha256").digest())])


def _base64(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def _changed(before: bytes, after: bytes) -> RawRequest:
    what = signed(request(said("hello")))
    assert before in what.body
    return replace(what, body=what.body.replace(before, after))


SUBJECT = Subject(
    kind="sms_vonage",
    settings=settings(NOWHERE),
    make=adapter,
    says=lambda text, unknown: request({**said(text), **unknown}),
    authentic=signed,
    authentic_before=lambda what: signed(what, OLD),
    forgeries={
        "no signature": lambda what: what,
        "empty signature": lambda what: replace(what, body=what.body + b"&sig="),
        "signature of another secret": lambda what: signed(what, "another"),
        "signature that is no hex": lambda what: replace(what, body=what.body + b"&sig=%C3%BC"),
        "changed text": lambda _: _changed(b"text=hello", b"text=hullo"),
        "added field": lambda what: replace(signed(what), body=signed(what).body + b"&status=delivered"),
        "repeated field": lambda what: replace(signed(what), body=signed(what).body + b"&text=hello"),
        "two fields in one name": lambda _: _changed(b"text=hello&type=text", b"text%3Dhello%26timestamp=1577880000&type=text"),
        "no form": lambda what: replace(signed(what), headers={"content-type": "text/plain"}),
        "another account": lambda _: signed(request(said("hello", **{"api-key": "other"}))),
        "another number": lambda _: signed(request(said("hello", to="447700900002"))),
    },
    secrets=(NEW, OLD, SECRET, "path-secret-canary-9f86d081884c7d65"),
    samples=Path(__file__).parent / "samples",
    message=OutboundMessage(MESSAGE_ID, HERE, Address(AddressKind.MSISDN, "+447700900111"), Reply("Your balance is KES 250.00")),
    accepted=Accepted(
        external_id=ID,
        status=200,
        document={"message-count": "1", "messages": [{"to": "447700900111", "message-id": ID, "status": "0", "network": "23410"}]},
    ),
    impatient=lambda provider_base: adapter(provider_base, timeout_s=0.2),
    offline_parse=load("sms_vonage").parse,
)
