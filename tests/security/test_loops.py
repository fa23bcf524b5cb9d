"""What runs behind the requests: no error ends a loop, no row holds up the others, nothing known becomes unknown, nothing runs twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core import dispatch
from core.clock import Clock
from core.model.outbound import OutboundMessage, SendResult
from core.reports.invariants import check
from core.store.api import StoreUnavailable, Tx
from gateway import actions as gateway_actions
from gateway import loops
from gateway.sending import dispatcher, lane
from tests.gateway.running import ANNA as ANNAS_NUMBER
from tests.gateway.running import Running, running

SMS = "+254711082000"


class Sender:
    """Stands where the provider's API is, and takes messages when the test says so."""

    def __init__(self, parley: Running, monkeypatch: pytest.MonkeyPatch) -> None:
        self.given: list[OutboundMessage] = []
        self.came = asyncio.Condition()
        self.open = asyncio.Event()
        self.open.set()
        monkeypatch.setattr(type(parley.gateway.channels["sms"].adapter), "send", self._send)

    async def _send(self, *args: Any) -> SendResult:
        message = args[-1]
        async with self.came:
            self.given.append(message)
            self.came.notify_all()
        await self.open.wait()
        return SendResult(f"SM{len(self.given):032x}")

    async def has(self, count: int) -> None:
        async with asyncio.timeout(10), self.came:
            await self.came.wait_for(lambda: len(self.given) >= count)


async def until(parley: Running, sql: str, *args: Any) -> list[Any]:
    """Return the rows of a statement as soon as there are some."""
    async with asyncio.timeout(10):
        with parley.gateway.hints.listen("events", "outbox", "actions") as listener:
            while not (rows := await parley.rows(sql, *args)):
                await listener.wait(0.05)
    return rows


async def write(parley: Running, sql: str, *args: Any) -> None:
    await parley.gateway.store.write(lambda tx: tx.execute(sql, args))


async def holds(parley: Running) -> None:
    assert await parley.gateway.store.read(check) == []


def failing(original: Any, times: int, error: Callable[[], Exception]) -> Any:
    """Return a stand-in that raises so often and then is the original."""
    left = [times]

    def call(*args: Any, **more: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise error()
        return original(*args, **more)

    return call


async def push(parley: Running, numbers: list[str]) -> None:
    """Queue a message to each number, as a turn does."""
    assert parley.gateway.demo is not None
    for number in numbers:
        await parley.gateway.demo.twilio.deliver(number, SMS, "menu")


@asynccontextmanager
async def with_rest(data: Path) -> AsyncIterator[Running]:
    """A gateway whose SMS answers leave by calls of the API."""
    async with running(data, overrides={"channels.sms.replies": "rest"}) as parley:
        yield parley


async def test_an_error_of_any_kind_ends_no_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "UNAVAILABLE_S", 0.01)
    async with with_rest(tmp_path) as parley:
        sender = Sender(parley, monkeypatch)
        monkeypatch.setattr(dispatch, "claim", failing(dispatch.claim, 3, ZeroDivisionError))
        await push(parley, [ANNAS_NUMBER])
        await sender.has(1)
        assert parley.gateway.counters.value("loop_failures", loop="outbox") == 3


async def test_an_outcome_that_the_store_does_not_take_at_once_is_recorded_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "UNAVAILABLE_S", 0.01)
    async with with_rest(tmp_path) as parley:
        sender = Sender(parley, monkeypatch)
        monkeypatch.setattr(dispatch, "sent", failing(dispatch.sent, 5, partial(StoreUnavailable, "disk_full")))
        await push(parley, [ANNAS_NUMBER])
        assert await until(parley, "select attempts from outbox where state = 'accepted'") == [(1,)]
        assert len(sender.given) == 1
        await holds(parley)


async def test_a_provider_that_never_answers_has_a_bounded_number_of_messages_and_holds_up_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "SENDING_MAX", 4)
    async with with_rest(tmp_path) as parley:
        sender = Sender(parley, monkeypatch)
        sender.open.clear()
        await push(parley, [f"+2547000010{number:02d}" for number in range(12)])
        await sender.has(4)
        claimed = await parley.rows("select count(*) from outbox where state = 'sending'")
        assert claimed == [(4,)]
        assert (await parley.dial(""))[0] == 200
        sender.open.set()
        await sender.has(12)
        await until(parley, "select 1 where not exists (select 1 from outbox where state <> 'accepted')")
        await holds(parley)


async def behave(parley: Running, **how: Any) -> None:
    """Make the billing system slow, or let everything go that it holds back."""
    assert parley.gateway.demo is not None
    async with parley.http.put(f"{parley.gateway.demo.bss_url}/demo/behaviour", json=how) as answer:
        assert answer.status == 200


async def slow_payment(parley: Running) -> asyncio.Task[Any]:
    """Start a top-up whose payment takes as long as the test wants, and return the request that waits for it."""
    for text in ("", "2", "2*50"):
        await parley.dial(text)
    await behave(parley, mode="slow", delay_s=30)
    waiting = asyncio.create_task(parley.dial("2*50*1"))
    await until(parley, "select 1 from action where state = 'running'")
    return waiting


