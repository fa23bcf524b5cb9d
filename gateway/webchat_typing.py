"""Who is typing right now, between a visitor's window and the desk: in memory only, and losing it loses nothing.

Must not be used for anything that matters a second later.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from gateway.hints import Hints

LASTS_MS = 5_000
_KEPT_MAX = 10_000


class Typing:
    """Notes of typing by visitor address; `who` is `customer` or `agent`. Each note wakes the topic `typing:<address>`."""

    def __init__(self, hints: Hints, now_ms: Callable[[], int]) -> None:
        self._hints = hints
        self._now_ms = now_ms
        self._until: dict[tuple[str, str], int] = {}

    def note(self, address: str, who: str) -> None:
        """Note that somebody is typing; it holds for five seconds or until `stop`."""
        now = self._now_ms()
        if len(self._until) >= _KEPT_MAX:
            self._until = {key: until for key, until in self._until.items() if until > now}
        self._until[address, who] = now + LASTS_MS
        self._hints.wake(f"typing:{address}")

    def stop(self, address: str, who: str) -> None:
        """Forget a note: what was typed has been sent."""
        if self._until.pop((address, who), None) is not None:
            self._hints.wake(f"typing:{address}")

    def left_ms(self, address: str, who: str) -> int:
        """Return for how much longer somebody counts as typing, 0 if not at all."""
        return max(0, self._until.get((address, who), 0) - self._now_ms())


TYPING = web.AppKey("typing", Typing)
