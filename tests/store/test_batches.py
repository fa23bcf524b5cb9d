"""A batch of units: one transaction for all, and each answers for itself alone."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import apsw

from core.store.api import Tx, Unit
from core.store.sqlite import open_store


def test_units_that_fail_in_the_middle_of_a_batch_leave_the_others_as_they_are(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.db")
    store.write_sync(lambda tx: tx.execute("create table t (id integer primary key)"))
    begun, go = threading.Event(), threading.Event()

    def hold(tx: Tx) -> int:
        begun.set()
        return int(go.wait(15))

    def insert(number: int) -> Unit[int]:
        def unit(tx: Tx) -> int:
            tx.execute("insert into t values (?)", (number,))
            if number % 3 == 2:
                tx.execute("insert into t values (?)", (number,))  # the same key once more
            if number % 5 == 4:
                raise KeyError(number)
            return number

        return unit

    async def load() -> list[int | BaseException]:
        waiting = [store.write(hold)]
        begun.wait(15)
        waiting += [store.write(insert(number)) for number in range(30)]  # they wait for one another, and so become one batch
        go.set()
        return (await asyncio.gather(*waiting, return_exceptions=True))[1:]

    outcomes = asyncio.run(load())
    for number, outcome in enumerate(outcomes):
        if number % 3 == 2:
            assert isinstance(outcome, apsw.ConstraintError)
        elif number % 5 == 4:
            assert isinstance(outcome, KeyError)
        else:
            assert outcome == number
    kept = [(number,) for number in range(30) if number % 3 != 2 and number % 5 != 4]
    assert store.read_sync(lambda tx: tx.all("select id from t order by id")) == kept
    store.close()
