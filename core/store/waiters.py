"""Who waits for a unit of work, and how the result gets back to them from the thread that ran it.

The thread that works never runs a waiter's code: it hands over all results of a batch with one call for each event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future as ThreadFuture
from dataclasses import dataclass
from typing import Any

from core.store.api import Tx

_log = logging.getLogger("parley.store")


@dataclass(frozen=True, slots=True)
class Job:
    """A unit of work, and the future that takes its result; `loop` is None where a thread waits instead of a coroutine."""

    unit: Callable[[Tx], Any]
    future: asyncio.Future[Any] | ThreadFuture[Any]
    loop: asyncio.AbstractEventLoop | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: its value, or the error that its waiter is to see."""

    job: Job
    value: Any
    error: BaseException | None


def for_coroutine(unit: Callable[[Tx], Any]) -> Job:
    """Return a job whose future belongs to the running event loop."""
    loop = asyncio.get_running_loop()
    return Job(unit, loop.create_future(), loop)


def for_thread(unit: Callable[[Tx], Any]) -> Job:
    """Return a job whose future a thread can wait for."""
    return Job(unit, ThreadFuture(), None)


def settle(outcomes: Iterable[Outcome]) -> None:
    """Hand every outcome to its waiter: threads at once, coroutines with one call for each loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.job.loop is None:
            _resolve(outcome)
        else:
            by_loop.setdefault(outcome.job.loop, []).append(outcome)
    for loop, mine in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve_all, mine)
        except RuntimeError:  # the loop is closed, so nobody waits any more
            _log.warning("%d results had no event loop left to go to", len(mine))


def _resolve_all(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        _resolve(outcome)


def _resolve(outcome: Outcome) -> None:
    future = outcome.job.future
    if future.done():  # cancelled: the waiter left, the unit is committed all the same
        return
    if outcome.error is None:
        future.set_result(outcome.value)
    elif isinstance(outcome.error, StopIteration):  # a future cannot carry it
        future.set_exception(RuntimeError("the unit raised StopIteration"))
    else:
        future.set_exception(outcome.error)
