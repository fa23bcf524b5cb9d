"""The seam between use cases and databases.

A unit of work is a function of one `Tx`. It may run again after a failure, so it has no effect but its SQL.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Row = tuple[Any, ...]
Unit = Callable[["Tx"], T]


class Tx(Protocol):
    """One transaction: SQL with `?` placeholders, values in the order of the placeholders."""

    def execute(self, sql: str, args: Sequence[Any] = ()) -> int:
        """Run a statement; return the number of rows it changed."""
        ...

    def one(self, sql: str, args: Sequence[Any] = ()) -> Row | None:
        """Return the first row, or None."""
        ...

    def all(self, sql: str, args: Sequence[Any] = ()) -> list[Row]:
        """Return every row."""
        ...

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of values."""
        ...


class Store(Protocol):
    """A database. `write` returns only after the unit is durable; `read` sees one snapshot and cannot write."""

    def write(self, unit: Unit[T]) -> Awaitable[T]:
        """Run `unit` durably; raises what the unit raised (it alone is rolled back), or `StoreUnavailable`."""
        ...

    def read(self, unit: Unit[T]) -> Awaitable[T]:
        """Run `unit` on a read-only snapshot."""
        ...

    def close(self) -> None:
        """Finish what is queued, checkpoint, close; later calls raise `StoreUnavailable`."""
        ...


class StoreUnavailable(Exception):
    """The store cannot take a write or answer a read now; nothing of the unit was kept, and it may be run again.

    `code`: disk_full, io_error, damaged, busy, overloaded, closed, read_only.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


class StoreRefused(Exception):
    """The store cannot be opened; the text says what to do.

    `code`: in_use, read_only, newer_schema, older_schema, damaged, disk_full, bad_folder.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
