"""Statements over the outbox: messages that wait to be sent, each with its lease, its attempts and its fences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.model.address import Address
from core.store.api import Row, Tx
from core.store.conversations import Conversation

_INSERT = (
    "insert into outbox (message_id, conversation_id, channel_id, recipient_kind, recipient, state, on_unknown, owner_epoch, against_seq,"
    " due_at, expires_at, secret_text) values (?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?)"
)
_LIVE = "o.state in ('queued', 'retry_wait', 'sending', 'unknown')"
# The head of the line to one recipient: nothing that was queued earlier for the same person still waits or is on its way.
_HEAD = (
    "not exists (select 1 from outbox e where e.channel_id = o.channel_id and e.recipient = o.recipient"
    " and e.state in ('queued', 'retry_wait', 'sending', 'unknown') and e.position < o.position)"
)
_DUE = (
    "select o.message_id, o.conversation_id, o.channel_id, o.recipient_kind, o.recipient, o.state, o.on_unknown, o.owner_epoch,"  # noqa: S608
    " o.against_seq, o.attempts, o.expires_at, o.lease, o.secret_text, o.repeated, o.resent, o.external_id"
    f" from outbox o where o.channel_id = ? and o.attempts <= ? and {_LIVE} and o.due_at <= ? and {_HEAD} order by o.due_at limit ?"
)
_NEXT = (
    f"select o.due_at, o.recipient from outbox o where o.channel_id = ? and o.attempts <= ? and {_LIVE} and {_HEAD}"  # noqa: S608
    " order by o.due_at limit ?"
)
_ANY = 1 << 31


@dataclass(slots=True)
class Waiting:
    """One outbox row that is due."""

    message_id: str
    conversation_id: str
    channel_id: str
    recipient_kind: str
    recipient: str
    state: str
    on_unknown: str
    owner_epoch: int
    against_seq: int
    attempts: int
    expires_at: int
    lease: str | None
    secret_text: str | None
    repeated: int
    resent: int
    external_id: str | None


def queue(
    tx: Tx,
    *,
    message_id: str,
    conversation: Conversation,
    channel_id: str,
    recipient: Address,
    on_unknown: str,
    against_seq: int,
    at: int,
    expires_at: int,
    secret_text: str | None,
) -> None:
    """Queue a message for sending."""
    tx.execute(
        _INSERT,
        (
            message_id,
            conversation.id,
            channel_id,
            recipient.kind.value,
            recipient.value,
            on_unknown,
            conversation.owner_epoch,
            against_seq,
            at,
            expires_at,
            secret_text,
        ),
    )


def due(tx: Tx, channel_id: str, now: int, limit: int, *, retries: bool = True) -> list[Waiting]:
    """Return rows of a channel that are due, at most one for each recipient, the oldest first; without `retries` only first attempts."""
    return [Waiting(*row) for row in tx.all(_DUE, (channel_id, _ANY if retries else 0, now, limit))]


def next_due(tx: Tx, channel_id: str, not_before: Mapping[str, int], *, retries: bool = True) -> int | None:
    """Return when the next row of a channel may go, ms UTC, or None; `not_before` says it for recipients who have to wait."""
    rows = tx.all(_NEXT, (channel_id, _ANY if retries else 0, len(not_before) + 1))
    return min((max(due_at, not_before.get(recipient, due_at)) for due_at, recipient in rows), default=None)


def lease(tx: Tx, message_id: str, lease: str, until: int) -> None:
    """Take a row for one attempt; after `until` others may take it as one whose outcome is unknown."""
    tx.execute(
        "update outbox set state = 'sending', attempts = attempts + 1, lease = ?, lease_until = ?, due_at = ? where message_id = ?",
        (lease, until, until, message_id),
    )


def settle(tx: Tx, message_id: str, state: str, *, due_at: int | None = None) -> None:
    """Say where a row stands after an attempt; a final state, which has no `due_at`, forgets the secret text."""
    tx.execute(
        "update outbox set state = ?, lease = null, lease_until = null, due_at = coalesce(?, due_at),"
        " secret_text = case when ? then null else secret_text end where message_id = ?",
        (state, due_at, int(due_at is None), message_id),
    )


def give_up(tx: Tx, message_id: str, at: int) -> None:
    """End a row whose outcome stays unknown; the message itself is still what is known of it."""
    settle(tx, message_id, "dead")
    bury(tx, message_id, at)


def bury(tx: Tx, message_id: str, at: int) -> None:
    """Make a message that will not be sent a dead letter, for somebody to look at."""
    tx.execute("update outbox set dead_at = ?, handled_at = null where message_id = ?", (at, message_id))


def begin_attempt(tx: Tx, message_id: str, number: int, at: int) -> None:
    """Note that an attempt begins, before the first byte leaves."""
    tx.execute("insert into attempt (message_id, number, started_at) values (?, ?, ?)", (message_id, number, at))


def end_attempt(tx: Tx, message_id: str, number: int, at: int, outcome: str, code: str | None, detail: str | None) -> None:
    """Note how an attempt ended."""
    tx.execute(
        "update attempt set ended_at = ?, outcome = ?, code = ?, detail = ? where message_id = ? and number = ? and ended_at is null",
        (at, outcome, code, detail, message_id, number),
    )


def expiry(tx: Tx, message_id: str) -> int:
    """Return when a message is of no use any more, ms UTC; raises KeyError if it was never queued."""
    row = tx.one("select expires_at from outbox where message_id = ?", (message_id,))
    if row is None:
        raise KeyError(message_id)
    return int(row[0])


def by_external_id(tx: Tx, channel_id: str, external_id: str) -> Row | None:
    """Return message_id and state of the message that the provider knows by this id."""
    return tx.one("select message_id, state from outbox where channel_id = ? and external_id = ?", (channel_id, external_id))


def state_of(tx: Tx, message_id: str) -> str | None:
    """Return where the row of a message stands, None if there is none."""
    row = tx.one("select state from outbox where message_id = ?", (message_id,))
    return None if row is None else str(row[0])


def began_at(tx: Tx, message_id: str, number: int) -> int:
    """Return when an attempt began, ms UTC; 0 if it is not known."""
    row = tx.one("select started_at from attempt where message_id = ? and number = ?", (message_id, number))
    return int(row[0]) if row else 0


def interruptions(tx: Tx, message_id: str) -> int:
    """Return how many attempts ended with the process that made them."""
    row = tx.one("select count(*) from attempt where message_id = ? and code = 'interrupted'", (message_id,))
    return int(row[0]) if row else 0
