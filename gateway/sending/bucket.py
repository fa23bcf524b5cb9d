"""How often something may happen: a bucket of tokens that fills at a steady rate.

Pure: times are passed in, in ms of a clock that never goes back. Must not know what the tokens are for.
"""

from __future__ import annotations

import math

_ROUNDING = 1e-6
_BURST_S = 0.1  # what may go at once after a pause: small, so that no second holds much more than the rate


class Bucket:
    """Lets through `rate_per_s` on average, and after a pause a tenth of a second's worth at once, but at least one."""

    def __init__(self, rate_per_s: float) -> None:
        self._step_ms = 1_000 / rate_per_s
        self.burst = max(1, int(rate_per_s * _BURST_S))
        self._slack_ms = (self.burst - 1) * self._step_ms
        self._next = -math.inf  # when the next one is due if all are evenly spaced

    def ready(self, now: float) -> int:
        """Return how many may go now."""
        room_ms = now + self._slack_ms - max(self._next, now)
        return int(room_ms / self._step_ms + _ROUNDING) + 1 if room_ms >= -self._step_ms * _ROUNDING else 0

    def take(self, now: float) -> None:
        """Note that one goes."""
        self._next = max(self._next, now) + self._step_ms

    def free_at(self, now: float) -> float:
        """Return when the next one may go, `now` if at once."""
        return max(now, self._next - self._slack_ms)
