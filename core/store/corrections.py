"""Statements over messages that their writers corrected: which one a correction is about, and what both say of each other."""

from __future__ import annotations

from core.store.api import Tx
from core.store.documents import decode, encode

_LATEST = 100  # of a talk; what is older is not looked for


def find(tx: Tx, conversation_id: str, channel_id: str, edit_key: str) -> tuple[str, bool] | None:
    """Return the latest version of the message with this key, and whether the person has said nothing since; None if it is not known."""
    rows = tx.all(
        "select id, channel_id, content from message where conversation_id = ? and direction = 'inbound' order by seq desc limit ?",
        (conversation_id, _LATEST),
    )
    for place, (message_id, channel, content) in enumerate(rows):
        if channel == channel_id and content and decode(content).get("edit_key") == edit_key:
            return message_id, place == 0
    return None


def mark(tx: Tx, message_id: str, corrected_by: str) -> None:
    """Note in a message which one corrects it."""
    row = tx.one("select content from message where id = ?", (message_id,))
    content = decode(row[0]) if row is not None and row[0] else {}
    tx.execute("update message set content = ? where id = ?", (encode({**content, "corrected_by": corrected_by}), message_id))


def replace(tx: Tx, message_id: str, earlier: str) -> None:
    """Note in both messages that one of ours stands for an earlier one that could not be sent."""
    row = tx.one("select content from message where id = ?", (message_id,))
    content = decode(row[0]) if row is not None and row[0] else {}
    tx.execute("update message set content = ? where id = ?", (encode({**content, "corrects": earlier}), message_id))
    mark(tx, earlier, message_id)
