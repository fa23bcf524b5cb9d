"""A disk that fails: an error is never swallowed, what was refused is not kept, and the store goes on by itself when the disk does."""

from __future__ import annotations

import copy
import random
import shutil
from collections import Counter
from pathlib import Path

import apsw
import pytest

from core.store.api import StoreRefused, StoreUnavailable
from core.store.sqlite import SqliteStore, open_store
from tests.faults.disk import Disk, disk
from tests.faults.promises import Promises, found, prepare
from tests.faults.test_power_cut import Cuts

EVERYDAY_STEP = 7  # of the operations of opening a store, one in so many fails; in the long run, each


class Faults:
    """Lets an operation of one kind fail now and then, and after each failure cuts the power now and then."""

    def __init__(self, cuts: Cuts, operation: str, wanted: int, cut_chance: float) -> None:
        self.cuts, self.operation, self.wanted, self.cut_chance = cuts, operation, wanted, cut_chance
        self.dice = random.Random(5)
        self.happened = 0
        self.calm = 0  # operations still to come after the last fault

    def go_on(self) -> bool:
        return self.happened < self.wanted or self.calm > 0

    def watch(self, operation: str, _name: str) -> None:
        if operation != "read" and self.happened and self.dice.random() < self.cut_chance:
            self.cuts.cut()
        self.calm -= 1
        if operation == self.operation and self.happened < self.wanted and self.dice.random() < 0.5:
            self.happened += 1
            self.calm = 60
            raise apsw.IOError("the disk does not answer")


@pytest.mark.parametrize(
    ("operation", "wanted", "cut_chance"),
    [("sync", 200, 0.02), ("write", 60, 0.3), ("read", 60, 0.3), ("truncate", 5, 0.1)],
)
def test_a_failing_disk_loses_nothing_and_refuses_what_it_did_not_keep(
    tmp_path: Path, operation: str, wanted: int, cut_chance: float
) -> None:
    with disk(f"failing-{tmp_path.name}") as layer:
        store = open_store(tmp_path / "data" / "store.db", vfs=layer.name, checkpoint_pages=30)
        prepare(store)
        promises = Promises(random.Random(3))
        images = tmp_path / "images"
        images.mkdir()
        faults = Faults(Cuts(layer, promises, images, 0, seed=4), operation, wanted, cut_chance)
        layer.watch = faults.watch
        promises.run(store, faults.go_on)
        layer.watch = lambda _operation, _name: None

        number, write = promises.unit()
        promises.acked.append(store.write_sync(write))
        kept = {n for (n,) in store.read_sync(lambda tx: tx.all("select distinct number from promise"))}
        store.close()

    assert number in kept
    assert set(promises.refused.values()) <= {"io_error"}
    assert operation in {"read", "truncate"} or len(promises.refused) >= 10
    assert kept == set(promises.acked)
    assert found(tmp_path / "data" / "store.db").numbers == kept
    count = faults.cuts.count
    assert count["cuts"] >= 10
    assert (count["lost"], count["damaged"], count["torn"]) == (0, 0, 0), count


def test_what_a_killed_process_left_unsynced_is_made_durable_before_anything_is_built_upon_it(tmp_path: Path) -> None:
    with disk(f"before-{tmp_path.name}") as layer, disk(f"after-{tmp_path.name}") as restarted:
        store = open_store(tmp_path / "data" / "store.db", vfs=layer.name)
        prepare(store)
        promises = Promises(random.Random(2))

        def sync_fails(operation: str, _name: str) -> None:
            if operation == "sync":
                raise apsw.IOError("the disk does not answer")

        layer.watch = sync_fails
        with pytest.raises(StoreUnavailable, match="io_error"):
            store.write_sync(promises.unit()[1])
        layer.watch = lambda _operation, _name: None
        shutil.copytree(
            tmp_path / "data", tmp_path / "killed", ignore=shutil.ignore_patterns("*-shm")
        )  # a kill leaves what the cache holds
        restarted.platters = copy.deepcopy(layer.platters)
        store.close()

        store = open_store(tmp_path / "killed" / "store.db", vfs=restarted.name)
        number, write = promises.unit()
        assert store.write_sync(write) == number
        (tmp_path / "image").mkdir()
        for name, content in restarted.cut(random.Random(1)).items():
            (tmp_path / "image" / name).write_bytes(content)
        store.close()
    assert number in found(tmp_path / "image" / "store.db").numbers


