"""E-mail: one mailbox address, with mails that a server hands over (SMTP or LMTP) or that are fetched, and mails out by SMTP.

What comes in is kept first and read later, in a process of its own. Must not believe anything that a mail says of its sender.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from channels import email_addresses
from channels.email_events import TEXT_CHARS_MAX, events_of, incomplete
from channels.mail.compose import ATTACHED_BYTES_MAX
from channels.mail.fetched import Fetched
from channels.mail.parse import parse as parse_mail
from channels.mail.submit import Relay
from core.model import mail_ids
from core.model.address import Address, AddressKind
from core.model.capabilities import Capabilities, Family, FileLimits, OnUnknown
from core.model.ids import ChannelId
from core.model.inbound import AuthenticationFailed, InboundEvent, RawRequest, UnreadableRequest
from core.model.outbound import Answer, OutboundMessage, SendResult

INCOMPLETE = "This mail is too large and was left in the mailbox."
MAIL = "MAIL"  # the method of a request that is a raw mail
_LISTEN = re.compile(r"(smtp|lmtp)://(\[[0-9a-fA-F:]+\]|[^\s:/@\[\]]+):(\d{1,5})")
CAPABILITIES = Capabilities(
    family=Family.EMAIL,
    text_max_chars=TEXT_CHARS_MAX,
    text_budget_chars=4_000,
    media=frozenset({"image", "audio", "video", "document"}),
    file_limits=FileLimits(max_bytes=ATTACHED_BYTES_MAX),
    merge_replies=True,
    delivery_reports=True,
    on_unknown=OnUnknown.KEYED,
    provider_retries="mail servers, for days",
    parsed_later=True,
)


@dataclass(frozen=True, slots=True)
class Listen:
    """Where mails are taken: `lmtp` tells LMTP from SMTP; port 0 takes a free one."""

    lmtp: bool
    host: str
    port: int


def listen_of(text: str) -> Listen | None:
    """Return where to listen, None for nowhere; raises ValueError."""
    if not text:
        return None
    found = _LISTEN.fullmatch(text)
    if found is None or int(found[3]) > 65_535:
        raise ValueError("listen has the form smtp://host:port or lmtp://host:port")
    return Listen(found[1] == "lmtp", found[2].strip("[]"), int(found[3]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Fetched):
    """Settings of a mailbox; the channel's address is the one that customers write to."""

    listen: str = field(
        default="",
        metadata={"doc": "Where a mail server hands mails over: smtp://127.0.0.1:2525 or lmtp://127.0.0.1:2424; empty: nowhere."},
    )
    hostname: str = field(
        default="localhost", metadata={"doc": "The name that the server greets with.", "pattern": r"[A-Za-z0-9.-]{1,253}"}
    )
    tls_certificate: str = field(default="", metadata={"doc": "File with the certificate chain for STARTTLS; empty: without."})
    tls_key: str = field(default="", metadata={"doc": "File with the key of the certificate."})
    connections_max: int = field(default=50, metadata={"doc": "So many servers may be connected at once.", "least": 1, "most": 1_000})
    session_max_s: int = field(default=600, metadata={"doc": "A session is ended after so many seconds.", "least": 10, "most": 3_600})

    @property
    def entry(self) -> str:
        """Where mails come in, as far as they do."""
        return ", ".join(name for name in (self.listen, self.fetched_from) if name)

    def __post_init__(self) -> None:
        Fetched.__post_init__(self)
        listen_of(self.listen)
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key are given together")
        for name in (self.tls_certificate, self.tls_key):
            if name and not Path(name).is_file():
                raise ValueError(f"there is no file {name}")


class Email:
    """The adapter of one mailbox. `mailboxes` are the addresses whose mails are ours."""

    kind = "email"
    capabilities = CAPABILITIES

    def __init__(self, our_address: Address, settings: Settings) -> None:
        self._relay = Relay(our_address, settings)
        aliases = (email_addresses.mailbox(alias) for alias in settings.aliases)
        self.mailboxes = frozenset({our_address.value, *(alias.value for alias in aliases if alias)})

    def takes(self, recipient: str) -> bool:
        """Tell whether mails to this address, with or without a thread in it, are ours."""
        known = email_addresses.mailbox(recipient)
        return known is not None and mail_ids.without_token(known.value) in self.mailboxes

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` unless the request is a mail to one of our addresses; nothing proves its sender."""
        if request.method != MAIL:
            raise AuthenticationFailed("no_webhook")
        if not any(self.takes(recipient) for recipient in recipients_of(request)):
            raise AuthenticationFailed("other_mailbox")

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Return what a mail means."""
        return parse(request, "")

    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        """Return an empty answer; replies are sent."""
        del replies
        return Answer()

    async def send(self, message: OutboundMessage) -> SendResult:
        """Hand one mail to the relay; raises `SendError`."""
        mail_id, _ = await self._relay.send(message)
        return SendResult(mail_id)

    async def close(self) -> None:
        """End the connections to the relay."""
        await self._relay.close()


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> Email:
    """Build the adapter of a mailbox; raises ValueError for a channel whose address is no mail address."""
    del channel_id, public_url, default_region  # a mail names the mailbox that it is for
    if our_address.kind is not AddressKind.EMAIL:
        raise ValueError("the address of a channel of this kind must be a mail address")
    return Email(our_address, settings)


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return what a raw mail means; whatever its bytes, it is something. Raises `UnreadableRequest` for what is no mail."""
    del default_region  # addresses of mails have no country
    if request.method != MAIL:
        raise UnreadableRequest("not_a_mail")
    events = events_of(
        parse_mail(request.body), sender=request.headers.get("mail-from"), recipients=recipients_of(request), raw=request.body
    )
    return incomplete(events, INCOMPLETE) if "incomplete" in request.headers else events


def recipients_of(request: RawRequest) -> tuple[str, ...]:
    """Return the recipients that the envelope of a mail names."""
    return tuple(address.strip() for address in request.headers.get("rcpt-to", "").split(",") if address.strip())
