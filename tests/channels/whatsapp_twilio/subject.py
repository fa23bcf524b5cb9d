"""WhatsApp through Twilio for the conformance suite; it signs with Twilio's own library, so the check is not judged by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from twilio.request_validator import RequestValidator

from channels.registry import load
from channels.whatsapp_twilio import Settings, WhatsAppTwilio, make
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from core.model.outbound import OutboundMessage, Reply
from tests.conformance.subject import MESSAGE_ID, PUBLIC_URL, Accepted, Subject, with_header

HERE = Address(AddressKind.MSISDN, "+254711082000")
PERSON = Address(AddressKind.WHATSAPP, "+254711000111")
ACCOUNT = "AC0123456789abcdef0123456789abcdef"
NEW, OLD = "new-token-canary-5c1e", "old-token-canary-9a77"
SID = "SM00000000000000000000000000000001"


def settings(**changed: object) -> Settings:
    values: dict[str, object] = {"account_sid": ACCOUNT, "auth_token": (NEW, OLD), **changed}
    return Settings(**values)  # type: ignore[arg-type]


def adapter(provider_base: str, **changed: object) -> WhatsAppTwilio:
    return make(ChannelId("whatsapp"), HERE, settings(api_base=provider_base, **changed), PUBLIC_URL, "KE")


def request(text: str, **changed: str) -> RawRequest:
    """Return an inbound message, unsigned."""
    form = {
        "SmsMessageSid": SID,
        "NumMedia": "0",
        "ProfileName": "Asha",
        "MessageType": "text",
        "SmsSid": SID,
        "WaId": "254711000111",
        "SmsStatus": "received",
        "Body": text,
        "To": f"whatsapp:{HERE.value}",
        "MessageSid": SID,
        "AccountSid": ACCOUNT,
        "From": f"whatsapp:{PERSON.value}",
        "ApiVersion": "2010-04-01",
        **changed,
    }
    headers = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
    return RawRequest("POST", PUBLIC_URL, headers, urlencode(form).encode(), 1_767_225_600_000, "127.0.0.1")


def signed(what: RawRequest, token: str = NEW) -> RawRequest:
    """Return the request with the signature that Twilio's library computes."""
    try:
        form = {name: values[0] for name, values in parse_qs(what.body.decode(), keep_blank_values=True).items()}
    except (UnicodeDecodeError, ValueError):
        form = {}
    return with_header(what, "x-twilio-signature", RequestValidator(token).compute_signature(what.url, form))


def _says(text: str, unknown: Mapping[str, str]) -> RawRequest:
    return request(text, **unknown)


SUBJECT = Subject(
    kind="whatsapp_twilio",
    settings=settings(),
    make=adapter,
    says=_says,
    authentic=signed,
    authentic_before=lambda what: signed(what, OLD),
    forgeries={
        "no signature": lambda what: what,
        "signature of another token": lambda what: signed(what, "another-token"),
        "signature for another URL": lambda what: replace(signed(replace(what, url=PUBLIC_URL + "x")), url=PUBLIC_URL),
        "changed text": lambda what: replace(signed(what), body=what.body.replace(b"hello", b"hullo")),
        "added choice": lambda what: replace(signed(what), body=what.body + b"&ButtonPayload=a8f3c2:1"),
        "repeated field": lambda what: replace(signed(what), body=what.body + b"&From=whatsapp%3A%2B254711000111"),
        "another account": lambda _: signed(request("hello", AccountSid="AC" + "f" * 32)),
        "another sender": lambda _: signed(request("hello", To="whatsapp:+254711082001")),
        "the number as one for short messages": lambda _: signed(request("hello", To=HERE.value)),
    },
    secrets=(NEW, OLD, ACCOUNT, "path-secret-canary-9f86d081884c7d65"),
    samples=Path(__file__).parent / "samples",
    message=OutboundMessage(MESSAGE_ID, HERE, PERSON, Reply("Your balance is KES 250.00")),
    accepted=Accepted(external_id=SID, status=201, document={"sid": SID, "status": "queued", "to": f"whatsapp:{PERSON.value}"}),
    impatient=lambda provider_base: adapter(provider_base, timeout_s=0.2),
    offline_parse=load("whatsapp_twilio").parse,
)
