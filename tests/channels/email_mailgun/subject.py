"""Mailgun for the conformance suite: time and token signed with the account's key, each token for one content."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlencode

from channels.email_mailgun import EmailMailgun, Settings, make
from channels.registry import load
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from tests.channels.email.sending import check_by_relay
from tests.channels.mail.posted import BOUNDARY, HEAD, HERE, MESSAGE, RELAY_PASSWORD, form, relay_settings
from tests.conformance.subject import PUBLIC_URL, Change, Subject

NEW, OLD, OTHER = "key-new-canary-11", "key-old-canary-22", "key-other"


def settings(**changed: object) -> Settings:
    return Settings(**relay_settings(**{"signing_keys": (NEW, OLD), "sources": ("127.0.0.0/8",), **changed}))


def adapter(**changed: object) -> EmailMailgun:
    return make(ChannelId("mail"), HERE, settings(**changed), PUBLIC_URL, "KE")


def signature(key: str, at_s: int, token: str) -> dict[str, str]:
    """Return the three fields by which Mailgun is known."""
    made = hmac.digest(key.encode(), f"{at_s}{token}".encode(), "sha256").hex()
    return {"timestamp": str(at_s), "token": token, "signature": made}


def by(key: str, *, age_s: int = 0, token: str = "", **wrong: str) -> Change:
    """Return what adds a signature to a form or a JSON document."""

    def change(what: RawRequest) -> RawRequest:
        given = signature(key, what.received_at // 1_000 - age_s, token or sha256(what.body).hexdigest()[:50])
        return replace(what, body=_with(what, {**given, **wrong}))

    return change


def _with(what: RawRequest, given: Mapping[str, str]) -> bytes:
    kind = what.headers.get("content-type", "")
    if kind.startswith("multipart/"):
        parts = "".join(
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in given.items()
        )
        return parts.encode() + what.body
    if kind.startswith("application/json"):
        return json.dumps({**json.loads(what.body), "signature": given}).encode()
    return what.body + b"&" + urlencode(given).encode()


def parsed_form(text: str, **more: str) -> dict[str, str]:
    """Return the fields of a mail that Mailgun took apart."""
    known = {"recipient": HERE.value, "sender": "jo@customer.example", "from": HEAD["From"], "subject": ""}
    known |= {"body-plain": text, "stripped-text": text, "message-headers": json.dumps(list(HEAD.items()))}
    return {**known, **more}


def _says(text: str, unknown: Mapping[str, str]) -> RawRequest:
    return form(parsed_form(text, **unknown))


async def _check_sending() -> None:
    await check_by_relay(lambda port: adapter(smtp_port=port, smtp_user="", smtp_password=""), MESSAGE, (RELAY_PASSWORD, NEW, OLD))


SUBJECT = Subject(
    kind="email_mailgun",
    settings=settings(),
    make=lambda _: adapter(),
    says=_says,
    authentic=by(NEW),
    authentic_before=by(OLD),
    forgeries={
        "no signature": lambda what: what,
        "another key": by(OTHER),
        "another time": by(NEW, timestamp="1767225601"),
        "no time": by(NEW, timestamp="soon"),
        "no text": by(NEW, signature="ü"),
        "a year old": by(NEW, age_s=365 * 86_400),
        "another network": lambda what: replace(by(NEW)(what), remote="192.0.2.7"),
    },
    secrets=(NEW, OLD, RELAY_PASSWORD, "path-secret-canary-9f86d081884c7d65"),
    samples=Path(__file__).parent / "samples",
    message=MESSAGE,
    heard=str.strip,
    sending=_check_sending,
    offline_parse=load("email_mailgun").parse,
)