@pytest.mark.first
def test_opening_a_store_survives_a_failure_of_each_operation_in_turn(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    step = 1 if request.config.getoption("--long") else EVERYDAY_STEP
    with disk(f"opening-{tmp_path.name}") as layer:
        refused: Counter[str] = Counter()
        for nth in range(1, 2_000, step):
            left = nth

            def watch(operation: str, _name: str) -> None:
                nonlocal left
                left -= operation != "read"
                if left == 0:
                    left = -1
                    raise apsw.IOError("the disk does not answer")

            layer.watch = watch
            try:
                store = open_store(tmp_path / f"{nth}" / "store.db", vfs=layer.name)
            except StoreRefused as error:
                refused[error.code] += 1
                layer.watch = lambda _operation, _name: None
                store = open_store(tmp_path / f"{nth}" / "store.db", vfs=layer.name)
            assert store.read_sync(lambda tx: tx.one("select count(*) from party")) == (0,)
            store.close()
            layer.watch = lambda _operation, _name: None
            open_store(tmp_path / f"{nth}" / "store.db", vfs=layer.name).close()
            if left > 0:
                break
        else:
            pytest.fail("opening a store never came to its end")
        assert list(refused) == ["read_only"]
        assert refused["read_only"] > 10


def fill(layer: Disk, *, at_most: int) -> None:
    """Let the disk take only so many more writes, until `free`."""
    left = at_most

    def watch(operation: str, _name: str) -> None:
        nonlocal left
        if operation == "write":
            left -= 1
            if left < 0:
                raise apsw.FullError("no space left")

    layer.watch = watch


def free(layer: Disk) -> None:
    layer.watch = lambda _operation, _name: None


def full_once(store: SqliteStore, layer: Disk, promises: Promises, at_most: int) -> None:
    fill(layer, at_most=at_most)
    before = len(promises.refused)
    promises.run(store, lambda: len(promises.refused) < before + 10)
    assert store.read_sync(lambda tx: tx.one("select count(*) from promise"))  # reading goes on
    free(layer)
    _, write = promises.unit()
    promises.acked.append(store.write_sync(write))  # and so does writing, at once


def test_a_full_disk_refuses_and_recovers(tmp_path: Path) -> None:
    with disk(f"full-{tmp_path.name}") as layer:
        store = open_store(tmp_path / "data" / "store.db", vfs=layer.name, checkpoint_pages=30)
        prepare(store)
        promises = Promises(random.Random(9))
        for at_most in range(60):
            full_once(store, layer, promises, at_most)
        kept = {n for (n,) in store.read_sync(lambda tx: tx.all("select distinct number from promise"))}
        store.close()
    assert set(promises.refused.values()) == {"disk_full"}
    assert kept == set(promises.acked)
    now = found(tmp_path / "data" / "store.db")
    assert (now.numbers, now.torn, now.damage) == (kept, frozenset(), "")


def test_a_full_disk_at_start_is_one_clear_sentence(tmp_path: Path) -> None:
    with disk(f"start-{tmp_path.name}") as layer:
        fill(layer, at_most=0)
        with pytest.raises(StoreRefused, match="no space left") as refused:
            open_store(tmp_path / "data" / "store.db", vfs=layer.name)
        assert refused.value.code == "disk_full"
        free(layer)
        open_store(tmp_path / "data" / "store.db", vfs=layer.name).close()


def test_a_unit_that_cannot_be_written_is_told_so_even_when_the_file_cannot_be_opened_again(tmp_path: Path) -> None:
    with disk(f"gone-{tmp_path.name}") as layer:
        store = open_store(tmp_path / "data" / "store.db", vfs=layer.name)
        prepare(store)

        def watch(_operation: str, _name: str) -> None:
            raise apsw.IOError("the disk is gone")

        layer.watch = watch
        promises = Promises(random.Random(1))
        for _ in range(20):
            number, write = promises.unit()
            with pytest.raises(StoreUnavailable, match="io_error"):
                store.write_sync(write)
        free(layer)
        number, write = promises.unit()
        assert store.write_sync(write) == number
        store.close()
