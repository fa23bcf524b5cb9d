"""Fills a store with customers and their history, by SQL alone: a million of them would take a day to come in by the front door.

What it writes keeps every invariant of the record, as `parley check` shows. Only for stores that are measured and thrown away.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apsw

from core.store.sqlite import open_store

LOADED_AT = 1_700_000_000_000
_MESSAGES_AT_ONCE = 50_000
_LOAD = Path(__file__).with_name("load_customers.sql").read_text(encoding="utf-8")
_QUEUE = Path(__file__).with_name("queue_customers.sql").read_text(encoding="utf-8")


def fill(path: Path, first: int, customers: int, messages: int, *, progress: Callable[[int], None] = lambda _done: None) -> None:
    """Add `customers`, numbered from `first`, each with `messages` said; nothing else may have the store open."""
    open_store(path).close()
    connection = apsw.Connection(str(path))
    try:
        # A crash would leave a broken file, which is thrown away like every other.
        for pragma in ("journal_mode = off", "synchronous = off", "cache_size = -400000", "locking_mode = exclusive"):
            connection.execute(f"pragma {pragma}").fetchall()
        step = max(1, _MESSAGES_AT_ONCE // messages)
        for begin in range(first, first + customers, step):
            end = min(begin + step, first + customers)
            _run(connection, _LOAD, {"first": begin, "end": end, "messages": messages, "at": LOADED_AT})
            progress(end - first)
        connection.execute("pragma journal_mode = wal").fetchall()
    finally:
        connection.close()


def queue(path: Path, first: int, customers: int) -> None:
    """Let loaded customers wait for an agent; nothing else may have the store open."""
    connection = apsw.Connection(str(path))
    try:
        _run(connection, _QUEUE, {"first": first, "end": first + customers, "at": LOADED_AT})
    finally:
        connection.close()


def _run(connection: apsw.Connection, script: str, values: dict[str, int]) -> None:
    connection.execute("begin").fetchall()
    connection.execute(script, values).fetchall()
    connection.execute("commit").fetchall()
