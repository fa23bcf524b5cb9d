"""Statements over the journal of what arrived: each external id once, with the answer that was given."""

from __future__ import annotations

from dataclasses import dataclass

from core.model.outbound import Answer
from core.store.api import Tx


@dataclass(frozen=True, slots=True)
class Entry:
    """A journalled arrival; `answer` is None while it is not answered yet."""

    id: str
    conversation_id: str | None
    answer: Answer | None


def find(tx: Tx, channel_id: str, external_id: str) -> Entry | None:
    """Return the earlier arrival with this id, if there was one."""
    row = tx.one(
        "select id, conversation_id, answer_status, answer_type, answer from inbound where channel_id = ? and external_id = ?",
        (channel_id, external_id),
    )
    if row is None:
        return None
    return Entry(row[0], row[1], None if row[2] is None else Answer(row[2], row[3], bytes(row[4])))


def insert(
    tx: Tx, channel_id: str, external_id: str, entry_id: str, conversation_id: str | None, at: int, raw: str, answer: Answer | None
) -> None:
    """Journal an arrival with its answer."""
    status, kind, body = (None, None, None) if answer is None else (answer.status, answer.content_type, answer.body)
    tx.execute(
        "insert into inbound (channel_id, external_id, id, conversation_id, received_at, raw, answer_status, answer_type, answer)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (channel_id, external_id, entry_id, conversation_id, at, raw, status, kind, body),
    )


def raw_of(tx: Tx, channel_id: str, external_id: str) -> str | None:
    """Return how an arrival came, or the mask where it was a secret; None if there was none."""
    row = tx.one("select raw from inbound where channel_id = ? and external_id = ?", (channel_id, external_id))
    return None if row is None else str(row[0])


def set_answer(tx: Tx, channel_id: str, external_id: str, answer: Answer) -> None:
    """Keep the answer of an arrival that was journalled without one."""
    tx.execute(
        "update inbound set answer_status = ?, answer_type = ?, answer = ? where channel_id = ? and external_id = ?",
        (answer.status, answer.content_type, answer.body, channel_id, external_id),
    )


def keep_unreadable(tx: Tx, entry_id: str, channel_id: str, code: str, at: int, raw: bytes, request: str) -> None:
    """Keep an authenticated body that nobody could read, with the rest of its request as JSON; the same one is kept once."""
    tx.execute(
        "insert into unreadable (id, channel_id, code, received_at, raw, request) values (?, ?, ?, ?, ?, ?)"
        " on conflict (id) do update set again_at = null",
        (entry_id, channel_id, code, at, raw, request),
    )
