"""Opening an SQLite store: private files, one process, clear sentences; and what it does to the disk."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from core.store import connection as connections
from core.store import migrate
from core.store.api import StoreRefused, StoreUnavailable, Tx
from core.store.sqlite import open_store
from tests.faults.disk import disk


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_and_every_file_are_private(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "data"
    old = os.umask(0)
    try:
        store = open_store(folder / "store.db")
        store.write_sync(lambda tx: tx.execute("create table t (id integer)"))
        store.read_sync(lambda tx: tx.all("select * from t"))
        assert mode(folder) == 0o700
        assert {file.name: mode(file) for file in folder.iterdir()} == dict.fromkeys(
            ("store.db", "store.db-wal", "store.db-shm", "store.db.lock"), 0o600
        )
    finally:
        os.umask(old)
        store.close()


def test_a_clean_end_leaves_one_file(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.db")
    store.write_sync(lambda tx: tx.execute("create table t (id integer)"))
    store.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["store.db", "store.db.lock"]


def test_a_second_process_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.db")
    program = f"from core.store.sqlite import open_store\nopen_store({str(tmp_path / 'store.db')!r})"
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert other.returncode != 0
    assert "is in use by another Parley process. Stop that one, or choose another folder with --data." in other.stderr
    with pytest.raises(StoreRefused) as refused:
        open_store(tmp_path / "store.db")
    assert refused.value.code == "in_use"
    store.write_sync(lambda tx: tx.execute("create table t (id integer)"))
    store.close()
    open_store(tmp_path / "store.db").close()


def test_reading_only_works_beside_a_writing_process_and_after_it(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.db")
    store.write_sync(lambda tx: tx.execute("create table t (id integer)"))
    reader = open_store(tmp_path / "store.db", read_only=True)
    store.write_sync(lambda tx: tx.execute("insert into t values (1)"))
    assert reader.read_sync(lambda tx: tx.all("select id from t")) == [(1,)]
    with pytest.raises(StoreUnavailable, match="read_only"):
        reader.write_sync(lambda tx: tx.execute("insert into t values (2)"))
    with pytest.raises(apsw.ReadOnlyError):
        reader.read_sync(lambda tx: tx.execute("insert into t values (2)"))
    store.close()
    assert reader.read_sync(lambda tx: tx.all("select id from t")) == [(1,)]
    reader.close()
    again = open_store(tmp_path / "store.db", read_only=True)
    assert again.read_sync(lambda tx: tx.all("select id from t")) == [(1,)]
    again.close()
    open_store(tmp_path / "store.db").close()


def test_reading_only_needs_a_store(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="Start the gateway once") as refused:
        open_store(tmp_path / "store.db", read_only=True)
    assert refused.value.code == "bad_folder"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to be taken for one" * 100, b"SQLite format 3\x00" + bytes(range(256)) * 32]
)
def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes, *, read_only: bool) -> None:
    file = tmp_path / "store.db"
    file.write_bytes(content)
    with pytest.raises(StoreRefused, match="Restore a copy") as refused:
        open_store(file, read_only=read_only)
    assert refused.value.code == "damaged"
    assert file.read_bytes() == content
    file.unlink()
    open_store(file).close()  # the lock was given back


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    connection = apsw.Connection(str(file))
    connection.execute("create table theirs (id integer)").fetchall()
    connection.close()
    with pytest.raises(StoreRefused, match="another program") as refused:
        open_store(file)
    assert refused.value.code == "damaged"


def test_a_folder_that_cannot_be_made_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreRefused, match=r"cannot be made .* Choose another one with --data\.") as refused:
        open_store(tmp_path / "file" / "data" / "store.db")
    assert refused.value.code == "bad_folder"


@pytest.fixture
def not_root() -> Iterator[None]:
    """Root may write anywhere; so where the tests run as root, this one runs as nobody."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield
    os.seteuid(user)


def test_a_folder_that_cannot_be_written_is_one_clear_sentence(not_root: None) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o555)
        with pytest.raises(
            StoreRefused, match=r"cannot be written to \(Permission denied\)\. Make it writable for this user, or"
        ) as refused:
            open_store(folder / "store.db")
        assert refused.value.code == "read_only"
        assert list(folder.iterdir()) == []
        folder.chmod(0o755)


def test_a_database_locked_by_another_program_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BUSY_MS", 1)
    monkeypatch.setitem(connections._COMMON, "busy_timeout", 1)
    open_store(tmp_path / "store.db").close()
    other = apsw.Connection(str(tmp_path / "store.db"))
    other.execute("pragma locking_mode = exclusive").fetchall()
    other.execute("begin exclusive").fetchall()
    with pytest.raises(StoreRefused, match="locked by another program") as refused:
        open_store(tmp_path / "store.db")
    assert refused.value.code == "in_use"
    other.close()


def test_a_setting_that_does_not_take_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(apsw.SQLError, match="synchronous"):
        connections._set(connections.open_writer(tmp_path / "store.db", None, "full"), "synchronous", 9)


def test_what_is_promised_is_set_on_the_writing_connection(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.db")

    def pragmas(tx: Tx) -> dict[str, object]:
        return {name: (tx.one(f"pragma {name}") or (None,))[0] for name in ("journal_mode", "synchronous", "foreign_keys", "query_only")}

    assert store.write_sync(pragmas) == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "query_only": 0}
    assert store.read_sync(pragmas)["query_only"] == 1
    store.close()


