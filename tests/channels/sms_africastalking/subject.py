"""Africa's Talking for the conformance suite. Nothing is signed; believed is what comes from the listed network for our short code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

from channels.registry import load
from channels.sms_africastalking import Settings, SmsAfricasTalking, make
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from core.model.outbound import OutboundMessage, Reply
from tests.conformance.subject import MESSAGE_ID, NOWHERE, PUBLIC_URL, Accepted, Subject

HERE = Address(AddressKind.SHORT_CODE, "12345")
API = "api-key-canary-4e07408562bedb8b60ce05c1decfe3a"
ID = "ATXid_03cb5ecf11ce748794c0f9a85c276259"


def settings(api_base: str, **changed: object) -> Settings:
    values: dict[str, object] = {"username": "operator", "api_key": API, "sources": ("127.0.0.0/8",), "api_base": api_base, **changed}
    return Settings(**values)  # type: ignore[arg-type]


def adapter(provider_base: str, **changed: object) -> SmsAfricasTalking:
    return make(ChannelId("at"), HERE, settings(provider_base, **changed), PUBLIC_URL, "KE")


def request(form: Mapping[str, str]) -> RawRequest:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return RawRequest("POST", PUBLIC_URL, headers, urlencode(form).encode(), 1_767_225_600_000, "127.0.0.1")


def _says(text: str, unknown: Mapping[str, str]) -> RawRequest:
    form = {"date": "2017-05-03T06:04:45Z", "from": "+254711000111", "id": "a-1", "linkId": "l-1", "text": text, "to": HERE.value}
    return request({**form, **unknown})


SUBJECT = Subject(
    kind="sms_africastalking",
    settings=settings(NOWHERE),
    make=adapter,
    says=_says,
    authentic=lambda what: what,
    authentic_before=None,
    forgeries={
        "another network": lambda what: replace(what, remote="192.0.2.7"),
        "no address": lambda what: replace(what, remote=""),
        "another short code": lambda what: replace(what, body=what.body.replace(b"to=12345", b"to=12346")),
    },
    secrets=(API, "path-secret-canary-9f86d081884c7d65"),
    samples=Path(__file__).parent / "samples",
    message=OutboundMessage(MESSAGE_ID, HERE, Address(AddressKind.MSISDN, "+254711000111"), Reply("Your balance is KES 250.00")),
    accepted=Accepted(
        external_id=ID,
        status=201,
        document={
            "SMSMessageData": {
                "Message": "Sent to 1/1 Total Cost: KES 0.8000",
                "Recipients": [{"statusCode": 101, "number": "+254711000111", "cost": "KES 0.8000", "status": "Success", "messageId": ID}],
            }
        },
    ),
    impatient=lambda provider_base: adapter(provider_base, timeout_s=0.2),
    offline_parse=load("sms_africastalking").parse,
)
