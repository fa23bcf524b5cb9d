"""Calls through Twilio for the conformance suite; it signs with Twilio's own library, so the check is not judged by itself."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from twilio.request_validator import RequestValidator

from channels.registry import load
from channels.voice_twilio import Settings, VoiceTwilio, make
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from core.model.outbound import Answer, OutboundMessage, Reply
from tests.conformance.subject import MESSAGE_ID, PUBLIC_URL, Accepted, Subject, with_header

HERE = Address(AddressKind.MSISDN, "+254711082000")
PERSON = Address(AddressKind.MSISDN, "+254711000111")
ACCOUNT = "AC0123456789abcdef0123456789abcdef"
NEW, OLD = "new-token-canary-66c0", "old-token-canary-18f2"
CALL = "CA00000000000000000000000000000001"


def settings(**changed: object) -> Settings:
    values: dict[str, object] = {"account_sid": ACCOUNT, "auth_token": (NEW, OLD), **changed}
    return Settings(**values)  # type: ignore[arg-type]


def adapter(**changed: object) -> VoiceTwilio:
    return make(ChannelId("voice"), HERE, settings(**changed), PUBLIC_URL, "KE")


def form(**changed: str) -> dict[str, str]:
    """Return the form of a request in a call."""
    return {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "CallSid": CALL,
        "CallStatus": "in-progress",
        "Called": HERE.value,
        "Caller": PERSON.value,
        "Direction": "inbound",
        "From": PERSON.value,
        "To": HERE.value,
        **changed,
    }


def request(fields: Mapping[str, str], url: str = f"{PUBLIC_URL}?m={MESSAGE_ID}") -> RawRequest:
    headers = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
    return RawRequest("POST", url, headers, urlencode(fields).encode(), 1_767_225_600_000, "127.0.0.1")


def signed(what: RawRequest, token: str = NEW) -> RawRequest:
    """Return the request with the signature that Twilio's library computes."""
    try:
        fields = {name: values[0] for name, values in parse_qs(what.body.decode(), keep_blank_values=True).items()}
    except (UnicodeDecodeError, ValueError):
        fields = {}
    return with_header(what, "x-twilio-signature", RequestValidator(token).compute_signature(what.url, fields))


def said(answer: Answer) -> list[str]:
    """Return what a caller hears, sentence for sentence."""
    assert answer.content_type == "text/xml; charset=utf-8"
    return ["".join(say.itertext()) for say in ET.fromstring(answer.body.decode()).iter("Say")]


def _with(**changed: str) -> RawRequest:
    return signed(request(form(SpeechResult="hello", **changed)))


def _run_together(what: RawRequest) -> RawRequest:
    """Return a request with the same signature in which the called number has become part of the words."""
    forged = replace(signed(what), body=what.body.replace(b"=hello", b"=helloTo%2B254711082000").replace(b"&To=%2B254711082000", b""))
    assert signed(forged) == forged, "the signature does not show the difference, so something else must"
    return forged


SUBJECT = Subject(
    kind="voice_twilio",
    settings=settings(),
    make=lambda provider_base: adapter(api_base=provider_base),
    says=lambda text, unknown: request({**form(SpeechResult=text), **unknown}),
    authentic=signed,
    authentic_before=lambda what: signed(what, OLD),
    forgeries={
        "no signature": lambda what: what,
        "signature of another token": lambda what: signed(what, "another-token"),
        "signature for another prompt": lambda what: replace(signed(what), url=PUBLIC_URL),
        "changed words": lambda what: replace(signed(what), body=what.body.replace(b"hello", b"hullo")),
        "added keys": lambda what: replace(signed(what), body=what.body + b"&Digits=1"),
        "words that hold the called number": _run_together,
        "repeated field": lambda what: replace(signed(what), body=what.body + b"&From=%2B254711000111"),
        "another account": lambda _: _with(AccountSid="AC" + "f" * 32),
        "another number": lambda _: _with(To="+254711082001"),
        "a call of somebody else to our number": lambda _: _with(Direction="outbound-api"),
    },
    secrets=(NEW, OLD, ACCOUNT, "path-secret-canary-9f86d081884c7d65"),
    samples=Path(__file__).parent / "samples",
    message=OutboundMessage(MESSAGE_ID, HERE, PERSON, Reply("Your balance is KES 250.00")),
    texts_of=said,
    accepted=Accepted(external_id=CALL, status=201, document={"sid": CALL, "status": "queued", "to": PERSON.value}),
    impatient=lambda provider_base: adapter(api_base=provider_base, timeout_s=0.2),
    offline_parse=load("voice_twilio").parse,
)
