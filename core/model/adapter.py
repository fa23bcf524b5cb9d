"""The seam between the gateway and a kind of channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from core.model.capabilities import Capabilities
from core.model.inbound import InboundEvent, RawRequest
from core.model.outbound import Answer, OutboundMessage, SendResult


@runtime_checkable
class Adapter(Protocol):
    """One configured channel's translator. It never touches the store, never retries, never logs."""

    kind: str
    capabilities: Capabilities

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` unless the request is from the provider; constant time; old and new secret are valid."""
        ...

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Translate a request; pure. Raises `UnreadableRequest` for a body that makes no sense; what is merely strange is `Ignored`."""
        ...

    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        """Build the HTTP answer; inline channels carry the replies in it."""
        ...

    async def send(self, message: OutboundMessage) -> SendResult:
        """Make one attempt; raises `SendError`."""
        ...
