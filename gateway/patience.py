"""How long somebody waits at most: one timer for all who wait equally long, since a timer for each costs more than reading their request.

It knows nothing of what is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")


class Patience:
    """A limit in seconds for pieces of work that each run in a task of their own. Who began first is late first."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._begun: dict[asyncio.Task[Any], float] = {}
        self._watched = False

    async def wait(self, work: Awaitable[T]) -> T:
        """Return what `work` comes to; raises TimeoutError when the time is up, and then it was cancelled."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if task is None:
            raise RuntimeError("nobody but a task can be late")
        self._begun[task] = loop.time()
        if not self._watched:
            self._watched = True
            loop.call_later(self._limit_s, self._look, loop)
        try:
            return await work
        except asyncio.CancelledError:
            if task not in self._begun and task.cancelling() == 1:
                raise TimeoutError from None
            raise
        finally:
            if self._begun.pop(task, None) is None:
                task.uncancel()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cancel who is late, and look again when the next one would be."""
        now = loop.time()
        while self._begun:
            task, begun = next(iter(self._begun.items()))
            left_s = begun + self._limit_s - now
            if left_s > 0:
                loop.call_later(left_s, self._look, loop)
                return
            del self._begun[task]
            task.cancel()
        self._watched = False
