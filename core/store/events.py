"""Statements over the event log: numbered without gaps within a conversation, and by one cursor over all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.store.api import Row, Tx
from core.store.conversations import Conversation
from core.store.documents import encode

_INSERT = "insert into event (conversation_id, seq, kind, at, ref, body) values (?, ?, ?, ?, ?, ?)"


def append(tx: Tx, conversation: Conversation, kind: str, at: int, *, ref: str | None = None, body: Mapping[str, Any] | None = None) -> int:
    """Append one event and return its number within the conversation; the caller saves the conversation."""
    conversation.seq = seq = conversation.seq + 1
    tx.execute(_INSERT, (conversation.id, seq, kind, at, ref, None if body is None else encode(body)))
    return seq


def after(tx: Tx, cursor: int, limit: int) -> list[Row]:
    """Return up to `limit` events beyond a cursor: cursor, conversation_id, seq, kind, at, ref, body."""
    return tx.all(
        "select cursor, conversation_id, seq, kind, at, ref, body from event where cursor > ? order by cursor limit ?", (cursor, limit)
    )


def head(tx: Tx) -> int:
    """Return the cursor of the newest event, 0 if there is none."""
    row = tx.one("select max(cursor) from event")
    return 0 if row is None or row[0] is None else int(row[0])
