"""What was paid at the demo operator, in a small SQLite file: it outlives a kill of the gateway, as a real billing system would.

It is the demo's own; the gateway's record never looks into it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import starmap
from pathlib import Path
from typing import TypeVar

import apsw

T = TypeVar("T")

_SCHEMA = """
create table if not exists payment (
    id integer primary key,
    key text not null unique,
    request text not null,
    msisdn text not null,
    kind text not null,
    amount_cents integer not null,
    offering text,
    at integer not null,
    answer text not null
)
"""
_COLUMNS = "id, key, request, msisdn, kind, amount_cents, offering, at, answer"


@dataclass(frozen=True, slots=True)
class Payment:
    """One top-up (`kind` topup) or purchase (`bundle`); `request` and `answer` are the JSON bodies, `at` is ms UTC."""

    id: int
    key: str
    request: str
    msisdn: str
    kind: str
    amount_cents: int
    offering: str | None
    at: int
    answer: str


class Ledger:
    """The payments, durable before `run` returns. SQLite has a thread of its own, so that the event loop never waits for a disk."""

    def __init__(self, path: Path) -> None:
        self._thread = ThreadPoolExecutor(1, "demo-ledger")
        self._db = self._thread.submit(self._open, path).result()

    @staticmethod
    def _open(path: Path) -> apsw.Connection:
        db = apsw.Connection(str(path))
        db.set_busy_timeout(5_000)
        db.execute("pragma journal_mode = wal").fetchall()
        db.execute("pragma synchronous = full").fetchall()
        db.execute(_SCHEMA)
        return db

    async def run(self, work: Callable[[Books], T]) -> T:
        """Run `work` in one transaction and return its result; what it raises undoes it."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transact, work)

    def _transact(self, work: Callable[[Books], T]) -> T:
        self._db.execute("begin immediate")
        try:
            result = work(Books(self._db))
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")
        return result

    def close(self) -> None:
        """Close the file; later calls fail."""
        self._thread.submit(self._db.close).result()
        self._thread.shutdown()


class Books:
    """The ledger inside one transaction."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db

    def by_key(self, key: str) -> Payment | None:
        """Return the payment made under this idempotency key."""
        return next(self._rows("where key = ?", key), None)

    def of(self, msisdn: str) -> list[Payment]:
        """Return the payments of a number, oldest first."""
        return list(self._rows("where msisdn = ? order by id", msisdn))

    def all(self) -> list[Payment]:
        """Return every payment, oldest first."""
        return list(self._rows("order by id"))

    def next_id(self) -> int:
        """Return the number that the next payment will have."""
        ((last,),) = self._db.execute("select coalesce(max(id), 1000) from payment")
        return int(last) + 1

    def add(self, payment: Payment) -> None:
        """Keep a payment; its key must be new."""
        self._db.execute(
            f"insert into payment ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
            (
                payment.id,
                payment.key,
                payment.request,
                payment.msisdn,
                payment.kind,
                payment.amount_cents,
                payment.offering,
                payment.at,
                payment.answer,
            ),
        )

    def _rows(self, where: str, *args: str) -> Iterator[Payment]:
        return starmap(Payment, self._db.execute(f"select {_COLUMNS} from payment {where}", args))  # noqa: S608 - constants
