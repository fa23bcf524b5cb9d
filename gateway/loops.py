"""A loop that does what the store says is due, for ever. Hints only make it look sooner, and no failure ends it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from core.store.api import StoreUnavailable, Unit
from gateway.runtime import Gateway

IDLE_S = 30.0
UNAVAILABLE_S = 1.0
_LOG = logging.getLogger(__name__)


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
            except StoreUnavailable as unavailable:
                _LOG.warning("%s wait for the store: %s", topic, unavailable.code)
                wait_s = UNAVAILABLE_S
            except Exception as error:  # noqa: BLE001 - whatever it is, the loop must go on: nobody would start it again
                _LOG.error("the loop for %s failed and goes on", topic, exc_info=error)
                gateway.counters.add("loop_failures", loop=topic)
                wait_s = UNAVAILABLE_S
            await listener.wait(min(max(wait_s, 0.05), IDLE_S))
