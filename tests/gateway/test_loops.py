"""What runs beside the requests goes on whatever happens, and waits longer after each failure in a row."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from core.store.api import StoreUnavailable
from gateway.backoff import Backoff
from gateway.loops import do_every, keep_running
from tests.gateway.running import running


async def test_a_loop_goes_on_after_a_failure_and_ends_with_the_gateway(tmp_path: Path) -> None:
    rounds = 0
    enough = asyncio.Event()

    async def work() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise ZeroDivisionError
        if rounds == 2:
            raise StoreUnavailable("overloaded")
        enough.set()

    async with running(tmp_path) as parley, asyncio.timeout(30):
        async with AsyncExitStack() as stack:
            keep_running(do_every(parley.gateway, "tests", 0.0, work), stack)
            await enough.wait()
        at_the_end = rounds
        for _ in range(10):
            await asyncio.sleep(0)
        assert rounds == at_the_end
        assert parley.gateway.counters.value("loop_failures", loop="tests") == 1


def test_waits_double_up_to_the_longest_and_begin_anew_after_a_success() -> None:
    backoff = Backoff(1.0, 60.0)
    for longest_s in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, *[60.0] * 2_000):
        assert longest_s / 2 <= backoff.failed() <= longest_s
    backoff.worked()
    assert backoff.failed() <= 1.0


def test_waits_are_spread_and_never_shorter_than_was_asked_for() -> None:
    assert len({Backoff(1.0, 60.0).failed() for _ in range(10)}) > 1
    assert Backoff(90.0, 60.0).failed() >= 45.0
