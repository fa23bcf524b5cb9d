"""A bounded set of threads for code that blocks.

The threads are daemons: one that hangs for ever in foreign code must not keep the process from ending.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Threads:
    """At most `size` threads, started when work comes; what finds no free one waits, and may be cancelled while it waits."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._started = 0
        self._busy = 0
        self._lock = threading.Lock()
        self._work: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` on one of the threads and return its result; raises what it raised."""
        future: Future[T] = Future()
        with self._lock:
            self._busy += 1
            start = self._started < min(self._busy, self._size)
            self._started += start
        self._work.put((future, work))
        if start:
            threading.Thread(target=self._serve, name="parley-action", daemon=True).start()
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Let every thread end after the work that it has; does not wait for them."""
        for _ in range(self._started):
            self._work.put(None)

    def _serve(self) -> None:
        while (item := self._work.get()) is not None:
            future, work = item
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work())
                except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to the one who asked
                    future.set_exception(error)
            with self._lock:
                self._busy -= 1
            del item, future, work
