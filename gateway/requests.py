"""Requests whose answer waits for an action: one future each, so that a repeated request waits for the same answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.model.outbound import Answer

REPEAT_WAIT_S = 15.0


@dataclass(slots=True)
class OpenRequest:
    """A request that is still open. `action_id` is what it waits for now; `late` says that it waits no longer."""

    action_id: str
    late: bool = False
    answer: asyncio.Future[Answer] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def settle(self, answer: Answer) -> None:
        """Give the answer; the first one stands."""
        if not self.answer.done():
            self.answer.set_result(answer)


class OpenRequests:
    """The open requests of this process, by channel and external id."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], OpenRequest] = {}

    @contextmanager
    def opened(self, key: tuple[str, str], action_id: str) -> Iterator[OpenRequest]:
        """Keep a request while its answer is awaited."""
        request = self._open[key] = OpenRequest(action_id)
        try:
            yield request
        finally:
            del self._open[key]

    def settle(self, key: tuple[str, str], answer: Answer) -> None:
        """Give the open request with this id its answer, if there is one."""
        request = self._open.get(key)
        if request is not None:
            request.settle(answer)

    async def answer_of(self, key: tuple[str, str]) -> Answer | None:
        """Return the answer that an open request with this id gets; None if there is none or it takes too long."""
        request = self._open.get(key)
        if request is None:
            return None
        done, _ = await asyncio.wait({request.answer}, timeout=REPEAT_WAIT_S)
        return request.answer.result() if done else None
