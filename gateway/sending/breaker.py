"""When not to send at all: a provider that does not answer is left alone, and asked now and then by a single message.

Pure: times are passed in, in ms of a clock that never goes back. Must not know channels, messages or the store.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

WINDOW_MS = 30_000
LEAST = 20
PROBE_MS = 5_000
PROBE_MAX_MS = 60_000
HOLD_MAX_MS = 3_600_000
_SLICE_MS = 1_000


class Verdict(Enum):
    """What an attempt says of the provider, whatever it means for the message."""

    WORKS = "works"
    FAILS = "fails"
    NOTHING = "nothing"


class Breaker:
    """Lets everything pass until in 30 s at least 20 attempts were made and half of them failed, or until it is told to hold.

    Then it is open: one attempt passes after each wait, which doubles from 5 s to 60 s, until one works.
    """

    def __init__(self) -> None:
        self._slices: deque[list[int]] = deque()  # the beginning of a second, attempts, failures
        self._wait_ms = PROBE_MS
        self._until: float | None = None
        self._probing = False

    @property
    def open(self) -> bool:
        """Tell whether sending is paused."""
        return self._until is not None

    def room(self, now: float) -> int | None:
        """Return how many attempts may begin now; None for any number."""
        if self._until is None:
            return None
        return 0 if self._probing or now < self._until else 1

    def free_at(self, now: float) -> float | None:
        """Return when the next attempt may begin; None while that depends on one that is under way."""
        if self._until is None:
            return now
        return None if self._probing else max(now, self._until)

    def begin(self) -> bool:
        """Note that an attempt begins; True if it is the one by which an open breaker asks."""
        if self._until is None:
            return False
        self._probing = True
        return True

    def end(self, now: float, verdict: Verdict, *, probe: bool) -> None:
        """Note how an attempt ended; those that began before it opened change nothing any more."""
        if probe:
            self._probing = False
            if verdict is Verdict.WORKS:
                self._until, self._wait_ms = None, PROBE_MS
            else:
                self._wait_ms = min(self._wait_ms * 2, PROBE_MAX_MS) if verdict is Verdict.FAILS else self._wait_ms
                self._until = now + self._wait_ms
        elif self._until is None and verdict is not Verdict.NOTHING:
            self._count(now, failed=verdict is Verdict.FAILS)

    def hold(self, now: float, wait_ms: float) -> None:
        """Send nothing for a time that the provider asked for, an hour at most; it never shortens a wait."""
        self._until = max(self._until or now, now + min(wait_ms, HOLD_MAX_MS))
        self._slices.clear()

    def _count(self, now: float, *, failed: bool) -> None:
        slices = self._slices
        while slices and slices[0][0] <= now - WINDOW_MS:
            slices.popleft()
        if not slices or now - slices[-1][0] >= _SLICE_MS:
            slices.append([int(now), 0, 0])
        slices[-1][1] += 1
        slices[-1][2] += failed
        if not failed:
            return
        attempts, failures = sum(one[1] for one in slices), sum(one[2] for one in slices)
        if attempts >= LEAST and failures * 2 >= attempts:
            self._until = now + self._wait_ms
            slices.clear()