def test_many_waiters_share_one_sync(tmp_path: Path) -> None:
    with disk(f"group-{tmp_path.name}") as layer:
        store = open_store(tmp_path / "store.db", vfs=layer.name)
        store.write_sync(lambda tx: tx.execute("create table t (id integer)"))
        syncs = 0

        def watch(operation: str, _name: str) -> None:
            nonlocal syncs
            syncs += operation == "sync"

        layer.watch = watch

        async def load() -> None:
            await asyncio.gather(*(store.write(lambda tx: tx.execute("insert into t values (1)")) for _ in range(640)))

        asyncio.run(load())
        assert 1 <= syncs < 64
        store.close()


def test_the_log_does_not_grow_without_end(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.db", checkpoint_pages=50)
    store.write_sync(lambda tx: tx.execute("create table t (filling blob)"))
    for _ in range(300):
        store.write_sync(lambda tx: tx.execute("insert into t values (zeroblob(10000))"))
    assert (tmp_path / "store.db-wal").stat().st_size < 200 * 4_200  # the schema itself is more than half of that
    assert (tmp_path / "store.db").stat().st_size > 2_000_000
    store.close()


def test_a_read_that_failed_with_a_row_unread_leaves_no_old_snapshot_behind(tmp_path: Path) -> None:
    store = open_store(tmp_path / "parley.db")
    store.write_sync(lambda tx: tx.execute("create table plain (id integer primary key, value integer)"))
    store.write_sync(lambda tx: tx.many("insert into plain (value) values (?)", [(1,), (1,)]))

    def fails(tx: Tx) -> None:
        assert tx.one("select value from plain") == (1,)
        raise KeyError

    kept = []
    for _ in range(8):  # so that every reading thread had one
        with pytest.raises(KeyError) as failure:
            store.read_sync(fails)
        kept.append(failure)  # with its traceback, and with that the transaction
    store.write_sync(lambda tx: tx.execute("update plain set value = 2"))
    assert {store.read_sync(lambda tx: tx.one("select value from plain")) for _ in range(8)} == {(2,)}
    store.close()


class TestMigrations:
    def folder(self, tmp_path: Path, *texts: str) -> Path:
        folder = tmp_path / "steps"
        folder.mkdir(exist_ok=True)
        for number, text in enumerate(texts, 1):
            (folder / f"{number:04}_step.sql").write_text(text)
        return folder

    def connection(self, tmp_path: Path) -> apsw.Connection:
        return connections.open_writer(tmp_path / "store.db", None, "full")

    def version(self, connection: apsw.Connection) -> list[tuple[object, ...]]:
        return connection.execute("select version, oldest_program from schema_version").fetchall()

    def test_the_shipped_steps_make_the_tables(self, tmp_path: Path) -> None:
        store = open_store(tmp_path / "store.db")
        newest = migrate.steps()[-1].version
        assert store.read_sync(lambda tx: tx.one("select version from schema_version")) == (newest,)
        assert store.read_sync(lambda tx: tx.one("select count(*) from conversation")) == (0,)
        store.close()

    def test_steps_are_applied_once_and_in_order(self, tmp_path: Path) -> None:
        folder = self.folder(tmp_path, "create table a (x);\ninsert into a values (1);")
        connection = self.connection(tmp_path)
        migrate.migrate(connection, tmp_path, migrate.steps(folder))
        self.folder(tmp_path, "not read again", "-- oldest program: 1\nalter table a add column y;\nupdate a set y = x + 1;")
        two = migrate.steps(folder)
        migrate.migrate(connection, tmp_path, two)
        migrate.migrate(connection, tmp_path, two)
        assert connection.execute("select x, y from a").fetchall() == [(1, 2)]
        assert self.version(connection) == [(2, 1)]

    def test_a_failing_step_leaves_the_version_that_was_there_before(self, tmp_path: Path) -> None:
        first = "create table a (x);"
        connection = self.connection(tmp_path)
        migrate.migrate(connection, tmp_path, migrate.steps(self.folder(tmp_path, first)))
        more = self.folder(tmp_path, first, "create table b (x);", "create table c (x);\ncreate table a (x);")
        with pytest.raises(apsw.SQLError):
            migrate.migrate(connection, tmp_path, migrate.steps(more))
        assert self.version(connection) == [(1, 1)]
        assert connection.execute("select name from sqlite_schema where name in ('b', 'c')").fetchall() == []

    def test_a_newer_file_is_refused_unless_it_says_that_it_may_be_opened(self, tmp_path: Path) -> None:
        one = migrate.steps(self.folder(tmp_path, "create table a (x);"))
        two = migrate.steps(self.folder(tmp_path, "create table a (x);", "create table b (x);"))
        connection = self.connection(tmp_path)
        migrate.migrate(connection, tmp_path, two)
        for call in (migrate.migrate, migrate.check):
            with pytest.raises(StoreRefused, match="newer Parley") as refused:
                call(connection, tmp_path, one)
            assert refused.value.code == "newer_schema"
        connection.execute("update schema_version set oldest_program = 1").fetchall()
        migrate.migrate(connection, tmp_path, one)
        migrate.check(connection, tmp_path, one)
        assert self.version(connection) == [(2, 1)]

    def test_an_older_file_is_not_read_without_being_brought_up_to_date(self, tmp_path: Path) -> None:
        connection = self.connection(tmp_path)
        migrate.migrate(connection, tmp_path, migrate.steps(self.folder(tmp_path, "create table a (x);")))
        two = migrate.steps(self.folder(tmp_path, "create table a (x);", "create table b (x);"))
        with pytest.raises(StoreRefused, match="older Parley") as refused:
            migrate.check(connection, tmp_path, two)
        assert refused.value.code == "older_schema"

    def test_a_gap_in_the_numbers_is_a_mistake(self, tmp_path: Path) -> None:
        folder = self.folder(tmp_path, "create table a (x);", "create table b (x);")
        (folder / "0001_step.sql").unlink()
        with pytest.raises(ValueError, match="gaps"):
            migrate.steps(folder)
