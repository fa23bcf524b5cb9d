"""One SQLite connection as the store needs it: settings that were read back, a transaction over it, and what its errors mean.

It knows nothing of threads, queues or migrations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import apsw

from core.store.api import Row

STATEMENTS_CACHED = 512  # apsw's own upper limit
BUSY_MS = 5_000
_JOURNAL_SIZE_LIMIT = 160 * 1024 * 1024  # above what the log grows to between two copies, so that it is written over and not made anew
_SYNCHRONOUS = {"normal": 1, "full": 2}

_COMMON = {"busy_timeout": BUSY_MS, "trusted_schema": 0, "temp_store": 2}
_READING = {"query_only": 1, "cache_size": -16_384}

# Errors that say something about the file or the machine, not about the unit of work that met them.
OUTAGES = (
    apsw.FullError,
    apsw.IOError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.CantOpenError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.NoMemError,
    apsw.ProtocolError,
)
_CODES: tuple[tuple[type[Exception], str], ...] = (
    (apsw.FullError, "disk_full"),
    (apsw.CorruptError, "damaged"),
    (apsw.NotADBError, "damaged"),
    (apsw.BusyError, "busy"),
    (apsw.LockedError, "busy"),
)


def code_of(error: BaseException) -> str:
    """Return the `StoreUnavailable` code for an error of the database."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), "io_error")


def open_writer(path: Path, vfs: str | None, synchronous: str) -> apsw.Connection:
    """Open the one connection that writes, in WAL mode and with checkpoints left to the caller; raises `apsw.Error`.

    What a process that died, or a failed sync, left in the log may be readable without being on the disk. So the log is copied into the
    database, and that is synced, before anything is read or built upon it.
    """
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(str(path), flags, vfs, STATEMENTS_CACHED)
    try:
        _set(connection, "journal_mode", "wal")
        own = {
            "synchronous": _SYNCHRONOUS[synchronous],
            "wal_autocheckpoint": 0,
            "foreign_keys": 1,
            "cache_size": -65_536,
            "journal_size_limit": _JOURNAL_SIZE_LIMIT,
        }
        _stable_plans(connection)
        for name, value in (_COMMON | own).items():
            _set(connection, name, value)
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path, vfs: str | None, *, read_only: bool) -> apsw.Connection:
    """Open a connection that cannot write; `read_only` also keeps the file itself from being opened for writing. Raises `apsw.Error`."""
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE
    connection = apsw.Connection(str(path), flags, vfs, STATEMENTS_CACHED)
    try:
        _stable_plans(connection)
        for name, value in (_COMMON | _READING).items():
            _set(connection, name, value)
    except BaseException:
        connection.close()
        raise
    return connection


def _stable_plans(connection: apsw.Connection) -> None:
    # Without it a statement whose plan depends on a partial index is prepared anew for each set of values: 30 us instead of 3.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)


def _set(connection: apsw.Connection, name: str, value: int | str) -> None:
    # Each in its own call: of several statements in one string only those before the first row would run.
    connection.execute(f"pragma {name} = {value}").fetchall()
    actual = connection.execute(f"pragma {name}").fetchall()
    if actual != [(value,)]:
        message = f"pragma {name} is {actual}, not {value}"
        raise apsw.SQLError(message)


class SqliteTx:
    """A transaction on one cursor. A statement is finished, or reset by the next one, so none stays open behind a commit."""

    __slots__ = ("_changes", "_cursor", "_run")

    def __init__(self, connection: apsw.Connection) -> None:
        self._cursor = connection.cursor()
        self._run = self._cursor.execute
        self._changes = connection.changes

    def execute(self, sql: str, args: Sequence[Any] = ()) -> int:
        """Run a statement; return the number of rows it changed."""
        self._run(sql, args)
        return self._changes()

    def one(self, sql: str, args: Sequence[Any] = ()) -> Row | None:
        """Return the first row, or None."""
        return self._run(sql, args).fetchone()

    def all(self, sql: str, args: Sequence[Any] = ()) -> list[Row]:
        """Return every row."""
        return self._run(sql, args).fetchall()

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of values."""
        self._cursor.executemany(sql, rows)
