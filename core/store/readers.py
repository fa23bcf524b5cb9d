"""Threads that read: each has a connection that cannot write, and runs each unit on one snapshot."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

import apsw

from core.store.api import StoreUnavailable
from core.store.connection import OUTAGES, SqliteTx, code_of
from core.store.waiters import Job, Outcome, settle

_log = logging.getLogger("parley.store")


class Readers:
    """`count` threads that share a queue. `open_connection` is called once a thread, and again after an error of the file."""

    def __init__(self, open_connection: Callable[[], apsw.Connection], count: int) -> None:
        self._open_connection = open_connection
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._threads = [threading.Thread(target=self._run, name=f"store-reader-{n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, job: Job) -> None:
        """Queue a job; raises `StoreUnavailable` (closed)."""
        with self._gate:
            if self._closed:
                raise StoreUnavailable("closed")
            self._queue.put(job)

    def close(self) -> None:
        """Finish what is queued and close the connections."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            for _ in self._threads:
                self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        connection: apsw.Connection | None = None
        while (job := self._queue.get()) is not None:
            try:
                connection = connection or self._open_connection()
                outcome = _read(connection, job)
            except OUTAGES as error:
                outcome = Outcome(job, None, StoreUnavailable(code_of(error), type(error).__name__))
                _drop(connection)
                connection = None
            settle([outcome])
        _drop(connection)


def _read(connection: apsw.Connection, job: Job) -> Outcome:
    tx = SqliteTx(connection)
    tx.execute("begin")
    try:
        return Outcome(job, job.unit(tx), None)
    except OUTAGES:
        raise
    except BaseException as error:  # noqa: BLE001 - it belongs to the waiter of this unit
        return Outcome(job, None, error)
    finally:
        if connection.in_transaction:
            tx.execute("rollback")  # by the unit's own cursor: a row that it left unread would keep the snapshot for those who come later


def _drop(connection: apsw.Connection | None) -> None:
    if connection is not None:
        try:
            connection.close()
        except apsw.Error as error:
            _log.error("a reading connection was not closed cleanly: %s", type(error).__name__)
