"""Wake-up calls between the parts of one process: they carry no content and losing one loses nothing, since every loop also reads the store."""

from __future__ import annotations

import asyncio
from collections import defaultdict


class Hints:
    """Topics that a loop can wait for. Topics in use: `outbox`, `timers`, `events`, `address:<value>` (a message for a pulling client)."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def wake(self, *topics: str) -> None:
        """Wake everyone who waits for one of the topics; to be called on the event loop, after a commit."""
        for topic in topics:
            for event in self._waiting.get(topic, ()):
                event.set()

    def listen(self, *topics: str) -> Listener:
        """Return a context manager whose `wait` returns when a topic was woken since the last wait, or the time is up."""
        return Listener(self._waiting, topics)


class Listener:
    """One loop's ear on some topics; wake-ups between two waits are not missed."""

    def __init__(self, waiting: defaultdict[str, set[asyncio.Event]], topics: tuple[str, ...]) -> None:
        self._waiting = waiting
        self._topics = topics
        self._event = asyncio.Event()

    def __enter__(self) -> Listener:
        for topic in self._topics:
            self._waiting[topic].add(self._event)
        return self

    def __exit__(self, *_: object) -> None:
        for topic in self._topics:
            listeners = self._waiting[topic]
            listeners.discard(self._event)
            if not listeners:
                del self._waiting[topic]

    async def wait(self, timeout_s: float) -> bool:
        """Wait for a wake-up; False after `timeout_s` seconds without one."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True
