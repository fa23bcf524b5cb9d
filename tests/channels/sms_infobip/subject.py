"""Infobip for the conformance suite: user and password of the subscription, from the listed network, for our number."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from channels.registry import load
from channels.sms_infobip import Settings, SmsInfobip, make
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from core.model.outbound import OutboundMessage, Reply
from tests.conformance.subject import MESSAGE_ID, NOWHERE, PUBLIC_URL, Accepted, Change, Subject, with_header

HERE = Address(AddressKind.MSISDN, "+385921004026")
NEW, OLD, API = "user:new-password-canary-11", "user:old-password-canary-22", "api-key-canary-33"
ID = "817790313235066447"


def settings(api_base: str, **changed: object) -> Settings:
    values: dict[str, object] = {"api_key": API, "basic": (NEW, OLD), "sources": ("127.0.0.0/8",), "api_base": api_base, **changed}
    return Settings(**values)  # type: ignore[arg-type]


def adapter(provider_base: str, **changed: object) -> SmsInfobip:
    return make(ChannelId("infobip"), HERE, settings(provider_base, **changed), PUBLIC_URL, "HR")


def request(document: object) -> RawRequest:
    body = json.dumps(document).encode()
    return RawRequest("POST", PUBLIC_URL, {"content-type": "application/json"}, body, 1_767_225_600_000, "127.0.0.1")


def said(text: str, **changed: object) -> dict[str, object]:
    """Return one inbound message."""
    known = {"messageId": ID, "from": "385916242493", "to": "385921004026", "text": text, "cleanText": text, "keyword": "X", "smsCount": 1}
    return {**known, "receivedAt": "2016-10-06T09:28:39.220+0000", **changed}


def _says(text: str, unknown: Mapping[str, str]) -> RawRequest:
    return request({"results": [{**said(text), **unknown}], "messageCount": 1, "pendingMessageCount": 0, **unknown})


def by(pair: str) -> Change:
    """Return what adds user and password."""
    return lambda what: with_header(what, "authorization", f"Basic {b64encode(pair.encode()).decode()}")


SUBJECT = Subject(
    kind="sms_infobip",
    settings=settings(NOWHERE),
    make=adapter,
    says=_says,
    authentic=by(NEW),
    authentic_before=by(OLD),
    forgeries={
        "no credentials": lambda what: what,
        "another password": by("user:other"),
        "another user": by(NEW.replace("user", "root")),
        "no base64": lambda what: with_header(what, "authorization", "Basic ü"),
        "another scheme": lambda what: with_header(what, "authorization", f"Bearer {NEW}"),
        "another network": lambda what: replace(by(NEW)(what), remote="192.0.2.7"),
        "another number": lambda what: by(NEW)(replace(what, body=what.body.replace(b"385921004026", b"385921004027"))),
        "one of two for another number": lambda _: by(NEW)(request({"results": [said("a"), said("b", to="385921004027")]})),
    },
    secrets=(NEW, OLD, API, "path-secret-canary-9f86d081884c7d65"),
    samples=Path(__file__).parent / "samples",
    message=OutboundMessage(MESSAGE_ID, HERE, Address(AddressKind.MSISDN, "+385916242493"), Reply("Your balance is KES 250.00")),
    accepted=Accepted(
        external_id=MESSAGE_ID,
        status=200,
        document={
            "bulkId": "2034072219640523072",
            "messages": [
                {
                    "messageId": MESSAGE_ID,
                    "status": {
                        "groupId": 1,
                        "groupName": "PENDING",
                        "id": 26,
                        "name": "PENDING_ACCEPTED",
                        "description": "Pending Accepted",
                    },
                    "destination": "385916242493",
                }
            ],
        },
    ),
    impatient=lambda provider_base: adapter(provider_base, timeout_s=0.2),
    offline_parse=load("sms_infobip").parse,
)
