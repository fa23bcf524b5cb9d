"""Brings an SQLite file to the schema of this program, forward only, in one transaction.

The steps are the numbered SQL files of a folder. A file names the oldest program that can still work with its result in a
first line `-- oldest program: N`, where a program's number is that of its newest step; without the line it is the step's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import apsw

from core.store.api import StoreRefused

FOLDER = Path(__file__).with_name("migrations")
_OLDEST = re.compile(r"\A-- oldest program: (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Step:
    """One migration: the version that it makes, the oldest program that may open the result, its SQL."""

    version: int
    oldest_program: int
    sql: str


def steps(folder: Path = FOLDER) -> tuple[Step, ...]:
    """Return the migrations of `folder` in order; raises ValueError unless they are numbered from 1 without gaps."""
    found = []
    for file in sorted(folder.glob("*.sql")):
        sql = file.read_text(encoding="utf-8")
        version = int(file.name.partition("_")[0])
        oldest = _OLDEST.match(sql)
        found.append(Step(version, int(oldest[1]) if oldest else version, sql))
    if [step.version for step in found] != list(range(1, len(found) + 1)):
        message = f"migrations are not numbered without gaps: {[step.version for step in found]}"
        raise ValueError(message)
    return tuple(found)


def migrate(connection: apsw.Connection, path: Path, todo: tuple[Step, ...]) -> None:
    """Apply the steps that the file has not had yet, all or none; raises `StoreRefused` (newer_schema, damaged) and `apsw.Error`."""
    version = _version(connection, path)
    _check(connection, path, version, todo)
    with connection:
        for step in todo:
            if step.version > version:
                _apply(connection, step)


def check(connection: apsw.Connection, path: Path, known: tuple[Step, ...]) -> None:
    """Raise `StoreRefused` (newer_schema, older_schema, damaged) unless this program can read the file as it is."""
    version = _version(connection, path)
    _check(connection, path, version, known)
    if version < known[-1].version:
        text = f"{path} was written by an older Parley. Start the gateway once to bring it up to date."
        raise StoreRefused("older_schema", text)


def _version(connection: apsw.Connection, path: Path) -> int:
    tables = [name for (name,) in connection.execute("select name from sqlite_schema where type = 'table'").fetchall()]
    if not tables:
        return 0
    if "schema_version" not in tables:
        raise StoreRefused("damaged", f"{path} is a database of another program. Choose another folder with --data.")
    return _number(connection, "select version from schema_version")


def _check(connection: apsw.Connection, path: Path, version: int, known: tuple[Step, ...]) -> None:
    newest = known[-1].version
    if version <= newest:
        return
    if _number(connection, "select oldest_program from schema_version") > newest:
        text = (
            f"{path} was written by a newer Parley (schema {version}, this one knows {newest}). Install that one, or restore an older copy."
        )
        raise StoreRefused("newer_schema", text)


def _number(connection: apsw.Connection, sql: str) -> int:
    value = connection.execute(sql).fetchall()[0][0]
    if not isinstance(value, int):
        raise apsw.CorruptError("the schema version is not a number")
    return value


def _apply(connection: apsw.Connection, step: Step) -> None:
    if step.version == 1:
        connection.execute("create table schema_version (version integer not null, oldest_program integer not null)").fetchall()
        connection.execute("insert into schema_version values (0, 0)").fetchall()
    connection.execute(step.sql).fetchall()
    connection.execute("update schema_version set version = ?, oldest_program = ?", (step.version, step.oldest_program)).fetchall()
