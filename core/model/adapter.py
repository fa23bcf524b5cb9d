"""The seam between the gateway and a kind of channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from core.model.capabilities import Capabilities
from core.model.inbound import DeliveryReport, InboundEvent, Media, RawRequest
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


@runtime_checkable
class AnswersRequests(Protocol):
    """An adapter whose provider reads more in the answer to some requests than that they were taken."""

    def answer_to(self, request: RawRequest, answer: Answer) -> Answer:
        """Return what to answer to a request that was taken in, where `answer` is what the turn came to; pure."""
        ...


@runtime_checkable
class SaysSorry(Protocol):
    """An adapter of a line on which a person waits, and must never be left without a word."""

    def sorry(self) -> Answer:
        """Return the fixed answer for when a request cannot be taken in at all; it says to try again."""
        ...


@runtime_checkable
class Prepares(Protocol):
    """An adapter that needs something of its provider before it can tell whether a request is from it."""

    async def prepare(self, request: RawRequest) -> None:
        """Fetch what `authenticate` will need; raises `SendError` where the provider cannot be asked now."""
        ...


@runtime_checkable
class PutsThrough(Protocol):
    """An adapter that puts a caller through to people, who first hear what it is about; until then the caller may wait in a line."""

    def whisper(self, message_id: str, text: str, language: str) -> Answer:
        """Return what is said to who picked up for whom a message put through, and asks for one key; a sentence of its own for no text."""
        ...

    def connect(self, *, taken: bool) -> Answer:
        """Return what connects them with the caller, or lets them go."""
        ...

    def waiting(self, message: OutboundMessage) -> Answer:
        """Return what is said to a caller who waits in a line; a key leads out of it."""
        ...

    def leave(self) -> Answer:
        """Return what takes a caller out of the line."""
        ...

    async def fetch(self, call: str, message_id: str) -> bool:
        """Call a caller out of the line, who was put there by a message; False if the call is over. Raises `SendError` as `send` does."""
        ...


@dataclass(frozen=True, slots=True)
class MediaSource:
    """From where an attachment is fetched: only `hosts` are ever asked, and only the first of them is given the `headers`."""

    url: str = field(repr=False)
    hosts: tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@runtime_checkable
class HasMedia(Protocol):
    """An adapter whose attachments stay with the provider until they are fetched."""

    async def media_source(self, media: Media) -> MediaSource:
        """Say from where to fetch an attachment; raises `SendError` as `send` does."""
        ...


@runtime_checkable
class LooksUp(Protocol):
    """An adapter whose provider can be asked what became of a message."""

    async def look_up(self, message_id: str, external_id: str, recipient: str, sent_at: int) -> DeliveryReport | None:
        """Return what the provider knows of a message whose outcome is unknown; None if it never had it. Raises `SendError`."""
        ...


@dataclass(frozen=True, slots=True)
class Missed:
    """What a provider's list holds, oldest first, each in the form that `parse` reads; `received_at` is when the provider got it.

    `mark` is where to go on reading, for a provider that numbers its list.
    """

    requests: Sequence[RawRequest]
    mark: str = ""


@runtime_checkable
class BackFills(Protocol):
    """An adapter whose provider keeps a list of the messages that it delivered to us, or tried to."""

    async def missed(self, since_ms: int, mark: str) -> Missed:
        """Return what arrived since then; `mark` is that of the last answer, empty at first. Raises `SendError`."""
        ...
