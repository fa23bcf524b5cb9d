"""What the adapters of all SMS providers have in common: numbers as providers write them, times, texts that go out, our own ids.

Must not know a provider.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from channels import numbers, texts
from channels.once import Once
from core.model.address import Address
from core.model.capabilities import Capabilities, Family, OnUnknown
from core.model.inbound import AuthenticationFailed, ContactSignal, Ignored, InboundEvent, InboundMessage, RawRequest, UnreadableRequest
from core.model.outbound import OutboundMessage, SendError, SendErrorCode
from core.text.segments import transliterate

TIMEOUT_S = 15.0
API_BASE = r"https?://[^\s?#@]+"
_BUDGET_CHARS = 459  # three parts
_MESSAGE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ID = re.compile(r"[!-~]{1,100}")
_TO_US = (InboundMessage, ContactSignal)
BY_GET = frozenset({"GET", "POST"})


def capabilities(
    *, text_max_chars: int, provider_retries: str, on_unknown: OnUnknown = OnUnknown.REPEAT, methods: frozenset[str] = frozenset({"POST"})
) -> Capabilities:
    """Return what a channel of short messages can do whose replies are calls of the provider's API."""
    return Capabilities(
        family=Family.SMS,
        text_max_chars=text_max_chars,
        text_budget_chars=_BUDGET_CHARS,
        gsm7=True,
        merge_replies=True,
        delivery_reports=True,
        on_unknown=on_unknown,
        methods=methods,
        provider_retries=provider_retries,
    )


def digits(number: Address) -> str:
    """Return a number without its plus sign, as most providers want it; a name as it is."""
    return number.value.removeprefix("+")


def moment(text: str) -> int | None:
    """Return a time of ISO 8601 in ms UTC, None for anything else; without an offset it is UTC."""
    try:
        at = datetime.fromisoformat(text.strip()[:40])
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000)
    except (ValueError, OverflowError):
        return None


def is_id(text: str) -> bool:
    """Tell whether a text can be the id that a provider gave a message."""
    return _ID.fullmatch(text) is not None


def our_id(text: str) -> str | None:
    """Return an id of ours that a provider gives back, None if it is none."""
    return text if _MESSAGE_ID.fullmatch(text) else None


def outgoing(message: OutboundMessage, text_max_chars: int) -> str:
    """Return the text of a message as it goes to the provider; raises `SendError` for media and for a text that is too long."""
    if message.reply.media:
        raise SendError(SendErrorCode.UNSUPPORTED, retryable=False, detail="media cannot be sent")
    text = texts.clean(transliterate(message.reply.text))
    if len(text) > text_max_chars:
        raise SendError(SendErrorCode.TOO_LONG, retryable=False, detail=f"{len(text)} characters, at most {text_max_chars}")
    return text


def taken(external_id: object) -> str:
    """Return the id that a provider gave a message of ours; raises `SendError` for what is none."""
    if not isinstance(external_id, str) or not is_id(external_id):
        raise unreadable("a message id")
    return external_id


def unreadable(what: str) -> SendError:
    """Return the error for a success whose answer names no message."""
    return SendError(SendErrorCode.UNREADABLE_ANSWER, retryable=True, unknown=True, detail=f"2xx without {what}")


def each(items: Sequence[Any], event: Callable[[Any], InboundEvent]) -> Sequence[InboundEvent]:
    """Return the event of every item of a batch; one that cannot be read is ignored beside others that can, else raises its error."""
    events: list[InboundEvent] = []
    failed: UnreadableRequest | None = None
    for item in items:
        try:
            events.append(event(item))
        except UnreadableRequest as error:
            events.append(Ignored(error.code))
            failed = failed or error
    if failed is not None and all(isinstance(found, Ignored) for found in events):
        raise failed
    return events


class LastEvents(Once[Sequence[InboundEvent]]):
    """The events of the last request; raises `UnreadableRequest`."""

    def __init__(self, parse: Callable[[RawRequest, str], Sequence[InboundEvent]], region: str) -> None:
        super().__init__(lambda request: parse(request, region))

    def check_recipient(self, request: RawRequest, ours: Address) -> None:
        """Raise `AuthenticationFailed` if a message was sent to another number than ours; what cannot be read is for `parse` to say."""
        try:
            events = self.of(request)
        except UnreadableRequest:
            return
        for event in events:
            if isinstance(event, _TO_US) and event.recipient not in (ours, numbers.UNSAID):
                raise AuthenticationFailed("other_number")
