"""The terminal as a channel: one person on this machine, who reads the record and types. For trying dialogs, not for customers.

Its requests are made in this process, so there is nothing to authenticate but that they are; no web request has its method.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from channels import frames, texts
from core.model.address import Address, AddressKind
from core.model.capabilities import Capabilities, Family
from core.model.ids import ChannelId
from core.model.inbound import AuthenticationFailed, InboundEvent, InboundMessage, RawRequest, UnreadableRequest
from core.model.outbound import Answer, OutboundMessage, SendError, SendErrorCode, SendResult

METHOD = "CONSOLE"
PERSON_HEADER = "x-parley-visitor"
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a terminal channel."""

    width_chars: int = field(default=1_000, metadata={"doc": "Characters that one answer keeps to.", "least": 80, "most": 4_000})


class Console:
    """The adapter of one terminal."""

    kind = "console"

    def __init__(self, our_address: Address, settings: Settings) -> None:
        self._address = our_address
        self.capabilities = Capabilities(
            family=Family.CONSOLE,
            text_max_chars=4_000,
            text_budget_chars=settings.width_chars,
            pulled=True,
            secrets_allowed=True,
            provider_retries="none: the person repeats what was not answered",
        )

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` for a request that did not come from the terminal."""
        if request.method != METHOD:
            raise AuthenticationFailed("not_the_console")

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Return the line that was typed."""
        return _events(request, self._address)

    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        """Return an empty answer; the terminal reads the record."""
        del replies
        return Answer()

    async def send(self, message: OutboundMessage) -> SendResult:
        """Raise `SendError`: there is nowhere to send to."""
        raise SendError(SendErrorCode.UNSUPPORTED, retryable=False, detail=f"{message.id}: the terminal reads the record itself")


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> Console:
    """Build the adapter of a terminal channel."""
    del channel_id, public_url, default_region  # a line names neither a channel nor a country
    return Console(our_address, settings)


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    del default_region
    return _events(request, Address(AddressKind.ALIAS, "console"))


def _events(request: RawRequest, here: Address) -> Sequence[InboundEvent]:
    frame = frames.read_object(request.body)
    message_id = frames.text_member(frame, "id")
    person = request.headers.get(PERSON_HEADER, "console")
    if not _ID.fullmatch(message_id) or not _ID.fullmatch(person):
        raise UnreadableRequest("bad_id")
    return [
        InboundMessage(
            external_id=f"{person}:{message_id}",
            sender=Address(AddressKind.VISITOR, person),
            recipient=here,
            text=texts.clean(frames.text_member(frame, "text")),
            sent_at=request.received_at,
        )
    ]
