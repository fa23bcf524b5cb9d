"""Parts of long messages and earlier arrivals, as a session with an SMS centre asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.store import journal, parts, smsc
from core.store.sqlite import SqliteStore, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path / "store.db")
    yield opened
    opened.close()


async def keep(store: SqliteStore, number: int, digest: str, at: int = 1, series: str = "s") -> bool:
    return await store.write(lambda tx: parts.keep_part(tx, "c", series, number, 2, digest=digest, raw=f"{{{digest}}}", at=at))


async def waiting(store: SqliteStore, series: str = "s") -> list[tuple[int, str]]:
    return [(part.number, part.raw) for part in await store.read(lambda tx: parts.waiting_parts(tx, "c", series))]


async def test_parts_wait_in_order_and_each_is_kept_once(store: SqliteStore) -> None:
    assert await keep(store, 2, "b")
    assert await keep(store, 1, "a")
    assert await keep(store, 2, "b", at=9)
    assert await waiting(store) == [(1, "{a}"), (2, "{b}")]
    assert await store.read(lambda tx: parts.waiting_series(tx, "c")) == ["s"]
    assert await store.read(lambda tx: parts.waiting_series(tx, "other")) == []


async def test_another_text_in_the_same_place_stands_alone(store: SqliteStore) -> None:
    assert await keep(store, 1, "a")
    assert not await keep(store, 1, "other")
    assert await waiting(store) == [(1, "{a}")]


async def test_a_series_that_is_done_keeps_no_text_and_knows_its_parts(store: SqliteStore) -> None:
    await keep(store, 1, "a")
    await keep(store, 2, "b")
    await store.write(lambda tx: parts.end_series(tx, "c", "s", 5))
    assert await waiting(store) == []
    assert await store.read(lambda tx: tx.all("select distinct raw from message_part")) == [("",)]
    assert await keep(store, 2, "b", at=6)
    assert await waiting(store) == []
    assert await keep(store, 2, "new", at=7)
    assert await waiting(store) == [(2, "{new}")]
    await store.write(lambda tx: parts.forget_series(tx, "c", 100))
    assert await waiting(store) == [(2, "{new}")]


async def arrived(store: SqliteStore, external_id: str, at: int, channel: str = "c") -> None:
    await store.write(lambda tx: journal.insert(tx, channel, external_id, f"id-{external_id}", None, at, "", None))


@pytest.mark.parametrize(
    ("times", "found"), [((10, 40), "ab:30:2"), ((10, 30), "ab:20:1"), ((21, 30), None), ((10, 20), None), ((31, 40), None)]
)
async def test_an_earlier_arrival_is_the_last_within_the_time(store: SqliteStore, times: tuple[int, int], found: Any) -> None:
    for external_id, at in (("ab:20:1", 20), ("ab:30:2", 30), ("abc:25:3", 25), ("aa:25:4", 25)):
        await arrived(store, external_id, at)
    await arrived(store, "ab:39:9", 39, channel="other")
    assert await store.read(lambda tx: smsc.last_arrival(tx, "c", "ab", *times)) == found
