"""A disk that can lose power and fail: an SQLite file layer over real files that knows what a sync has made durable.

Reads and writes go to the real file, as through a page cache. Each write or truncation also waits in a list until the file is
synced, and only then reaches the durable image. A power cut keeps the image and, of what waits, nothing, a random part, or all, some
of it torn at a sector. A failed sync loses what waited: the cache takes it for clean and never writes it again, as kernels do.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import apsw

SECTOR = 512


@dataclass(frozen=True, slots=True)
class Waiting:
    """One change that was not synced: bytes at an offset, or a new size where `data` is None."""

    offset: int
    data: bytes | None


@dataclass(slots=True)
class Platter:
    """What one file holds for sure, and what waits."""

    durable: bytearray = field(default_factory=bytearray)
    waiting: list[Waiting] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.waiting:
            apply(self.durable, change)
        self.waiting.clear()


def apply(image: bytearray, change: Waiting) -> None:
    if change.data is None:
        del image[change.offset :]
        return
    end = change.offset + len(change.data)
    if len(image) < end:
        image.extend(bytes(end - len(image)))
    image[change.offset : end] = change.data


class Disk(apsw.VFS):
    """A registered file layer. `watch(operation, file name)` precedes a read, write, truncate or sync; it may raise to make it fail."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "")
        self.name = name
        self.platters: dict[str, Platter] = {}
        self.guard = threading.RLock()
        self.watch: Callable[[str, str], None] = lambda _operation, _name: None

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        return _File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001
        with self.guard:
            super().xDelete(filename, syncdir)
            self.platters.pop(Path(filename).name, None)

    def cut(self, dice: random.Random) -> dict[str, bytes]:
        """Return what the files hold after a power cut at this moment, by file name."""
        keep = dice.choice(("nothing", "part", "torn", "all"))
        with self.guard:
            return {name: bytes(_after_cut(platter, keep, dice)) for name, platter in self.platters.items()}


def _after_cut(platter: Platter, keep: str, dice: random.Random) -> bytearray:
    image = bytearray(platter.durable)
    for change in platter.waiting:
        if keep == "nothing" or (keep in {"part", "torn"} and dice.random() < 0.5):
            continue
        apply(image, _torn(change, dice) if keep == "torn" else change)
    return image


def _torn(change: Waiting, dice: random.Random) -> Waiting:
    if change.data is None or len(change.data) <= SECTOR:
        return change
    return Waiting(change.offset, change.data[: SECTOR * dice.randrange(1, len(change.data) // SECTOR + 1)])


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        self._name = Path(name if isinstance(name, str) else name.filename()).name if name else ""
        super().__init__("", name, flags)
        with disk.guard:
            self._platter = disk.platters.setdefault(self._name, Platter()) if self._name else Platter()

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        self._disk.watch("read", self._name)
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        with self._disk.guard:
            self._disk.watch("write", self._name)
            super().xWrite(data, offset)
            self._platter.waiting.append(Waiting(offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        with self._disk.guard:
            self._disk.watch("truncate", self._name)
            super().xTruncate(newsize)
            self._platter.waiting.append(Waiting(newsize, None))

    def xSync(self, flags: int) -> None:  # noqa: N802
        # The real sync is left out: the durable image stands for the platter, and the real file only for the page cache.
        with self._disk.guard:
            try:
                self._disk.watch("sync", self._name)
            except apsw.Error:
                self._platter.waiting.clear()
                raise
            self._platter.sync()


@contextmanager
def disk(name: str) -> Iterator[Disk]:
    """Register a disk under a name of its own, and unregister it afterwards."""
    made = Disk(name)
    try:
        yield made
    finally:
        made.unregister()
