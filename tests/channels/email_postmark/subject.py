"""Postmark for the conformance suite: user and password, from the listed network."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from channels.email_postmark import EmailPostmark, Settings, make
from channels.registry import load
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from tests.channels.email.sending import check_by_relay
from tests.channels.mail.posted import HEAD, HERE, MESSAGE, RELAY_PASSWORD, relay_settings, request
from tests.conformance.subject import PUBLIC_URL, Change, Subject, with_header

NEW, OLD = "user:new-password-canary-11", "user:old-password-canary-22"


def settings(**changed: object) -> Settings:
    return Settings(**relay_settings(**{"basic": (NEW, OLD), "sources": ("127.0.0.0/8",), **changed}))


def adapter(**changed: object) -> EmailPostmark:
    return make(ChannelId("mail"), HERE, settings(**changed), PUBLIC_URL, "KE")


def posted(document: object) -> RawRequest:
    return request(json.dumps(document).encode(), "application/json")


def inbound(text: str, **more: object) -> dict[str, object]:
    """Return a mail that Postmark took apart."""
    known: dict[str, object] = {"FromName": "Jo", "From": "jo@customer.example", "FromFull": {"Email": "jo@customer.example", "Name": "Jo"}}
    known |= {
        "To": HERE.value,
        "ToFull": [{"Email": HERE.value, "Name": "", "MailboxHash": ""}],
        "CcFull": [],
        "OriginalRecipient": HERE.value,
    }
    known |= {"Subject": "", "MessageID": "73e6d360-66eb-11e1-8e72-a8904824019b", "Date": HEAD["Date"], "TextBody": text}
    return {**known, "HtmlBody": "", "Headers": [{"Name": "Message-ID", "Value": HEAD["Message-ID"]}], "Attachments": [], **more}


def by(pair: str) -> Change:
    """Return what adds user and password."""
    return lambda what: with_header(what, "authorization", f"Basic {b64encode(pair.encode()).decode()}")


def _says(text: str, unknown: Mapping[str, str]) -> RawRequest:
    return posted(inbound(text, **unknown))


async def _check_sending() -> None:
    await check_by_relay(lambda port: adapter(smtp_port=port, smtp_user="", smtp_password=""), MESSAGE, (RELAY_PASSWORD, NEW, OLD))


SUBJECT = Subject(
    kind="email_postmark",
    settings=settings(),
    make=lambda _: adapter(),
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
    },
    secrets=(NEW, OLD, RELAY_PASSWORD, "path-secret-canary-9f86d081884c7d65"),
    samples=Path(__file__).parent / "samples",
    message=MESSAGE,
    heard=str.strip,
    sending=_check_sending,
    offline_parse=load("email_postmark").parse,
)
