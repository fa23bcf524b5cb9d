"""How often something may happen: a bucket of tokens that fills at a steady rate.

Pure: times are passed in, in the unit of a clock that never goes back. Must not know what the tokens are for.
"""

from __future__ import annotations

import math

_ROUNDING = 1e-6


class Bucket:
    """Lets through one every `step` on average, and after a pause `burst` at once. Times in one unit, that of the clock."""

    __slots__ = ("_next", "_slack", "_step", "burst")

    def __init__(self, step: float, burst: int) -> None:
        self._step = step
        self._slack = (burst - 1) * step
        self._next = -math.inf  # when the next one is due if all are evenly spaced
        self.burst = burst

    def ready(self, now: float) -> int:
        """Return how many may go now."""
        room = now + self._slack - max(self._next, now)
        return int(room / self._step + _ROUNDING) + 1 if room >= -self._step * _ROUNDING else 0

    def take(self, now: float) -> None:
        """Note that one goes."""
        self._next = max(self._next, now) + self._step

    def free_at(self, now: float) -> float:
        """Return when the next one may go, `now` if at once."""
        return max(now, self._next - self._slack)

    def ask(self, now: float) -> float:
        """Take one and return 0.0; or return how long it is until there is one, with nothing taken."""
        if not self.ready(now):
            return self.free_at(now) - now
        self.take(now)
        return 0.0
