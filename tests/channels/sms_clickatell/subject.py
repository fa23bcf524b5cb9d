"""Clickatell for the conformance suite: user and password of the callback, from the listed network, for our number."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from channels.registry import load
from channels.sms_clickatell import Settings, SmsClickatell, make
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from core.model.outbound import OutboundMessage, Reply
from tests.conformance.subject import MESSAGE_ID, NOWHERE, PUBLIC_URL, Accepted, Change, Subject, with_header

HERE = Address(AddressKind.MSISDN, "+27999900002")
NEW, OLD, API = "user:new-password-canary-11", "user:old-password-canary-22", "api-key-canary-33"
ID = "fd496adebb6e422587368077937cfb5d"


def settings(api_base: str, **changed: object) -> Settings:
    values: dict[str, object] = {"api_key": API, "basic": (NEW, OLD), "sources": ("127.0.0.0/8",), "api_base": api_base, **changed}
    return Settings(**values)  # type: ignore[arg-type]


def adapter(provider_base: str, **changed: object) -> SmsClickatell:
    return make(ChannelId("clickatell"), HERE, settings(provider_base, **changed), PUBLIC_URL, "ZA")


def request(document: object) -> RawRequest:
    body = json.dumps(document).encode()
    return RawRequest("POST", PUBLIC_URL, {"content-type": "application/json"}, body, 1_767_225_600_000, "127.0.0.1")


def said(text: str, **changed: object) -> dict[str, object]:
    """Return one inbound message of the One API."""
    known = {"channel": "sms", "messageId": ID, "from": "27999900001", "to": "27999900002", "timestamp": 1506607698000}
    return {**known, "relatedMessageId": None, "content": text, "charset": "UTF-8", "sms": {"network": "Network ID"}, **changed}


def of(**event: object) -> dict[str, object]:
    """Return a callback of the One API."""
    return {"integrationId": "fa8090815f05d5ed015f0b5b56080cd2", "integrationName": "My integration", "event": event}


def _says(text: str, unknown: Mapping[str, str]) -> RawRequest:
    return request({**of(moText=[{**said(text), **unknown}]), **unknown})


def by(pair: str) -> Change:
    """Return what adds user and password."""
    return lambda what: with_header(what, "authorization", f"Basic {b64encode(pair.encode()).decode()}")


SUBJECT = Subject(
    kind="sms_clickatell",
    settings=settings(NOWHERE),
    make=adapter,
    says=_says,
    authentic=by(NEW),
    authentic_before=by(OLD),
    forgeries={
        "no credentials": lambda what: what,
        "another password": by("user:other"),
        "no base64": lambda what: with_header(what, "authorization", "Basic ü"),
        "another network": lambda what: replace(by(NEW)(what), remote="192.0.2.7"),
        "another number": lambda _: by(NEW)(request(of(moText=[said("x", to="27999900003")]))),
        "another number in the older form": lambda _: by(NEW)(
            request({"messageId": "1", "fromNumber": "27999900001", "toNumber": "27999900003", "text": "x", "timestamp": 1})
        ),
    },
    secrets=(NEW, OLD, API, "path-secret-canary-9f86d081884c7d65"),
    samples=Path(__file__).parent / "samples",
    message=OutboundMessage(MESSAGE_ID, HERE, Address(AddressKind.MSISDN, "+27999900001"), Reply("Your balance is KES 250.00")),
    accepted=Accepted(
        external_id=ID,
        status=202,
        document={"messages": [{"apiMessageId": ID, "accepted": True, "to": "27999900001", "error": None}], "error": None},
    ),
    impatient=lambda provider_base: adapter(provider_base, timeout_s=0.2),
    offline_parse=load("sms_clickatell").parse,
)
