"""The store against a model of it that fits on one screen: whatever is done in whatever order, both hold the same.

A work queue is played: accept, claim with a lease, finish, give back, repeat; with units that fail, power cuts, restarts and refused syncs.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path
from random import Random

import apsw
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from core.store.api import StoreUnavailable, Tx
from core.store.sqlite import open_store
from tests.faults.disk import Disk, Platter, disk

LEASE_MS = 1_000
KEYS = st.integers(0, 12)
_numbers = itertools.count()


class Spoilt(Exception):
    pass


def accept(tx: Tx, key: int) -> bool:
    return tx.execute("insert into work values (?, 'waiting', 0, 0) on conflict (key) do nothing", (key,)) == 1


def claim(tx: Tx, now: int) -> int | None:
    row = tx.one("select key from work where state = 'waiting' or (state = 'claimed' and until <= ?) order by key limit 1", (now,))
    if row is None:
        return None
    tx.execute("update work set state = 'claimed', until = ?, tries = tries + 1 where key = ?", (now + LEASE_MS, row[0]))
    return int(row[0])


def finish(tx: Tx, key: int) -> bool:
    return tx.execute("update work set state = 'done' where key = ? and state = 'claimed'", (key,)) == 1


class StoreMachine(RuleBasedStateMachine):
    """`self.model` is a dict of key to [state, until, tries]; after each step the table must be the same."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.keep = disk(f"model-{next(_numbers)}")
        self.layer: Disk = self.keep.__enter__()
        self.now = 0
        self.model: dict[int, list[object]] = {}
        self.store = open_store(self.folder / "store.db", vfs=self.layer.name, checkpoint_pages=8)
        self.store.write_sync(
            lambda tx: tx.execute("create table work (key integer primary key, state text, until integer, tries integer)")
        )

    def teardown(self) -> None:
        self.store.close()
        self.keep.__exit__(None, None, None)
        shutil.rmtree(self.folder)

    @rule(key=KEYS)
    def accept(self, key: int) -> None:
        assert self.store.write_sync(lambda tx: accept(tx, key)) == (key not in self.model)
        self.model.setdefault(key, ["waiting", 0, 0])

    @rule()
    def claim(self) -> None:
        free = [
            key for key, (state, until, _) in sorted(self.model.items()) if state == "waiting" or (state == "claimed" and until <= self.now)
        ]  # type: ignore[operator]
        key = self.store.write_sync(lambda tx: claim(tx, self.now))
        assert key == (free[0] if free else None)
        if key is not None:
            self.model[key] = ["claimed", self.now + LEASE_MS, self.model[key][2] + 1]  # type: ignore[operator]

    @rule(key=KEYS)
    def finish(self, key: int) -> None:
        may = key in self.model and self.model[key][0] == "claimed"
        assert self.store.write_sync(lambda tx: finish(tx, key)) == may
        if may:
            self.model[key][0] = "done"

    @rule(ms=st.integers(1, 2 * LEASE_MS))
    def wait(self, ms: int) -> None:
        self.now += ms

    @rule(key=KEYS)
    def fail_in_the_middle(self, key: int) -> None:
        def unit(tx: Tx) -> None:
            accept(tx, key)
            finish(tx, key)
            claim(tx, self.now)
            raise Spoilt

        try:
            self.store.write_sync(unit)
        except Spoilt:
            return
        raise AssertionError("the unit did not fail")

    @rule(key=KEYS)
    def lose_a_sync(self, key: int) -> None:
        def watch(operation: str, _name: str) -> None:
            if operation == "sync":
                raise apsw.IOError("the disk does not answer")

        self.layer.watch = watch
        with pytest.raises(StoreUnavailable, match="io_error"):
            self.store.write_sync(lambda tx: (accept(tx, key), tx.execute("update work set tries = tries + 1")))
        self.layer.watch = lambda _operation, _name: None

    @rule(seed=st.integers(0, 2**32 - 1))
    def cut_the_power(self, seed: int) -> None:
        image = self.layer.cut(Random(seed))  # how often it draws depends on what the writing thread has just copied
        self.store.close()
        for file in self.folder.iterdir():
            file.unlink()
        self.layer.platters.clear()
        for name, content in image.items():
            (self.folder / name).write_bytes(content)
            self.layer.platters[name] = Platter(bytearray(content))
        self.store = open_store(self.folder / "store.db", vfs=self.layer.name, checkpoint_pages=8)

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = open_store(self.folder / "store.db", vfs=self.layer.name, checkpoint_pages=8)

    @invariant()
    def the_table_is_as_the_model(self) -> None:
        rows = self.store.read_sync(lambda tx: tx.all("select key, state, until, tries from work order by key"))
        assert {key: list(rest) for key, *rest in rows} == self.model


StoreMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestStoreMachine = StoreMachine.TestCase
