"""Nothing that a client was told is kept may be gone after a power cut; and the test that says so notices a store that syncs too little."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from core.store.sqlite import open_store
from tests.faults.disk import Disk, disk
from tests.faults.promises import Promises, found, prepare

NAME = "store.db"


class Cuts:
    """Cuts the power at random operations of the disk and looks at once what a restart would find."""

    def __init__(self, layer: Disk, promises: Promises, folder: Path, wanted: int, seed: int) -> None:
        self.layer, self.promises, self.folder, self.wanted = layer, promises, folder, wanted
        self.dice = random.Random(seed)
        self.count: Counter[str] = Counter()

    def go_on(self) -> bool:
        return self.count["cuts"] < self.wanted

    def watch(self, operation: str, _name: str) -> None:
        if operation != "read" and self.go_on() and self.dice.random() < 0.2:
            self.cut()

    def cut(self) -> None:
        acked = frozenset(self.promises.acked)  # before the image is taken, so all of these must be in it
        for name, content in self.layer.cut(self.dice).items():
            (self.folder / name).write_bytes(content)
        now = found(self.folder / NAME)
        for file in self.folder.iterdir():
            file.unlink()
        self.count["cuts"] += 1
        self.count["acked"] += len(acked)
        self.count["lost"] += len(acked - now.numbers)
        self.count["damaged"] += bool(now.damage)
        self.count["torn"] += len(now.torn)
        self.count["out of order"] += now.numbers != frozenset(range(1, len(now.numbers) + 1))
        self.count["unexpected"] += max(now.numbers, default=0) > self.promises.begun


def cut_power(tmp_path: Path, cuts: int, seed: int, synchronous: str) -> Counter[str]:
    with disk(f"power-{tmp_path.name}-{seed}-{synchronous}") as layer:
        store = open_store(tmp_path / f"{seed}" / NAME, vfs=layer.name, synchronous=synchronous, checkpoint_pages=60)
        prepare(store)
        promises = Promises(random.Random(seed))
        images = tmp_path / f"image-{seed}"
        images.mkdir()
        cutting = Cuts(layer, promises, images, cuts, seed)
        layer.watch = cutting.watch
        promises.run(store, cutting.go_on)
        store.close()
    assert not promises.refused
    return cutting.count


def test_acknowledged_units_survive_400_power_cuts(tmp_path: Path) -> None:
    count = cut_power(tmp_path, 400, seed=20_260, synchronous="full")
    assert count["cuts"] == 400
    assert count["acked"] > 10_000
    assert (count["lost"], count["damaged"], count["torn"], count["out of order"], count["unexpected"]) == (0, 0, 0, 0, 0), count


def test_the_power_cuts_find_a_store_that_syncs_too_little(tmp_path: Path) -> None:
    count = cut_power(tmp_path, 40, seed=7, synchronous="normal")
    assert count["lost"] > 0, count
    assert count["damaged"] == 0, count


@pytest.mark.long
@pytest.mark.parametrize("seed", range(25))
def test_acknowledged_units_survive_10_000_power_cuts(tmp_path: Path, seed: int) -> None:
    count = cut_power(tmp_path, 400, seed, synchronous="full")
    assert (count["lost"], count["damaged"], count["torn"], count["out of order"], count["unexpected"]) == (0, 0, 0, 0, 0), count
