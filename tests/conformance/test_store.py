"""What every store promises to the use cases, whatever database is behind it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.store.api import StoreUnavailable, Tx
from core.store.sqlite import SqliteStore, open_store

DRIVERS: dict[str, Callable[[Path], SqliteStore]] = {"sqlite": lambda folder: open_store(folder / "store.db")}


@pytest.fixture(params=DRIVERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteStore]:
    opened = DRIVERS[request.param](tmp_path)
    opened.write_sync(lambda tx: tx.execute("create table fruit (id integer primary key, name text unique, weight integer)"))
    yield opened
    opened.close()


def add(name: str, weight: int = 1) -> Callable[[Tx], int]:
    return lambda tx: tx.execute("insert into fruit (name, weight) values (?, ?)", (name, weight))


def names(tx: Tx) -> list[str]:
    return [name for (name,) in tx.all("select name from fruit order by id")]


class Spoilt(Exception):
    pass


def spoilt(tx: Tx) -> None:
    add("rotten")(tx)
    raise Spoilt


async def test_a_unit_returns_its_value_and_its_rows_are_there(store: SqliteStore) -> None:
    assert await store.write(add("fig")) == 1
    assert await store.read(names) == ["fig"]


def test_threads_can_wait_instead_of_coroutines(store: SqliteStore) -> None:
    assert store.write_sync(add("fig")) == 1
    assert store.read_sync(names) == ["fig"]
    with pytest.raises(Spoilt):
        store.write_sync(spoilt)
    with pytest.raises(Spoilt):
        store.read_sync(lambda _tx: (_ for _ in ()).throw(Spoilt))


async def test_execute_tells_how_many_rows_it_changed(store: SqliteStore) -> None:
    def unit(tx: Tx) -> tuple[int, int, int]:
        tx.many("insert into fruit (name, weight) values (?, ?)", [("fig", 1), ("plum", 2), ("lime", 3)])
        changed = tx.execute("update fruit set weight = weight + 1 where weight > ?", (1,))
        return changed, tx.execute("update fruit set weight = 0 where weight > 100"), tx.execute("delete from fruit")

    assert await store.write(unit) == (2, 0, 3)


async def test_one_and_all_read_rows(store: SqliteStore) -> None:
    def unit(tx: Tx) -> None:
        assert tx.one("select name from fruit") is None
        assert tx.all("select name from fruit") == []
        assert tx.one("insert into fruit (name) values ('fig'), ('plum') returning id, name") == (1, "fig")
        assert tx.one("select count(*) from fruit") == (2,)
        assert tx.one("select name, weight from fruit order by id") == ("fig", None)
        assert tx.execute("delete from fruit where name = 'plum'") == 1  # although the statement before had a row left

    await store.write(unit)
    assert await store.read(names) == ["fig"]


async def test_values_come_back_as_they_went_in(store: SqliteStore) -> None:
    values = [None, 0, -1, 2**62, 1.5, "", "żółw 🐢 \u200fمرحبا", "nul\x00inside", "'; drop table fruit; --", b"", b"\x00\xff"]

    def unit(tx: Tx) -> list[object]:
        tx.execute("create table box (thing blob)")
        tx.many("insert into box values (?)", [(value,) for value in values])
        return [thing for (thing,) in tx.all("select thing from box order by rowid")]

    assert await store.write(unit) == values


async def test_a_failing_unit_is_rolled_back_alone_and_its_error_reaches_its_waiter(store: SqliteStore) -> None:
    good = [store.write(add(f"good {n}")) for n in range(20)]
    bad = [store.write(spoilt) for _ in range(20)]
    good += [store.write(add(f"fine {n}")) for n in range(20)]
    outcomes = await asyncio.gather(*good, *bad, return_exceptions=True)
    assert outcomes[:40] == [1] * 40
    assert all(isinstance(outcome, Spoilt) for outcome in outcomes[40:])
    assert await store.read(names) == [f"good {n}" for n in range(20)] + [f"fine {n}" for n in range(20)]


async def test_a_broken_rule_of_the_schema_fails_its_unit_only(store: SqliteStore) -> None:
    first, second, third = store.write(add("fig")), store.write(add("fig")), store.write(add("plum"))
    outcomes = await asyncio.gather(first, second, third, return_exceptions=True)
    assert (outcomes[0], outcomes[2]) == (1, 1)
    assert isinstance(outcomes[1], Exception)
    assert not isinstance(outcomes[1], StoreUnavailable)
    assert await store.read(names) == ["fig", "plum"]


@pytest.mark.parametrize("error", [StopIteration, KeyboardInterrupt, SystemExit, MemoryError, asyncio.CancelledError])
async def test_no_error_of_a_unit_stops_the_store(store: SqliteStore, error: type[BaseException]) -> None:
    def unit(_tx: Tx) -> None:
        raise error

    with pytest.raises((error, RuntimeError)):
        store.write_sync(unit)
    with pytest.raises((error, RuntimeError)):
        store.read_sync(unit)
    assert await store.write(add("fig")) == 1
    assert await store.read(names) == ["fig"]


async def test_a_unit_that_its_waiter_gave_up_is_kept_all_the_same(store: SqliteStore) -> None:
    kept = asyncio.ensure_future(store.write(add("fig")))
    kept.cancel()
    await store.write(add("plum"))
    assert await store.read(names) == ["fig", "plum"]


async def test_units_run_in_the_order_in_which_they_were_handed_in(store: SqliteStore) -> None:
    await asyncio.gather(*(store.write(add(f"{n:04}")) for n in range(1_000)))
    assert await store.read(names) == [f"{n:04}" for n in range(1_000)]


async def test_a_unit_sees_what_the_units_before_it_wrote(store: SqliteStore) -> None:
    def count(tx: Tx) -> int:
        (number,) = tx.one("select count(*) from fruit") or (0,)
        add(f"fruit {number}")(tx)
        return int(number)

    assert await asyncio.gather(*(store.write(count) for _ in range(100))) == list(range(100))


async def test_a_reader_cannot_write(store: SqliteStore) -> None:
    with pytest.raises(Exception, match=r"readonly|read-only"):
        await store.read(add("fig"))
    assert await store.read(names) == []


async def test_a_reader_sees_one_snapshot(store: SqliteStore) -> None:
    started, written = threading.Event(), threading.Event()

    def look_twice(tx: Tx) -> tuple[list[str], list[str]]:
        before = names(tx)
        started.set()
        assert written.wait(10)
        return before, names(tx)

    looking = store.read(look_twice)
    await asyncio.to_thread(started.wait, 10)
    await store.write(add("fig"))
    written.set()
    assert await looking == ([], [])
    assert await store.read(names) == ["fig"]


async def test_writes_go_on_while_a_reader_reads(store: SqliteStore) -> None:
    started, written = threading.Event(), threading.Event()

    def slow(tx: Tx) -> int:
        names(tx)
        started.set()
        assert written.wait(10)
        return len(names(tx))

    slow_one = store.read(slow)
    await asyncio.to_thread(started.wait, 10)
    for n in range(50):
        await store.write(add(f"{n}"))
    assert len(await store.read(names)) == 50
    written.set()
    assert await slow_one == 0


async def test_close_finishes_what_waits_and_later_calls_are_refused(store: SqliteStore) -> None:
    waiting = [store.write(add(f"{n}")) for n in range(100)]
    looking = store.read(lambda tx: tx.one("select 1"))
    store.close()
    assert await asyncio.gather(*waiting) == [1] * 100
    assert await looking == (1,)
    for call in (store.write, store.read):
        with pytest.raises(StoreUnavailable, match="closed"):
            await call(names)
    store.close()


async def test_too_many_waiting_units_are_refused_at_once(store: SqliteStore) -> None:
    running, go_on = threading.Event(), threading.Event()

    def blocks(_tx: Tx) -> None:
        running.set()
        assert go_on.wait(30)

    first = store.write(blocks)
    await asyncio.to_thread(running.wait, 10)
    waiting = []

    def hand_in() -> None:
        for n in range(20_000):
            unit = add(f"{n}")
            waiting.append(store.write(unit))

    with pytest.raises(StoreUnavailable, match="overloaded"):
        hand_in()
    assert 1_000 <= len(waiting) <= 10_000
    assert store.waiting == len(waiting)
    go_on.set()
    await first
    assert await asyncio.gather(*waiting) == [1] * len(waiting)
    assert store.waiting == 0


def test_a_waiter_whose_event_loop_is_gone_holds_nobody_up(store: SqliteStore) -> None:
    running, go_on = threading.Event(), threading.Event()

    def blocks(_tx: Tx) -> None:
        running.set()
        assert go_on.wait(10)

    async def leave() -> None:
        store.write(blocks)
        await asyncio.to_thread(running.wait, 10)

    asyncio.run(leave())
    go_on.set()
    assert store.write_sync(add("fig")) == 1
