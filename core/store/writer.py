"""The one thread that writes: it owns the only writing connection and every checkpoint.

Group commit: whatever waits is taken as one batch, one commit makes all of it durable, and only then does any waiter hear of it. A unit
that fails rolls back alone. There is no timer; the next batch forms while the disk is busy with this one.
It does not know what units do.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

import apsw

from core.crash import point
from core.store.api import StoreUnavailable
from core.store.connection import OUTAGES, SqliteTx, code_of
from core.store.waiters import Job, Outcome, settle

WAITING_MAX = 10_000
BATCH_MAX = 256
# 131 MB of write-ahead log. Copying it into the database holds all turns up, so it is done less often than once for 6,400 turns, a hundred
# times as many as the bench has under way. A page that changed often is copied once, so a longer log also costs less in all.
CHECKPOINT_PAGES = 32_000
IDLE_S = 1.0

_log = logging.getLogger("parley.store")


class Writer:
    """A thread, a queue and a connection. `open_connection` is called again after a failed read, write or sync of the file."""

    def __init__(self, connection: apsw.Connection, open_connection: Callable[[], apsw.Connection], checkpoint_pages: int) -> None:
        self._open_connection = open_connection
        self._checkpoint_pages = checkpoint_pages
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._gate = threading.Lock()  # no job may enter the queue behind the end mark
        self._closed = False
        self._wal_pages = 0
        self._checkpointed_pages = 0
        self._suspect = False
        self._failing = False
        self._use(connection)
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Units that wait for the writer."""
        return self._queue.qsize()

    def submit(self, job: Job) -> None:
        """Queue a job; raises `StoreUnavailable` (closed, overloaded)."""
        with self._gate:
            if self._closed:
                raise StoreUnavailable("closed")
            if self._queue.qsize() >= WAITING_MAX:
                raise StoreUnavailable("overloaded", f"{WAITING_MAX} units wait")
            self._queue.put(job)

    def close(self) -> None:
        """Finish what is queued, checkpoint and close the connection."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        running = True
        while running:
            batch, running = self._take()
            if batch:
                settle(self._perform(batch))
            grown = self._wal_pages - self._checkpointed_pages
            if grown >= self._checkpoint_pages or (grown and not batch):
                self._checkpoint()
        try:
            self._connection.close()
        except apsw.Error as error:
            _log.error("the file was not closed cleanly, its log keeps everything: %s", type(error).__name__)

    def _take(self) -> tuple[list[Job], bool]:
        """Wait for work and take all there is; say whether to go on. An empty batch means that nothing came for a while."""
        try:
            job = self._queue.get(timeout=None if self._wal_pages == self._checkpointed_pages else IDLE_S)
        except Empty:
            return [], True
        batch: list[Job] = []
        while job is not None:
            batch.append(job)
            if len(batch) == BATCH_MAX or self._queue.empty():
                return batch, True
            job = self._queue.get_nowait()
        return batch, False

    def _perform(self, batch: list[Job]) -> list[Outcome]:
        try:
            if self._suspect:
                self._replace()
            outcomes = self._run_units(batch)
            point("store.before_commit")
            self._command("commit")
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing of the batch was kept, and every waiter has to hear that
            self._give_up(error)
            code, detail = code_of(error), type(error).__name__
            return [Outcome(job, None, StoreUnavailable(code, detail)) for job in batch]
        point("store.after_commit")
        if self._failing:
            self._failing = False
            _log.warning("the store takes writes again")
        return outcomes

    def _run_units(self, batch: list[Job]) -> list[Outcome]:
        """Run the units in turn. Hardly one ever fails, so savepoints, which copy every page that changes, wait until one does."""
        tx = self._tx
        self._command("begin immediate")
        try:
            return [Outcome(job, job.unit(tx), None) for job in batch]
        except OUTAGES:
            raise
        except BaseException as error:  # noqa: BLE001 - it belongs to the waiter of one of these units
            self._command("rollback")
            if len(batch) == 1:
                self._command("begin immediate")
                return [Outcome(batch[0], None, error)]
        return self._run_apart(batch)

    def _run_apart(self, batch: list[Job]) -> list[Outcome]:
        """Run each unit in a savepoint, so that one that fails leaves the others as they are."""
        command, tx = self._command, self._tx
        outcomes = []
        command("begin immediate")
        for job in batch:
            command("savepoint unit")
            try:
                outcomes.append(Outcome(job, job.unit(tx), None))
            except OUTAGES:
                raise
            except BaseException as error:  # noqa: BLE001 - it belongs to the waiter of this unit
                command("rollback to unit")
                outcomes.append(Outcome(job, None, error))
            command("release unit")
        return outcomes

    def _use(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._tx = SqliteTx(connection)
        self._command = self._tx.execute  # the units' own cursor: what a unit left unread on it would keep checkpoints out
        self._wal_pages = self._checkpointed_pages = 0
        connection.set_wal_hook(self._on_commit)

    def _replace(self) -> None:
        # The old one is closed second: while it is open, nobody takes the log's failed end for a commit.
        old = self._connection
        self._use(self._open_connection())
        self._suspect = False
        old.close()

    def _on_commit(self, _connection: apsw.Connection, _schema: str, pages: int) -> int:
        if pages < self._checkpointed_pages:  # SQLite has started the log from its beginning again
            self._checkpointed_pages = 0
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _give_up(self, error: Exception) -> None:
        """Undo the batch; after an error of the file, believe nothing that the connection holds in memory."""
        if not self._failing:
            self._failing = True
            _log.error("the store takes no writes, it tries with each that comes: %s", code_of(error), exc_info=error)
        self._suspect = self._suspect or code_of(error) != "disk_full"
        try:
            if self._connection.in_transaction:
                self._connection.execute("rollback").fetchall()
        except apsw.Error as second:
            _log.error("and it was not undone cleanly, so the connection is given up: %s", type(second).__name__)
            self._suspect = True
            self._connection.close(True)

    def _checkpoint(self) -> None:
        """Copy the log into the database; where that fails, the log keeps everything, and it is tried again when it has grown."""
        self._checkpointed_pages = self._wal_pages
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error as error:
            _log.error("the log was not copied into the database: %s", type(error).__name__)
            self._suspect = self._suspect or code_of(error) != "busy"
