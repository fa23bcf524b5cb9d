"""Limits of one-time codes beyond a single code and number: for who guesses on and on, for a range of numbers, and for a whole day.

Who is paid for messages to numbers of theirs has them sent there and never types one in; so where few codes of a range come back, none is
sent to that range for an hour. A lock ends only by a person. Must not make or check codes.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.store import conversations
from core.store.api import Tx
from core.store.events import append

FAILURES_MAX = 100  # one after the other, over however long a time
STOP_MS = 3_600_000
DAY_MS = 24 * 3_600_000
RANGE_DIGITS = 4  # the last ones of a number, which its range leaves open
SENT_MIN = 50
TYPED_LEAST = 0.2
_ALL = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """No code is sent to numbers that begin with `range`, all of them if it is empty, until a time, ms UTC. `new`: it begins now."""

    range: str
    until: int
    new: bool = False


def stopped(tx: Tx, number: str, most_a_day: int, at: int) -> Stop | None:
    """Return what keeps a code from being sent to a number now, None if nothing does."""
    return _range_stopped(tx, number[:-RANGE_DIGITS], at) or _day_stopped(tx, most_a_day, at)


def _range_stopped(tx: Tx, beginning: str, at: int) -> Stop | None:
    until = _until(tx, beginning)
    if at < until:
        return Stop(beginning, until)
    sent = tx.all(
        "select used_at from one_time_code where address >= ? and address < ? and created_at > ? order by created_at desc limit ?",
        (beginning, f"{beginning}:", max(at - DAY_MS, until), SENT_MIN),
    )
    typed = sum(used_at is not None for (used_at,) in sent)
    return _begin(tx, beginning, at) if len(sent) >= SENT_MIN and typed < TYPED_LEAST * SENT_MIN else None


def _day_stopped(tx: Tx, most: int, at: int) -> Stop | None:
    until = _until(tx, _ALL)
    if at < until:
        return Stop(_ALL, until)
    sent = tx.one("select count(*) from one_time_code where created_at > ?", (at - DAY_MS,))
    return _begin(tx, _ALL, at) if sent is not None and sent[0] >= most else None


def _begin(tx: Tx, beginning: str, at: int) -> Stop:
    until = at + STOP_MS
    tx.execute(
        "insert into code_stop (range, until) values (?, ?) on conflict (range) do update set until = excluded.until", (beginning, until)
    )
    return Stop(beginning, until, new=True)


def _until(tx: Tx, beginning: str) -> int:
    row = tx.one("select until from code_stop where range = ?", (beginning,))
    return 0 if row is None else int(row[0])


def stops(tx: Tx, at: int) -> list[Stop]:
    """Return the ranges to which no code is sent now."""
    return [Stop(*row) for row in tx.all("select range, until from code_stop where until > ? order by range", (at,))]


def locked_at(tx: Tx, party_id: str) -> int | None:
    """Return since when a party gets no codes and none of theirs counts, ms UTC; None if they are not locked."""
    row = tx.one("select locked_at from code_lock where party_id = ?", (party_id,))
    return None if row is None else row[0]


def failed(tx: Tx, party_id: str, at: int) -> None:
    """Count a wrong code; the hundredth in a row locks, whatever codes come in between."""
    tx.execute(
        "insert into code_lock (party_id, failures) values (?, 1) on conflict (party_id) do update set failures = code_lock.failures + 1",
        (party_id,),
    )
    tx.execute(
        "update code_lock set locked_at = ? where party_id = ? and failures >= ? and locked_at is null", (at, party_id, FAILURES_MAX)
    )


def succeeded(tx: Tx, party_id: str) -> None:
    """Forget the wrong codes before a right one."""
    tx.execute("delete from code_lock where party_id = ? and locked_at is null", (party_id,))


def unlock(tx: Tx, party_id: str, by: str, at: int) -> bool:
    """Let a party have codes again; False if they were not locked."""
    if not tx.execute("delete from code_lock where party_id = ? and locked_at is not null", (party_id,)):
        return False
    conversation = conversations.of_party(tx, party_id)
    append(tx, conversation, "codes.unlocked", at, body={"by": by})
    conversations.save(tx, conversation)
    return True
