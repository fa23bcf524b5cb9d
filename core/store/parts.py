"""Statements over the parts of long messages that arrive one by one, each acknowledged by itself, until the message can be recorded.

Must not know how a network numbers parts, or what is in them.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.store.api import Tx


@dataclass(frozen=True, slots=True)
class KeptPart:
    """One part of a long message as it arrived; `received_at` in ms UTC."""

    number: int
    total: int
    raw: str
    received_at: int


def keep_part(tx: Tx, channel_id: str, series: str, number: int, total: int, *, digest: str, raw: str, at: int) -> bool:
    """Keep a part until its series is whole; one that came before is kept once. False if another text has its place: it stands alone."""
    row = tx.one(
        "select digest, done_at from message_part where channel_id = ? and series = ? and number = ?", (channel_id, series, number)
    )
    if row is not None and row[0] == digest:
        return True
    if row is not None and row[1] is None:
        return False
    if row is not None:  # the sender has begun a new series under a number of an old one
        tx.execute("delete from message_part where channel_id = ? and series = ? and done_at is not null", (channel_id, series))
    tx.execute(
        "insert into message_part (channel_id, series, number, total, digest, raw, received_at) values (?, ?, ?, ?, ?, ?, ?)",
        (channel_id, series, number, total, digest, raw, at),
    )
    return True


def waiting_parts(tx: Tx, channel_id: str, series: str) -> list[KeptPart]:
    """Return the parts of a series that wait for the others, in the order of the text; none once it is done."""
    rows = tx.all(
        "select number, total, raw, received_at from message_part where channel_id = ? and series = ? and done_at is null order by number",
        (channel_id, series),
    )
    return [KeptPart(*row) for row in rows]


def waiting_series(tx: Tx, channel_id: str) -> list[str]:
    """Return the series of which a part waits."""
    rows = tx.all("select distinct series from message_part where channel_id = ? and done_at is null", (channel_id,))
    return [row[0] for row in rows]


def end_series(tx: Tx, channel_id: str, series: str, at: int) -> None:
    """Note that the message of a series is recorded; its texts go, what remains tells a repeated part from a new one."""
    tx.execute(
        "update message_part set done_at = ?, raw = '' where channel_id = ? and series = ? and done_at is null", (at, channel_id, series)
    )


def forget_series(tx: Tx, channel_id: str, before: int) -> None:
    """Remove the series that were done before a time, ms UTC."""
    tx.execute("delete from message_part where channel_id = ? and done_at < ?", (channel_id, before))
