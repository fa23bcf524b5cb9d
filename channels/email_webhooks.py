"""What the providers that bring mails by webhook have in common: the mails are kept and read later, and ours leave by their relay.

Must not know a provider.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from channels.email_addresses import mailbox
from channels.email_events import TEXT_CHARS_MAX, events_of
from channels.mail.compose import ATTACHED_BYTES_MAX
from channels.mail.outgoing import Outgoing
from channels.mail.parse import parse as parse_mail
from channels.mail.submit import Relay
from core.model.address import Address, AddressKind
from core.model.capabilities import Capabilities, Family, FileLimits, OnUnknown
from core.model.inbound import DeliveryReport, InboundEvent, RawRequest
from core.model.mail_ids import message_of
from core.model.outbound import Answer, DeliveryStatus, OutboundMessage, SendResult

BODY_BYTES_MAX = 45 * 1024 * 1024  # what the largest of them sends: a mail of 30 MB, some of it in base64


def capabilities(provider_retries: str) -> Capabilities:
    """Return what a mailbox at such a provider can do."""
    return Capabilities(
        family=Family.EMAIL,
        text_max_chars=TEXT_CHARS_MAX,
        text_budget_chars=4_000,
        media=frozenset({"image", "audio", "video", "document"}),
        file_limits=FileLimits(max_bytes=ATTACHED_BYTES_MAX),
        merge_replies=True,
        delivery_reports=True,
        on_unknown=OnUnknown.KEYED,
        provider_retries=provider_retries,
        parsed_later=True,
        body_max_bytes=BODY_BYTES_MAX,
    )


class ByWebhook:
    """What every adapter of such a kind does; `kind`, `capabilities`, `authenticate` and `parse` are its own."""

    kind: ClassVar[str]
    capabilities: ClassVar[Capabilities]

    def __init__(self, our_address: Address, settings: Outgoing) -> None:
        if our_address.kind is not AddressKind.EMAIL:
            raise ValueError("the address of a channel of this kind must be a mail address")
        self._address = our_address
        self._relay = Relay(our_address, settings)

    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        """Return an empty answer; replies are sent."""
        del replies
        return Answer()

    async def send(self, message: OutboundMessage) -> SendResult:
        """Hand one mail to the provider's relay; raises `SendError`."""
        mail_id, said = await self._relay.send(message, self.headers(message))
        return SendResult(self.external_id(mail_id, said))

    def headers(self, message: OutboundMessage) -> Mapping[str, str]:
        """Return header fields by which the provider names the message in its reports."""
        del message
        return {}

    def external_id(self, mail_id: str, said: str) -> str:
        """Return the provider's id of a mail that its relay took with these words."""
        del said
        return mail_id

    async def close(self) -> None:
        """End the connections to the relay."""
        await self._relay.close()


def raw_mail(raw: bytes, *, sender: str | None, recipients: Sequence[str]) -> list[InboundEvent]:
    """Return the events of a raw mail; `sender` and `recipients` are those of the envelope."""
    return events_of(parse_mail(raw), sender=sender, recipients=[known for known in recipients if known], raw=raw)


def report(
    status: DeliveryStatus, *, external_id: str, ours: object, mail_id: object, recipient: object, code: object = None, verdict: str = ""
) -> DeliveryReport:
    """Return a report; `ours` is the id that we gave the provider to repeat, `mail_id` the Message-ID that it names."""
    plain = mail_id.strip("<> ") if isinstance(mail_id, str) else ""
    return DeliveryReport(
        external_id or plain,
        status,
        message_id=(ours if isinstance(ours, str) and ours else None) or message_of(plain),
        code=code[:40] if isinstance(code, str) and code else None,
        recipient=mailbox(recipient) if isinstance(recipient, str) else None,
        verdict=verdict,
    )


def header(request: RawRequest, name: str) -> str:
    """Return a header of a request, empty if it is missing."""
    return request.headers.get(name, "")
