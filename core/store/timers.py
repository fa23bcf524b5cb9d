"""Statements over timers: due times as rows, one of a kind for each conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.store.api import Row, Tx
from core.store.documents import encode


def set_one(tx: Tx, conversation_id: str, kind: str, due_at: int, payload: Mapping[str, Any], interaction_id: str | None) -> None:
    """Set a timer; an earlier one of the same kind is replaced."""
    tx.execute(
        "insert into timer (conversation_id, kind, due_at, payload, interaction_id) values (?, ?, ?, ?, ?)"
        " on conflict (conversation_id, kind) do update set due_at = excluded.due_at, payload = excluded.payload,"
        " interaction_id = excluded.interaction_id",
        (conversation_id, kind, due_at, encode(payload), interaction_id),
    )


def cancel(tx: Tx, conversation_id: str, kind: str) -> None:
    """Forget a timer."""
    tx.execute("delete from timer where conversation_id = ? and kind = ?", (conversation_id, kind))


def take(tx: Tx, conversation_id: str, kind: str, now: int) -> Row | None:
    """Take a timer that is due out of the table: payload, interaction_id; None if another was quicker or it was moved."""
    row = tx.one(
        "select payload, interaction_id from timer where conversation_id = ? and kind = ? and due_at <= ?", (conversation_id, kind, now)
    )
    if row is not None:
        cancel(tx, conversation_id, kind)
    return row


def due(tx: Tx, now: int, limit: int) -> list[Row]:
    """Return timers that are due: conversation_id, kind."""
    return tx.all("select conversation_id, kind from timer where due_at <= ? order by due_at limit ?", (now, limit))


def next_due(tx: Tx) -> int | None:
    """Return when the next timer is due, ms UTC, or None."""
    row = tx.one("select min(due_at) from timer")
    return None if row is None else row[0]