async def test_a_clock_that_jumps_starts_no_action_a_second_time(tmp_path: Path) -> None:
    async with running(tmp_path) as parley:
        waiting = await slow_payment(parley)
        gateway = parley.gateway
        gateway.clock = Clock(partial(shifted, 86_400_000))
        gateway.hints.wake("actions")
        await until(parley, "select 1 from action where attempts = 2")
        await behave(parley, mode="ok")
        _, screen = await asyncio.wait_for(waiting, 10)
        assert screen.startswith("END ")
        assert gateway.counters.value("actions_resumed") == 0
        assert gateway.demo is not None
        async with parley.http.get(f"{gateway.demo.bss_url}/demo/payments") as answer:
            assert len((await answer.json())["payments"]) == 1
        await holds(parley)


async def test_a_result_waits_for_the_store_and_the_action_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_actions, "UNAVAILABLE_S", 0.01)
    async with running(tmp_path) as parley:
        turns = parley.gateway.turns
        monkeypatch.setattr(type(turns), "action_done", failing(type(turns).action_done, 4, partial(StoreUnavailable, "disk_full")))
        await parley.dial("")
        _, screen = await parley.dial("1")
        assert "KES" in screen
        assert await parley.rows("select attempts from action") == [(1,)]


async def leave_running(data: Path, change: str) -> None:
    """Let a process die while an action runs, and change the row that it leaves."""
    async with running(data, overrides={"channels.ussd.answer_deadline_s": 1.0}) as parley:
        waiting = await slow_payment(parley)
        await write(parley, change)
        parley.gateway.store.close()
        await behave(parley, mode="ok")
        await asyncio.wait([waiting])


@pytest.mark.parametrize(
    "change",
    ["update action set attempts = 1000", "update action set payload = '{}'", "update action set payload = 'broken'"],
    ids=["ends its process each time", "of another version", "broken"],
)
async def test_an_action_that_cannot_be_run_ends_as_a_failure_that_the_person_hears_of(tmp_path: Path, change: str) -> None:
    await leave_running(tmp_path, change)
    async with running(tmp_path) as parley:
        await until(parley, "select 1 from action where state = 'failed'")
        assert await until(parley, "select channel_id from outbox") == [("sms",)]
        assert await parley.rows("select count(*) from action where state = 'running'") == [(0,)]
        await holds(parley)


async def test_an_action_of_a_channel_that_is_configured_no_longer_ends(tmp_path: Path) -> None:
    await leave_running(tmp_path, "update interaction set channel_id = 'gone'")
    async with running(tmp_path) as parley:
        await until(parley, "select 1 from action where state = 'failed'")
        assert await parley.rows("select state from conversation where state is not null") == []
        assert (await parley.dial("", session="s2"))[1].startswith("CON ")


async def test_rows_of_a_channel_that_is_configured_no_longer_break_nothing(tmp_path: Path) -> None:
    async with with_rest(tmp_path) as parley:
        await push(parley, [ANNAS_NUMBER])
        await until(parley, "select 1 from outbox where state <> 'queued'")
    data: list[Callable[[Tx], int]] = [
        lambda tx: tx.execute("update interaction set channel_id = 'gone'"),
        lambda tx: tx.execute("update message set channel_id = 'gone', status = 'queued' where direction = 'outbound'"),
        lambda tx: tx.execute("update outbox set channel_id = 'gone', state = 'queued', due_at = 0, expires_at = 9e15"),
        lambda tx: tx.execute("update timer set due_at = 0"),
    ]
    async with running(tmp_path) as parley:
        for unit in data:
            await parley.gateway.store.write(unit)
        parley.gateway.hints.wake("outbox", "timers")
        assert parley.gateway.counters.value("loop_failures", loop="outbox") == 0
        assert (await parley.dial(""))[1].startswith("CON ")
    async with running(tmp_path) as parley:
        assert await parley.rows("select state from outbox") == [("dead",)]
        await until(parley, "select 1 where not exists (select 1 from timer where due_at = 0)")
        assert parley.gateway.counters.value("loop_failures", loop="outbox") == 0
        assert parley.gateway.counters.value("loop_failures", loop="timers") == 0
        assert (await parley.dial(""))[1].startswith("CON ")


def shifted(by_ms: int) -> int:
    """Return the time on a clock that is wrong."""
    return max(1, Clock().now_ms() + by_ms)


async def test_a_clock_that_goes_back_stops_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as parley:
        gateway = parley.gateway
        await parley.dial("")
        for jump_ms in (-3_600_000, 3_600_000, -1_700_000_000_000):
            gateway.clock = Clock(partial(shifted, jump_ms))
            _, screen = await parley.dial("1", session=f"s{jump_ms}")
            assert screen[:4] in ("CON ", "END ")
            assert len(screen) > 10
        broken = await parley.gateway.store.read(check)
        assert {rule.code for rule in broken} <= {"interaction_link_broken"}  # the times themselves are wrong, the order is not
