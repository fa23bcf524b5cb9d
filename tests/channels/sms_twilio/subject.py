"""Twilio for the conformance suite; requests are signed by Twilio's own library, so that the check is not judged by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlencode
from xml.etree import ElementTree as ET

from twilio.request_validator import RequestValidator

from channels.registry import load
from channels.sms_twilio import Settings, SmsTwilio, make
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from core.model.outbound import Answer, OutboundMessage, Reply
from tests.conformance.subject import MESSAGE_ID, PUBLIC_URL, Accepted, Subject, with_header

HERE = Address(AddressKind.MSISDN, "+254711082000")
ACCOUNT = "AC0123456789abcdef0123456789abcdef"
NEW, OLD = "new-token-canary-7c211433f02071597741e6ff5a8ea34", "old-token-canary-4e07408562bedb8b60ce05c1decfe3a"
SID = "SM00000000000000000000000000000001"


def settings(**changed: object) -> Settings:
    values: dict[str, object] = {"account_sid": ACCOUNT, "auth_token": (NEW, OLD), **changed}
    return Settings(**values)  # type: ignore[arg-type]


def adapter(provider_base: str, **changed: object) -> SmsTwilio:
    return make(ChannelId("sms"), HERE, settings(api_base=provider_base, **changed), PUBLIC_URL, "KE")


def fields(text: str, **changed: str) -> dict[str, str]:
    """Return the form of an inbound message."""
    return {
        "ToCountry": "KE",
        "SmsMessageSid": SID,
        "NumMedia": "0",
        "SmsSid": SID,
        "SmsStatus": "received",
        "Body": text,
        "FromCountry": "KE",
        "To": HERE.value,
        "NumSegments": "1",
        "MessageSid": SID,
        "AccountSid": ACCOUNT,
        "From": "+254711000111",
        "ApiVersion": "2010-04-01",
        **changed,
    }


def request(form: Mapping[str, str], url: str = PUBLIC_URL) -> RawRequest:
    headers = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
    return RawRequest("POST", url, headers, urlencode(form).encode(), 1_767_225_600_000, "127.0.0.1")


def signed(what: RawRequest, token: str = NEW) -> RawRequest:
    """Return the request with the signature that Twilio's library computes."""
    if what.headers.get("content-type") == "application/json":
        return with_header(what, "x-twilio-signature", RequestValidator(token).compute_signature(what.url, {}))
    try:
        form = {name: values[0] for name, values in parse_qs(what.body.decode(), keep_blank_values=True).items()}
    except (UnicodeDecodeError, ValueError):
        form = {}
    return with_header(what, "x-twilio-signature", RequestValidator(token).compute_signature(what.url, form))


def _texts(answer: Answer) -> list[str]:
    assert answer.content_type == "text/xml; charset=utf-8"
    root = ET.fromstring(answer.body.decode())
    assert root.tag == "Response"
    assert {child.tag for child in root} <= {"Message"}
    return ["".join(message.itertext()) for message in root]


def _headless(what: RawRequest) -> RawRequest:
    return replace(what, headers={name: value for name, value in what.headers.items() if name != "x-twilio-signature"})


def _moved_boundary(what: RawRequest) -> RawRequest:
    """Return a request with the same signature in which the sender has become part of the text."""
    body = what.body.replace(b"Body=hello", b"Body=helloFrom%2B254711000111").replace(b"&From=%2B254711000111", b"")
    forged = replace(signed(what), body=body)
    assert signed(forged) == forged, "the signature does not show the difference, so something else must"
    return forged


def _with(name: str, value: str) -> RawRequest:
    return signed(request(fields("hello", **{name: value})))


SUBJECT = Subject(
    kind="sms_twilio",
    settings=settings(),
    make=adapter,
    says=lambda text, unknown: request({**fields(text), **unknown}),
    authentic=signed,
    authentic_before=lambda what: signed(what, OLD),
    forgeries={
        "no signature": _headless,
        "empty signature": lambda what: with_header(what, "x-twilio-signature", ""),
        "signature of another token": lambda what: signed(what, "another-token"),
        "signature that is no base64": lambda what: with_header(what, "x-twilio-signature", "ü" * 28),
        "signature for another URL": lambda what: replace(signed(replace(what, url=PUBLIC_URL + "x")), url=PUBLIC_URL),
        "changed text": lambda what: replace(signed(what), body=what.body.replace(b"hello", b"hullo")),
        "moved field boundary": _moved_boundary,
        "added field": lambda what: replace(signed(what), body=what.body + b"&OptOutType=STOP"),
        "repeated field": lambda what: replace(signed(what), body=what.body + b"&From=%2B254711000111"),
        "field in the query": lambda what: replace(signed(what), url=PUBLIC_URL + "?From=%2B254711000999"),
        "another account": lambda _: _with("AccountSid", "AC" + "f" * 32),
        "another number": lambda _: _with("To", "+254711082001"),
        "JSON without hash": lambda what: signed(replace(what, body=b"{}", headers={"content-type": "application/json"})),
    },
    secrets=(NEW, OLD, ACCOUNT, "path-secret-canary-9f86d081884c7d65"),
    samples=Path(__file__).parent / "samples",
    message=OutboundMessage(MESSAGE_ID, HERE, Address(AddressKind.MSISDN, "+254711000111"), Reply("Your balance is KES 250.00")),
    texts_of=_texts,
    accepted=Accepted(external_id=SID, status=201, document={"sid": SID, "status": "queued", "to": "+254711000111"}),
    impatient=lambda provider_base: adapter(provider_base, timeout_s=0.2),
    offline_parse=load("sms_twilio").parse,
)
