"""Loops that run for as long as the gateway does: by what the store says is due, or every so often. No failure ends one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any

from core.store.api import StoreUnavailable, Unit
from gateway.runtime import Gateway

IDLE_S = 30.0
UNAVAILABLE_S = 1.0
_LOG = logging.getLogger(__name__)


def keep_running(loop: Coroutine[Any, Any, None], stack: AsyncExitStack) -> None:
    """Run a loop; leaving `stack` ends it."""
    stack.push_async_callback(_end, asyncio.create_task(loop))


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def do_when_due(
    gateway: Gateway, topic: str, next_due: Callable[[], Unit[int | None]], work: Callable[[int], Awaitable[int]]
) -> None:
    """Call `work` with the time, in ms UTC, whenever something is due; it returns how much it did. `topic` is the hint to listen to."""
    with gateway.hints.listen(topic) as listener:
        while True:
            try:
                due = await gateway.store.read(next_due())
                now = gateway.clock.now_ms()
                if due is not None and due <= now and await work(now):
                    continue
                wait_s = IDLE_S if due is None else (due - now) / 1000
            except Exception as error:  # noqa: BLE001 - whatever it is, the loop must go on: nobody would start it again
                _failed(gateway, topic, error)
                wait_s = UNAVAILABLE_S
            await listener.wait(min(max(wait_s, 0.05), IDLE_S))


async def do_every(gateway: Gateway, topic: str, interval_s: float, work: Callable[[], Awaitable[object]]) -> None:
    """Call `work` now and `interval_s` seconds after each end. `topic` names the loop to operators."""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - as above
            _failed(gateway, topic, error)
        await asyncio.sleep(interval_s)


def _failed(gateway: Gateway, topic: str, error: Exception) -> None:
    if isinstance(error, StoreUnavailable):
        _LOG.warning("%s wait for the store: %s", topic, error.code)
        return
    _LOG.error("the loop for %s failed and goes on", topic, exc_info=error)
    gateway.counters.add("loop_failures", loop=topic)
