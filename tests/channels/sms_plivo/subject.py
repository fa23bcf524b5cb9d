"""Plivo for the conformance suite; requests are signed here as its documentation says, apart from the code under test."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from channels.registry import load
from channels.sms_plivo import Settings, SmsPlivo, make
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from core.model.outbound import OutboundMessage, Reply
from tests.conformance.subject import MESSAGE_ID, NOWHERE, PUBLIC_URL, Accepted, Subject

HERE = Address(AddressKind.MSISDN, "+14157654321")
ACCOUNT = "MAXXXXXXXXXXXXXXXXXX"
NEW, OLD = "new-token-canary-11", "old-token-canary-22"
UUID = "7a242edc-2f57-11e7-98c9-06ab0bf64327"
NONCE = "05429567804466091622"


def settings(api_base: str, **changed: object) -> Settings:
    values: dict[str, object] = {"auth_id": ACCOUNT, "auth_token": (NEW, OLD), "api_base": api_base, **changed}
    return Settings(**values)  # type: ignore[arg-type]


def adapter(provider_base: str, **changed: object) -> SmsPlivo:
    return make(ChannelId("plivo"), HERE, settings(provider_base, **changed), PUBLIC_URL, "US")


def said(text: str, **changed: str) -> dict[str, str]:
    """Return the fields of an inbound message."""
    return {
        "To": "14157654321",
        "From": "14151234567",
        "TotalRate": "0",
        "Units": "1",
        "Text": text,
        "TotalAmount": "0",
        "Type": "sms",
        "MessageUUID": UUID,
        **changed,
    }


def request(form: Mapping[str, str], url: str = PUBLIC_URL) -> RawRequest:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return RawRequest("POST", url, headers, urlencode(form).encode(), 1_767_225_600_000, "127.0.0.1")


def signed(what: RawRequest, token: str = NEW, header: str = "x-plivo-signature-v3") -> RawRequest:
    """Return a POST with the third signature of Plivo; a body that is no form is signed as if it were empty."""
    base, _, query = what.url.partition("?")
    try:
        form = sorted(parse_qsl(what.body.decode(), keep_blank_values=True, errors="strict"))
        asked = sorted(parse_qsl(query, keep_blank_values=True))
    except (UnicodeDecodeError, ValueError):
        form, asked = [], []
    text = base
    if asked or form:
        text += "?" + "&".join(f"{name}={value}" for name, value in asked)
    if asked and form:
        text += "."
    text += "".join(name + value for name, value in form) + "." + NONCE
    mac = b64encode(hmac.new(token.encode(), text.encode("utf-8", "replace"), "sha256").digest()).decode()
    return replace(what, headers={**what.headers, header: mac, "x-plivo-signature-v3-nonce": NONCE})


def _headless(what: RawRequest) -> RawRequest:
    return replace(what, headers={"content-type": what.headers["content-type"]})


def _moved_boundary(what: RawRequest) -> RawRequest:
    """Return a request with the same signature in which our number has become part of the text."""
    good = signed(what)
    body = what.body.replace(b"Text=hello", b"Text=helloTo14157654321").replace(b"To=14157654321&", b"", 1)
    forged = replace(good, body=body)
    assert signed(forged) == forged, "the signature does not show the difference, so something else must"
    return forged


SUBJECT = Subject(
    kind="sms_plivo",
    settings=settings(NOWHERE),
    make=adapter,
    says=lambda text, unknown: request({**said(text), **unknown}),
    authentic=signed,
    authentic_before=lambda what: signed(what, OLD),
    forgeries={
        "no signature": _headless,
        "no nonce": lambda what: replace(signed(what), headers={**signed(what).headers, "x-plivo-signature-v3-nonce": ""}),
        "another nonce": lambda what: replace(signed(what), headers={**signed(what).headers, "x-plivo-signature-v3-nonce": "1"}),
        "signature of another token": lambda what: signed(what, "another"),
        "signature that is no base64": lambda what: replace(what, headers={**signed(what).headers, "x-plivo-signature-v3": "ü"}),
        "the second signature alone": lambda what: signed(what, header="x-plivo-signature-v2"),
        "changed text": lambda what: replace(signed(what), body=what.body.replace(b"hello", b"hullo")),
        "added field": lambda what: replace(signed(what), body=what.body + b"&Status=delivered"),
        "field in the query": lambda what: replace(signed(what), url=PUBLIC_URL + "?From=14151234568"),
        "moved field boundary": _moved_boundary,
        "repeated field": lambda what: signed(replace(what, body=what.body + b"&From=14151234568")),
        "another number": lambda _: signed(request(said("hello", To="14157654322"))),
        "no form": lambda what: signed(replace(what, headers={"content-type": "text/plain"})),
    },
    secrets=(NEW, OLD, ACCOUNT, "path-secret-canary-9f86d081884c7d65"),
    samples=Path(__file__).parent / "samples",
    message=OutboundMessage(MESSAGE_ID, HERE, Address(AddressKind.MSISDN, "+14151234567"), Reply("Your balance is KES 250.00")),
    accepted=Accepted(
        external_id=UUID, status=202, document={"message": "message(s) queued", "message_uuid": [UUID], "api_id": "db342550-7c9d-11e4"}
    ),
    impatient=lambda provider_base: adapter(provider_base, timeout_s=0.2),
    offline_parse=load("sms_plivo").parse,
)
