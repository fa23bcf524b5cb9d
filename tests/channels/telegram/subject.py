"""Telegram for the conformance suite."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from channels.registry import load
from channels.telegram import Settings, Telegram, make
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from core.model.outbound import OutboundMessage, Reply
from tests.conformance.subject import MESSAGE_ID, NOWHERE, PUBLIC_URL, Accepted, Change, Subject, with_header

HERE = Address(AddressKind.ALIAS, "@example_bot")
PERSON = Address(AddressKind.TELEGRAM, "1111111")
TOKEN = "4242:AAE-bot-token-canary-0f3b9c1d2e4a5b6c7d8e"
NEW, OLD = "new-secret-canary_71", "old-secret-canary_72"
MESSAGE = {
    "message_id": 777,
    "date": 1_767_225_600,
    "chat": {"id": 1111111, "type": "private", "first_name": "Asha"},
    "from": {"id": 4242, "is_bot": True, "first_name": "Example"},
    "text": "Your balance is KES 250.00",
}


def settings(api_base: str = NOWHERE, timeout_s: float = 15.0) -> Settings:
    return Settings(bot_token=TOKEN, webhook_secret=(NEW, OLD), api_base=api_base, timeout_s=timeout_s)


def adapter(provider_base: str, timeout_s: float = 15.0) -> Telegram:
    return make(ChannelId("telegram"), HERE, settings(provider_base, timeout_s), PUBLIC_URL, "KE")


def request(update: object) -> RawRequest:
    return RawRequest("POST", PUBLIC_URL, {"content-type": "application/json"}, json.dumps(update).encode(), 1_767_225_600_000, "127.0.0.1")


def says(text: str, unknown: Mapping[str, str]) -> RawRequest:
    """Return an update with a message, without the secret."""
    person = {"id": 1111111, "is_bot": False, "first_name": "Asha"}
    chat = {"id": 1111111, "type": "private", "first_name": "Asha"}
    message = {"message_id": 5, "date": 1_767_225_600, "chat": chat, "from": person, "text": text, **unknown}
    return request({"update_id": 10_000, "message": message, **unknown})


def proved(secret: str = NEW) -> Change:
    return lambda what: with_header(what, "x-telegram-bot-api-secret-token", secret)


SUBJECT = Subject(
    kind="telegram",
    settings=settings(),
    make=adapter,
    says=says,
    authentic=proved(),
    authentic_before=proved(OLD),
    forgeries={
        "no secret": lambda what: what,
        "empty secret": proved(""),
        "another secret": proved("another"),
        "beginning of the secret": proved(NEW[:-1]),
        "more than the secret": proved(NEW + "x"),
        "secret that is no text": proved("ü\ud800"),
        "the bot's token": proved(TOKEN),
    },
    secrets=(TOKEN, NEW, OLD, "path-secret-canary-9f86d081884c7d65"),
    samples=Path(__file__).parent / "samples",
    message=OutboundMessage(MESSAGE_ID, HERE, PERSON, Reply("Your balance is KES 250.00")),
    accepted=Accepted(external_id="777", status=200, document={"ok": True, "result": MESSAGE}),
    impatient=lambda provider_base: adapter(provider_base, timeout_s=0.2),
    offline_parse=load("telegram").parse,
)
