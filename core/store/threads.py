"""Statements over what one visitor's window shows: the numbered messages of one address, and whether an answer is being prepared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from core.store.api import Row, Tx

_AFTER = (
    "select number, id, direction, author, text, content, status, created_at, cause_id, conversation_id"
    " from message where address = ? and number > ? order by number limit ?"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of a thread: `cause_id` of an inbound one is the external id it came with; `choices` are pairs of token and label.

    `media` are its attachments as documents.
    """

    number: int
    id: str
    direction: str
    author: str
    text: str
    choices: tuple[tuple[str, str], ...]
    status: str
    at: int
    cause_id: str
    conversation_id: str
    media: tuple[dict[str, Any], ...] = ()


def after(tx: Tx, address: str, number: int, limit: int) -> list[Entry]:
    """Return the messages of an address beyond `number`, in order."""
    return [_entry(row) for row in tx.all(_AFTER, (address, number, limit))]


def last_number(tx: Tx, address: str) -> int:
    """Return the number of the newest message of an address, 0 if there is none."""
    row = tx.one("select max(number) from message where address = ?", (address,))
    return int(row[0] or 0) if row else 0


def is_working(tx: Tx, conversation_id: str) -> bool:
    """Return whether an action of the conversation is running, so that an answer will follow."""
    return tx.one("select 1 from action where state = 'running' and conversation_id = ? limit 1", (conversation_id,)) is not None


def _entry(row: Row) -> Entry:
    number, message_id, direction, author, text, content, status, at, cause_id, conversation_id = row
    stored: dict[str, Any] = json.loads(content) if content else {}
    choices = tuple((token, label) for _, label, token in stored.get("choices", ()))
    return Entry(
        number, message_id, direction, author, text, choices, status, at, cause_id or "", conversation_id, tuple(stored.get("media", ()))
    )
