"""Statements over interactions: opened, continued, closed, never reopened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.model.address import Address
from core.model.channel import Channel
from core.store.api import Row, Tx
from core.store.conversations import Conversation
from core.store.events import append

COLUMNS = (
    "id, conversation_id, party_id, channel_id, media_type, service_number, address_kind, address, direction, contact_type, reason,"
    " remark, status, close_reason, disposition, operator, department, previous_id, opened_at, last_at, closed_at"
)
FIELDS = tuple(COLUMNS.replace(" ", "").split(","))


def open_one(
    tx: Tx,
    conversation: Conversation,
    interaction_id: str,
    *,
    channel: Channel,
    address: Address,
    direction: str,
    contact_type: str,
    at: int,
) -> None:
    """Open an interaction, linked to the latest one of the conversation."""
    previous = tx.one("select id from interaction where conversation_id = ? order by opened_at desc limit 1", (conversation.id,))
    tx.execute(
        "insert into interaction (id, conversation_id, party_id, channel_id, media_type, service_number, address_kind, address, direction,"
        " contact_type, previous_id, opened_at, last_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            interaction_id,
            conversation.id,
            conversation.party_id,
            channel.id,
            channel.capabilities.family.value,
            channel.address.value,
            address.kind.value,
            address.value,
            direction,
            contact_type,
            None if previous is None else previous[0],
            at,
            at,
        ),
    )
    append(tx, conversation, "interaction.opened", at, ref=interaction_id)


def open_of(tx: Tx, conversation_id: str, channel_id: str, address: str) -> tuple[str, int] | None:
    """Return the open interaction of a conversation with an address on a channel, and the time of its latest word; None if none is open."""
    row = tx.one(
        "select id, last_at from interaction where conversation_id = ? and channel_id = ? and address = ? and status = 'open'",
        (conversation_id, channel_id, address),
    )
    return None if row is None else (row[0], row[1])


def touch(tx: Tx, interaction_id: str, at: int) -> None:
    """Note the time of the latest word in an interaction."""
    tx.execute("update interaction set last_at = ? where id = ?", (at, interaction_id))


def set_reason(tx: Tx, interaction_id: str, reason: str) -> None:
    """Say what the contact is about, unless that is known."""
    tx.execute("update interaction set reason = ? where id = ? and reason is null", (reason, interaction_id))


def close_one(
    tx: Tx,
    conversation: Conversation,
    interaction_id: str,
    *,
    reason: str,
    at: int,
    disposition: str | None = None,
    remark: str | None = None,
) -> bool:
    """Close an interaction for good; False if it was closed before."""
    changed = tx.execute(
        "update interaction set status = 'closed', close_reason = ?, disposition = coalesce(?, disposition), remark = coalesce(?, remark),"
        " closed_at = ?, last_at = ? where id = ? and status = 'open'",
        (reason, disposition, remark, at, at, interaction_id),
    )
    if changed:
        tx.execute("delete from timer where conversation_id = ? and kind = ?", (conversation.id, f"close:{interaction_id}"))
        append(tx, conversation, "interaction.closed", at, ref=interaction_id, body={"reason": reason})
    return bool(changed)


def get(tx: Tx, interaction_id: str) -> dict[str, Any] | None:
    """Return an interaction as a document, or None."""
    row = tx.one(f"select {COLUMNS} from interaction where id = ?", (interaction_id,))  # noqa: S608
    return None if row is None else document(row)


def document(row: Row) -> dict[str, Any]:
    """Return a row of `COLUMNS` as a document."""
    return dict(zip(FIELDS, row, strict=True))


def latest_of_conversations(tx: Tx, conversation_ids: Sequence[str], limit: int) -> list[dict[str, Any]]:
    """Return the newest interactions of some conversations."""
    marks = ", ".join("?" * len(conversation_ids))
    rows = tx.all(
        f"select {COLUMNS} from interaction where conversation_id in ({marks}) order by opened_at desc, id desc limit ?",  # noqa: S608
        (*conversation_ids, limit),
    )
    return [document(row) for row in rows]
