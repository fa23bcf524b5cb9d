"""The default store: one SQLite file with one writing thread and a few reading ones.

It opens the parts in order and closes them in reverse. It runs what it is given and knows no table.
"""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

import apsw

from core.store import connection as connections
from core.store import files, migrate
from core.store.api import StoreRefused, StoreUnavailable, Unit
from core.store.readers import Readers
from core.store.waiters import for_coroutine, for_thread
from core.store.writer import CHECKPOINT_PAGES, Writer

T = TypeVar("T")
READERS = 2


class SqliteStore:
    """`core.store.api.Store` on SQLite; `write_sync` and `read_sync` are for callers without an event loop."""

    def __init__(self, writer: Writer | None, readers: Readers, lock: int | None) -> None:
        self._writer = writer
        self._readers = readers
        self._lock = lock

    @property
    def waiting(self) -> int:
        """Units that wait to be written."""
        return self._writer.waiting if self._writer else 0

    def write(self, unit: Unit[T]) -> Awaitable[T]:
        """Run `unit` durably; raises what the unit raised (it alone is rolled back), or `StoreUnavailable`."""
        job = for_coroutine(unit)
        self._writing().submit(job)
        return job.future  # type: ignore[return-value]

    def read(self, unit: Unit[T]) -> Awaitable[T]:
        """Run `unit` on a read-only snapshot; raises what the unit raised, or `StoreUnavailable`."""
        job = for_coroutine(unit)
        self._readers.submit(job)
        return job.future  # type: ignore[return-value]

    def write_sync(self, unit: Unit[T]) -> T:
        """As `write`, blocking the calling thread; never on an event loop."""
        job = for_thread(unit)
        self._writing().submit(job)
        return job.future.result()  # type: ignore[no-any-return]

    def read_sync(self, unit: Unit[T]) -> T:
        """As `read`, blocking the calling thread; never on an event loop."""
        job = for_thread(unit)
        self._readers.submit(job)
        return job.future.result()  # type: ignore[no-any-return]

    def close(self) -> None:
        """Finish what is queued, checkpoint, close; later calls raise `StoreUnavailable`."""
        self._readers.close()
        if self._writer:
            self._writer.close()
        if self._lock is not None:
            files.release(self._lock)
            self._lock = None

    def _writing(self) -> Writer:
        if self._writer is None:
            raise StoreUnavailable("read_only")
        return self._writer


def open_store(
    path: Path | str,
    *,
    read_only: bool = False,
    vfs: str | None = None,
    synchronous: str = "full",
    checkpoint_pages: int = CHECKPOINT_PAGES,
) -> SqliteStore:
    """Open the store at `path`, making and migrating it where needed; raises `StoreRefused` with a sentence that says what to do.

    `read_only` opens a file that another process may be writing. `vfs` names a registered file layer of apsw. `synchronous` is full or
    normal; with normal, a power cut can lose what was acknowledged. The log is copied into the file after `checkpoint_pages` pages.
    """
    file = Path(path).absolute()
    if read_only:
        return _open_reading(file, vfs)
    lock = files.take(file)
    try:
        writer = Writer(_open_writing(file, vfs, synchronous), lambda: connections.open_writer(file, vfs, synchronous), checkpoint_pages)
    except BaseException:
        files.release(lock)
        raise
    readers = Readers(lambda: connections.open_reader(file, vfs, read_only=False), READERS)
    return SqliteStore(writer, readers, lock)


def _open_writing(file: Path, vfs: str | None, synchronous: str) -> apsw.Connection:
    try:
        connection = connections.open_writer(file, vfs, synchronous)
        try:
            migrate.migrate(connection, file, migrate.steps())
        except BaseException:
            connection.close()
            raise
    except apsw.Error as error:
        raise _refused(file, error) from error
    return connection


def _open_reading(file: Path, vfs: str | None) -> SqliteStore:
    if not file.is_file():
        raise StoreRefused("bad_folder", f"There is no store in {file.parent}. Start the gateway once, or name its folder with --data.")
    try:
        connection = connections.open_reader(file, vfs, read_only=True)
        try:
            migrate.check(connection, file, migrate.steps())
        finally:
            connection.close()
    except apsw.Error as error:
        raise _refused(file, error) from error
    return SqliteStore(None, Readers(lambda: connections.open_reader(file, vfs, read_only=True), 1), None)


def _refused(file: Path, error: apsw.Error) -> StoreRefused:
    code = connections.code_of(error)
    if code == "damaged":
        return StoreRefused("damaged", f"{file} is not a readable database. Restore a copy of it, or move it away to start empty.")
    if code == "disk_full":
        return StoreRefused("disk_full", f"There is no space left for {file}. Free some, or choose another folder with --data.")
    if code == "busy":
        return StoreRefused("in_use", f"{file} is locked by another program. Stop that one, or choose another folder with --data.")
    return StoreRefused("read_only", f"{file} cannot be read and written ({error}). Check the folder's permissions and the disk.")
