"""Statements over messages: everything that was said, in either direction, by whomever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.model.inbound import Media
from core.model.outbound import Choice, Reply
from core.store.api import Row, Tx
from core.store.documents import decode, encode

COLUMNS = (
    "id, conversation_id, seq, interaction_id, channel_id, address, direction, author, agent_id, text, content, status, created_at, number"
)
FIELDS = tuple(COLUMNS.replace(" ", "").split(","))
_INSERT = (
    "insert into message (id, conversation_id, seq, interaction_id, channel_id, address, direction, author, agent_id, text, content,"
    " status, created_at, cause_id, number) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def insert(tx: Tx, values: Sequence[Any]) -> None:
    """Insert one message; values in the order of the table."""
    tx.execute(_INSERT, values)


def next_number(tx: Tx, address_kind: str, address: str) -> int:
    """Return the next number for a client that reads the record itself; without gaps for each address."""
    tx.execute(
        "update contact_medium set last_number = last_number + 1 where kind = ? and value = ? and valid_to is null", (address_kind, address)
    )
    row = tx.one("select last_number from contact_medium where kind = ? and value = ? and valid_to is null", (address_kind, address))
    if row is None:
        raise KeyError(address)
    return int(row[0])


def after_number(tx: Tx, address: str, number: int, limit: int) -> list[dict[str, Any]]:
    """Return messages for a pulling client beyond the number that it has."""
    rows = tx.all(f"select {COLUMNS} from message where address = ? and number > ? order by number limit ?", (address, number, limit))  # noqa: S608
    return [document(row) for row in rows]


def latest_of_conversations(tx: Tx, conversation_ids: Sequence[str], limit: int) -> list[dict[str, Any]]:
    """Return the newest messages of some conversations, oldest first."""
    marks = ", ".join("?" * len(conversation_ids))
    rows = tx.all(
        f"select {COLUMNS} from message where conversation_id in ({marks}) order by created_at desc, seq desc limit ?",  # noqa: S608
        (*conversation_ids, limit),
    )
    return [document(row) for row in reversed(rows)]


def heard_at(tx: Tx, conversation_id: str, channel_id: str, address: str) -> int | None:
    """Return when a person last wrote from an address to a channel, ms UTC; None if they never did."""
    row = tx.one(
        "select created_at from message where conversation_id = ? and channel_id = ? and address = ? and direction = 'inbound'"
        " order by seq desc limit 1",
        (conversation_id, channel_id, address),
    )
    return None if row is None else int(row[0])


def document(row: Row) -> dict[str, Any]:
    """Return a row of `COLUMNS` as a document; `content` is decoded."""
    made = dict(zip(FIELDS, row, strict=True))
    made["content"] = decode(made["content"]) if made["content"] else {}
    return made


def content_of(reply: Reply) -> str | None:
    """Return what a reply has besides text, as JSON, or None."""
    content: dict[str, Any] = {}
    if reply.choices:
        content["choices"] = [[choice.key, choice.label, choice.token] for choice in reply.choices]
    if reply.media:
        content["media"] = media_documents(reply.media)
    if reply.ends_session:
        content["ends_session"] = True
    if reply.transfer is not None:
        content["transfer"] = reply.transfer
    if reply.asks_number:
        content["asks_number"] = reply.asks_number
    return encode(content) if content else None


def media_documents(media: Sequence[Media]) -> list[dict[str, Any]]:
    """Return media references as documents."""
    return [
        {
            "kind": item.kind,
            "url": item.url,
            "content_type": item.content_type,
            "caption": item.caption,
            "name": item.name,
            "values": dict(item.values),
        }
        for item in media
    ]


def reply_of(text: str, content: str | None) -> Reply:
    """Return a stored outbound message as the reply that it was made of."""
    if not content:
        return Reply(text)
    stored = decode(content)
    return Reply(
        text,
        choices=tuple(Choice(*choice) for choice in stored.get("choices", ())),
        media=tuple(Media(**item) for item in stored.get("media", ())),
        ends_session=bool(stored.get("ends_session")),
        transfer=stored.get("transfer"),
        asks_number=stored.get("asks_number", ""),
    )
