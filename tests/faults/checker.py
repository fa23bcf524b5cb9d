"""Compares what everybody outside remembers with the record, read by plain SQLite after the fact."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from core.reports.invariants import check
from core.store.connection import SqliteTx
from tests.faults.actors import History, Key, Provider


@dataclass(slots=True)
class Verdict:
    """`lost`: acknowledged, not in the record. `unexpected`: in the record, never sent. `doubled`: effects beyond one for one cause."""

    lost: list[Key] = field(default_factory=list)
    unexpected: list[Key] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unanswered: list[Key] = field(default_factory=list)
    broken: list[Any] = field(default_factory=list)
    repeated_sends: int = 0

    @property
    def wrong(self) -> list[Any]:
        return [*self.lost, *self.unexpected, *self.doubled, *self.unanswered, *self.broken]


def verdict(store: Path, history: History, provider: Provider) -> Verdict:
    """Judge one run after its end."""
    connection = apsw.Connection(str(store), apsw.SQLITE_OPEN_READONLY)
    try:
        tx = SqliteTx(connection)
        found = Verdict()
        seen: set[Key] = set(tx.all("select channel_id, external_id from inbound"))  # type: ignore[arg-type]
        reported = {("report", f"{sid}:{status}") for sid, status in tx.all("select external_id, status from delivery_report")}
        found.lost = sorted(history.acked.keys() - seen - reported)
        found.unexpected = sorted(key for key in seen - history.sent.keys() if not key[1].endswith(":end"))
        found.broken = [*check(tx), *(row for row in tx.all("pragma integrity_check") if row != ("ok",))]
        found.doubled = [*_recorded_twice(tx), *_paid_twice(tx)]
        found.unanswered = [key for key in sorted(history.acked) if key in seen and _answer_differs(tx, key, history.acked[key])]
        _check_sends(tx, provider.counts(), found)
        return found
    finally:
        connection.close()


def _recorded_twice(tx: SqliteTx) -> list[str]:
    twice = "select cause_id from message where direction = 'inbound' group by channel_id, cause_id having count(*) > 1"
    return [f"recorded twice: {row[0]}" for row in tx.all(twice)]


def _paid_twice(tx: SqliteTx) -> list[str]:
    twice = "select id from action where attempts > 1 and name not in ('action_top_up', 'action_buy_bundle') and state = 'running'"
    return [f"still running: {row[0]}" for row in tx.all(twice)]


def _answer_differs(tx: SqliteTx, key: Key, told: bytes) -> bool:
    row = tx.one("select answer from inbound where channel_id = ? and external_id = ?", key)
    return bool(told) and row is not None and row[0] is not None and bytes(row[0]) != told


def _check_sends(tx: SqliteTx, counts: Counter[str], found: Verdict) -> None:
    """A message is accepted once; or twice, where a send was cut off and the record says so."""
    ours = dict(tx.all("select message_id, attempts from outbox"))
    for message_id, times in counts.items():
        if message_id not in ours:
            found.doubled.append(f"sent without a row: {message_id}")
            continue
        unknown = tx.one("select count(*) from attempt where message_id = ? and outcome = 'unknown'", (message_id,)) or (0,)
        if times > 1 + unknown[0]:
            found.doubled.append(f"sent {times} times with {ours[message_id]} attempts: {message_id}")
        found.repeated_sends += times > 1
