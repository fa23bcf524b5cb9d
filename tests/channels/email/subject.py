"""A mailbox for the conformance suite: a mail to one of our addresses is ours, whoever sent it, and anything else is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from channels.email import Email, Settings, make
from channels.registry import load
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from core.model.outbound import OutboundMessage, Reply
from tests.channels.email.sending import check_by_relay
from tests.conformance.subject import MESSAGE_ID, PUBLIC_URL, Subject, with_header

HERE = Address(AddressKind.EMAIL, "support@operator.example")
PASSWORD = "relay-password-canary-31"
MESSAGE = OutboundMessage(MESSAGE_ID, HERE, Address(AddressKind.EMAIL, "jo@customer.example"), Reply("Your balance is KES 250.00"))


def settings(**changed: object) -> Settings:
    values: dict[str, object] = {"smtp_host": "127.0.0.1", "smtp_tls": "none", "smtp_timeout_s": 10, **changed}
    return Settings(**values)  # type: ignore[arg-type]


def adapter(**changed: object) -> Email:
    return make(ChannelId("mail"), HERE, settings(**changed), PUBLIC_URL, "KE")


def mail(text: str, **fields: str) -> bytes:
    """Return a raw mail."""
    known = {
        "From": "Jo <jo@customer.example>",
        "To": "support@operator.example",
        "Message-ID": "<a1@customer.example>",
        "Date": "Thu, 01 Jan 2026 00:00:00 +0000",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in {**known, **fields}.items() if value)
    return head.encode() + b"\r\n" + text.replace("\n", "\r\n").encode("utf-8", "surrogatepass")


def request(raw: bytes, recipients: str = HERE.value, sender: str = "jo@customer.example") -> RawRequest:
    return RawRequest("MAIL", "", {"mail-from": sender, "rcpt-to": recipients}, raw, 1_767_225_600_000, "127.0.0.1")


def _says(text: str, unknown: Mapping[str, str]) -> RawRequest:
    return request(mail(text, **{f"X-{quote(name)}": value for name, value in unknown.items()}), recipients="")


async def _check_sending() -> None:
    await check_by_relay(lambda port: adapter(smtp_port=port), MESSAGE, (PASSWORD,))


SUBJECT = Subject(
    kind="email",
    settings=settings(smtp_user="user", smtp_password=PASSWORD),
    make=lambda _: adapter(smtp_user="user", smtp_password=PASSWORD, aliases=("Hilfe@Operator.example",)),
    says=_says,
    authentic=lambda what: with_header(what, "rcpt-to", what.headers.get("rcpt-to") or HERE.value),
    authentic_before=None,
    forgeries={
        **{method: lambda what, method=method: replace(what, method=method) for method in ("POST", "GET", "WS", "mail", "")},
        "no recipient": lambda what: what,
        "another mailbox": lambda what: with_header(what, "rcpt-to", "sales@operator.example"),
        "another host": lambda what: with_header(what, "rcpt-to", "support@operator.example.evil.example"),
        "a route": lambda what: with_header(what, "rcpt-to", "support%operator.example@relay.example"),
    },
    secrets=(PASSWORD, "path-secret-canary-9f86d081884c7d65"),
    samples=Path(__file__).parent / "samples",
    message=MESSAGE,
    heard=str.strip,  # blank ends of a mail are nobody's words
    sending=_check_sending,
    offline_parse=load("email").parse,
)
