"""A limit that many share: each who is late hears of it, and nobody else does."""

from __future__ import annotations

import asyncio

import pytest

from gateway.patience import Patience


async def told(text: str) -> str:
    return text


async def test_what_comes_in_time_is_returned() -> None:
    patience = Patience(600)
    assert await asyncio.gather(*(patience.wait(told(text)) for text in "abc")) == ["a", "b", "c"]


async def test_what_fails_in_time_fails_as_it_does() -> None:
    failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    failed.set_exception(KeyError("x"))
    with pytest.raises(KeyError):
        await Patience(600).wait(failed)


async def test_who_is_late_is_told_each_on_their_own_and_may_go_on() -> None:
    patience = Patience(0.02)
    ended: list[int] = []

    async def one(number: int) -> str:
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        with pytest.raises(TimeoutError):
            await patience.wait(never)
        assert never.cancelled()
        ended.append(number)
        return await patience.wait(told("again"))  # nothing of the cancellation is left

    assert await asyncio.gather(*map(one, range(5))) == ["again"] * 5
    assert ended == [0, 1, 2, 3, 4]


async def test_the_next_one_is_watched_after_nobody_waited() -> None:
    patience = Patience(0.01)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await patience.wait(asyncio.Event().wait())


async def test_a_task_that_others_cancel_is_cancelled() -> None:
    patience = Patience(600)
    began = asyncio.Event()

    async def work() -> None:
        began.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(patience.wait(work()))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
