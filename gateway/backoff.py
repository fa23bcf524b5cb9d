"""How long to wait before something that failed is tried again: ever longer, and spread, so that not all come back at one moment.

Must not wait itself, nor know what failed.
"""

from __future__ import annotations

import random

_DOUBLINGS_MAX = 16


class Backoff:
    """Waits that double from `first_s` to `most_s` seconds, each shortened by up to half of it by chance."""

    def __init__(self, first_s: float, most_s: float) -> None:
        self._first_s = first_s
        self._most_s = max(first_s, most_s)
        self._failures = 0
        self._jitter = random.Random()  # noqa: S311 - spreads attempts, protects nothing

    def failed(self) -> float:
        """Note a failure, and return the seconds to wait after it."""
        wait_s: float = min(self._first_s * 2 ** min(self._failures, _DOUBLINGS_MAX), self._most_s)
        self._failures += 1
        return wait_s * (0.5 + self._jitter.random() / 2)

    def worked(self) -> None:
        """Begin anew with short waits."""
        self._failures = 0
