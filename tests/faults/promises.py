"""A load whose every acknowledged unit can be looked for afterwards, and the check that finds what was lost.

The oracle is outside the store: `acked` holds what a client was told, and a plain SQLite connection reads what is there.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from core.store.api import StoreUnavailable, Tx, Unit
from core.store.sqlite import SqliteStore

PARTS = 3


@dataclass(slots=True)
class Promises:
    """Clients that write numbered units of three rows each, and what they were told about each number."""

    dice: random.Random
    begun: int = 0
    acked: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)

    def unit(self) -> tuple[int, Unit[int]]:
        self.begun += 1
        number, filling = self.begun, self.dice.randbytes(self.dice.choice((10, 300, 3_000)))

        def write(tx: Tx) -> int:
            tx.many("insert into promise values (?, ?, ?)", [(number, part, filling) for part in range(PARTS)])
            return number

        return number, write

    async def client(self, store: SqliteStore, go_on: Callable[[], bool]) -> None:
        while go_on():
            number, write = self.unit()
            try:
                self.acked.append(await store.write(write))
            except StoreUnavailable as error:
                self.refused[number] = error.code

    def run(self, store: SqliteStore, go_on: Callable[[], bool], clients: int = 8) -> None:
        async def all_clients() -> None:
            await asyncio.gather(*(self.client(store, go_on) for _ in range(clients)))

        asyncio.run(all_clients())


def prepare(store: SqliteStore) -> None:
    store.write_sync(lambda tx: tx.execute("create table promise (number integer, part integer, filling blob, primary key (number, part))"))


@dataclass(frozen=True, slots=True)
class Found:
    """What a database holds: the numbers that are whole, and whether anything about it is wrong."""

    numbers: frozenset[int]
    torn: frozenset[int]
    damage: str


def found(file: Path) -> Found:
    """Read a database with plain SQLite."""
    connection = apsw.Connection(str(file), apsw.SQLITE_OPEN_READWRITE)
    try:
        rows = connection.execute("select number, count(*) from promise group by number").fetchall()
        (damage,) = connection.execute("pragma integrity_check").fetchall()[0]
    except (apsw.CorruptError, apsw.NotADBError, apsw.SQLError) as error:
        return Found(frozenset(), frozenset(), str(error))
    finally:
        connection.close()
    whole = frozenset(number for number, parts in rows if parts == PARTS)
    return Found(whole, frozenset(number for number, _ in rows) - whole, "" if damage == "ok" else str(damage))
