"""USSD for the conformance suite. Nothing is signed; believed is what comes from the listed network for our service code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

from channels.registry import load
from channels.ussd import Settings, Ussd, make
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from core.model.outbound import Answer, OutboundMessage, Reply
from tests.conformance.subject import MESSAGE_ID, PUBLIC_URL, Subject

HERE = Address(AddressKind.SHORT_CODE, "*384*100#")
SETTINGS = Settings(sources=("127.0.0.0/8",))


def _make(provider_base: str) -> Ussd:
    return make(ChannelId("ussd"), HERE, SETTINGS, PUBLIC_URL, "KE")


def _says(text: str, unknown: Mapping[str, str]) -> RawRequest:
    fields = {"sessionId": "ATUid_1", "serviceCode": HERE.value, "phoneNumber": "+254711000111", "networkCode": "63902", "text": text}
    body = urlencode({**fields, **unknown}).encode()
    return RawRequest("POST", PUBLIC_URL, {"content-type": "application/x-www-form-urlencoded"}, body, 1_767_225_600_000, "127.0.0.1")


def _other_code(request: RawRequest) -> RawRequest:
    return replace(request, body=request.body.replace(b"384%2A100", b"384%2A200"))


def _texts(answer: Answer) -> list[str]:
    assert answer.content_type == "text/plain; charset=utf-8"
    kind, _, screen = answer.body.decode().partition(" ")
    assert kind in {"CON", "END"}
    return [screen]


SUBJECT = Subject(
    kind="ussd",
    settings=SETTINGS,
    make=_make,
    says=_says,
    authentic=lambda request: request,
    authentic_before=None,
    forgeries={
        "another network": lambda request: replace(request, remote="192.0.2.7"),
        "no address": lambda request: replace(request, remote=""),
        "another service code": _other_code,
    },
    secrets=("path-secret-canary-9f86d081884c7d65",),
    samples=Path(__file__).parent / "samples",
    message=OutboundMessage(MESSAGE_ID, HERE, Address(AddressKind.MSISDN, "+254711000111"), Reply("Your balance is KES 250.00")),
    texts_of=_texts,
    offline_parse=load("ussd").parse,
)
