"""What the turn is told of something that came in, besides the event itself."""

from __future__ import annotations

from dataclasses import dataclass

from core.model.channel import Channel

FRESH_MS = 15 * 60_000
CAME_LATE = "came_while_away"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that came in on a channel: the id that all its effects derive from, when, and the raw body for the journal.

    `missed_at` is when the provider got what reached us only later, because it was fetched from its list or read again, ms UTC.
    """

    id: str
    channel: Channel
    received_at: int
    raw: str
    missed_at: int | None = None

    @property
    def said_at(self) -> int:
        """Return when it was said, as far as that is known."""
        return self.received_at if self.missed_at is None else self.missed_at

    @property
    def aside(self) -> str | None:
        """Return the reason for which a person gets it instead of the dialog, None if the dialog goes on: nobody waits for old answers."""
        return CAME_LATE if self.received_at - self.said_at > FRESH_MS else None
