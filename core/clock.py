"""Where time and randomness enter: one value that is passed to whatever needs them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from core.model.ids import uuid7


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Clock:
    """The wall clock in ms UTC, a source of random bytes, and new ids made of both."""

    now_ms: Callable[[], int] = _wall_ms
    random: Callable[[int], bytes] = os.urandom

    def new_id(self) -> str:
        """Return a new UUID version 7."""
        return uuid7(self.now_ms(), self.random)
