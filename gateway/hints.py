"""Wake-up calls between the parts of one process: they carry no content, and losing one loses nothing: every loop also reads the store."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Self

Call = Callable[[], None]


class Hints:
    """Topics to wait for: `outbox`, `timers`, `actions`, `events`, `address:<value>` (a message for a pulling client), `typing:<value>`."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[Call]] = defaultdict(set)

    def wake(self, *topics: str) -> None:
        """Wake everyone who waits for one of the topics; to be called on the event loop, after a commit."""
        for topic in topics:
            for call in self._waiting.get(topic, ()):
                call()

    def attach(self, call: Call, *topics: str) -> None:
        """Have `call` called at every wake-up, for those too many to have a loop each; it returns at once and attaches nothing."""
        for topic in topics:
            self._waiting[topic].add(call)

    def detach(self, call: Call, *topics: str) -> None:
        """Undo `attach`."""
        for topic in topics:
            calls = self._waiting[topic]
            calls.discard(call)
            if not calls:
                del self._waiting[topic]

    def listen(self, *topics: str) -> Listener:
        """Return a context manager whose `wait` returns when a topic was woken since the last wait, or the time is up."""
        return Listener(self, topics)


class Listener:
    """One loop's ear on some topics; wake-ups between two waits are not missed."""

    def __init__(self, hints: Hints, topics: tuple[str, ...]) -> None:
        self._hints = hints
        self._topics = topics
        self._event = asyncio.Event()

    def __enter__(self) -> Self:
        self._hints.attach(self._event.set, *self._topics)
        return self

    def __exit__(self, *_: object) -> None:
        self._hints.detach(self._event.set, *self._topics)

    async def wait(self, timeout_s: float) -> bool:
        """Wait for a wake-up; False after `timeout_s` seconds without one."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True
