"""What the providers of short messages have in common who sign nothing: a password, their networks and the receiver prove a callback.

Must not know a provider.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from channels import admission, sms
from channels.http import Http
from core.model.address import Address
from core.model.inbound import InboundEvent, RawRequest
from core.model.outbound import Answer, OutboundMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of every channel at such a provider whose API takes a key alone."""

    api_key: str = field(repr=False, metadata={"doc": "API key with the right to send SMS, by reference."})
    basic: tuple[str, ...] = field(
        default=(), repr=False, metadata={"doc": "user:password that the callbacks carry; two while it is being changed."}
    )
    sources: tuple[str, ...] = field(default=(), metadata={"doc": "Networks that the provider calls from; empty: from anywhere."})
    timeout_s: float = field(default=sms.TIMEOUT_S, metadata={"doc": "Seconds that one call of the API may take.", "least": 1, "most": 60})

    def __post_init__(self) -> None:
        if not self.api_key or not all(":" in pair for pair in self.basic):
            raise ValueError("api_key must not be empty, and basic has the form user:password")
        admission.networks(self.sources)


class ByCallback:
    """What every adapter of such a kind does; `kind`, `capabilities` and `send` are its own."""

    def __init__(
        self, our_address: Address, events: sms.LastEvents, *, sources: Sequence[str], basic: Sequence[str] = (), timeout_s: float
    ) -> None:
        self._address = our_address
        self._events = events
        self._sources = admission.networks(sources)
        self._basic = basic
        self._http = Http(timeout_s=timeout_s)

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` unless user, password and source are right, as far as they are set, and all is for our number."""
        admission.check_source(self._sources, request.remote)
        admission.check_basic(self._basic, request.headers.get("authorization", ""))
        self._events.check_recipient(request, self._address)

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Return what a callback tells."""
        return self._events.of(request)

    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        """Return an empty answer; replies are sent."""
        del replies
        return Answer()

    async def close(self) -> None:
        """End the connections to the provider."""
        await self._http.close()
