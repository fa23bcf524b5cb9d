"""Sending, seen from the store: which messages go now, and what their attempts came to. The sending itself is the gateway's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from core import receipts
from core.crash import point
from core.model.address import Address, AddressKind
from core.model.channel import Channel
from core.model.ids import MessageId
from core.model.outbound import DeliveryStatus, OutboundMessage, SendError, SendResult
from core.store import outbox
from core.store.api import Tx
from core.store.messages import reply_of

LEASE_MS = 60_000
ATTEMPTS_MAX = 12
DELAYS_S = (2, 10, 30, 120, 300, 900, 1_800, 3_600)
RETRY_AFTER_MAX_S = 3_600


@dataclass(frozen=True, slots=True)
class Sending:
    """One attempt that is to be made now."""

    channel_id: str
    message: OutboundMessage


def claim(
    tx: Tx, channels: Mapping[str, Channel], now: int, lease: str, limit: int, unknown_wait_ms: int, without: Collection[str] = ()
) -> list[Sending]:
    """Take messages that are due, each with an open attempt, but none of the channels `without`; what may not be sent is ended here.

    `lease` names this process; a row that another process left in `sending` has an unknown outcome and is treated by its class.
    """
    sendings = []
    for row in outbox.due(tx, now, limit, without):
        if row.state == "sending":
            _unknown(tx, row.message_id, row.attempts, now, unknown_wait_ms, "interrupted")
            continue
        if row.state == "unknown" and row.on_unknown == "once":
            outbox.settle(tx, row.message_id, "dead")
            continue
        stopped = _stopped(tx, row, now)
        if stopped is not None:
            receipts.move(tx, row.message_id, stopped, now)
            continue
        channel = channels.get(row.channel_id)
        if channel is None:
            receipts.move(tx, row.message_id, DeliveryStatus.DEAD, now)
            continue
        try:
            message = _message(tx, row, channel)
        except (ValueError, TypeError, LookupError):  # a row that cannot be read must not hold up all the others
            receipts.move(tx, row.message_id, DeliveryStatus.DEAD, now)
            continue
        _begin(tx, row, lease, now)
        sendings.append(Sending(row.channel_id, message))
    return sendings


def _message(tx: Tx, row: outbox.Waiting, channel: Channel) -> OutboundMessage:
    text, content = tx.one("select text, content from message where id = ?", (row.message_id,)) or ("", None)
    reply = reply_of(row.secret_text if row.secret_text is not None else text, content)
    recipient = Address(AddressKind(row.recipient_kind), row.recipient)
    return OutboundMessage(MessageId(row.message_id), channel.address, recipient, reply, row.attempts + 1)


def _begin(tx: Tx, row: outbox.Waiting, lease: str, now: int) -> None:
    outbox.lease(tx, row.message_id, lease, now + LEASE_MS)
    outbox.begin_attempt(tx, row.message_id, row.attempts + 1, now)
    if row.state == "unknown":
        tx.execute("update outbox set repeated = repeated + 1 where message_id = ?", (row.message_id,))


def _stopped(tx: Tx, row: outbox.Waiting, now: int) -> DeliveryStatus | None:
    if row.expires_at <= now:
        return DeliveryStatus.EXPIRED
    if row.attempts >= ATTEMPTS_MAX:
        return DeliveryStatus.DEAD
    state = tx.one(
        "select c.owner, c.owner_epoch, m.author, m.created_at,"
        " (select d.opted_out_at from contact_medium d where d.kind = o.recipient_kind and d.value = o.recipient and d.valid_to is null),"
        " (select max(l.seq) from message l where l.conversation_id = c.id and l.author = 'customer' and l.seq > o.against_seq)"
        " from outbox o join message m on m.id = o.message_id join conversation c on c.id = o.conversation_id where o.message_id = ?",
        (row.message_id,),
    )
    if state is None:
        return DeliveryStatus.DEAD
    owner, epoch, author, created_at, opted_out_at, newer = state
    if opted_out_at is not None and created_at < opted_out_at:  # what was said before the person wanted no more
        return DeliveryStatus.CANCELLED
    if author == "bot" and owner == "agent" and epoch != row.owner_epoch:
        return DeliveryStatus.CANCELLED
    if author == "agent" and row.attempts == 0 and newer is not None:
        return DeliveryStatus.CANCELLED
    return None


def sent(tx: Tx, sending: Sending, result: SendResult, now: int) -> None:
    """Record that the provider has taken a message."""
    message = sending.message
    outbox.end_attempt(tx, message.id, message.attempt, now, "accepted", None, None)
    point("dispatch.record")
    if result.external_id:
        tx.execute("update outbox set external_id = ? where message_id = ?", (result.external_id, message.id))
        receipts.join_early(tx, sending.channel_id, result.external_id, message.id, now)
    receipts.move(tx, message.id, DeliveryStatus(result.status), now)


def failed(tx: Tx, sending: Sending, error: SendError, now: int, unknown_wait_ms: int, jitter: float) -> None:
    """Record a failed attempt and decide what comes next: try again later, wait for word, or give up. `jitter` is in 0..1."""
    message = sending.message
    code = error.provider_code or error.code.value
    if error.unknown:
        _unknown(tx, message.id, message.attempt, now, unknown_wait_ms, code)
        return
    outbox.end_attempt(tx, message.id, message.attempt, now, "failed", code, error.code.value)
    if not error.retryable:
        receipts.move(tx, message.id, DeliveryStatus.FAILED, now)
        return
    delay_s: float = DELAYS_S[min(message.attempt, len(DELAYS_S)) - 1] * (0.5 + jitter / 2)
    if error.retry_after_s is not None:
        delay_s = min(max(error.retry_after_s, 0.0), RETRY_AFTER_MAX_S)
    receipts.move(tx, message.id, DeliveryStatus.RETRY_WAIT, now)
    # At its expiry it is looked at again, so that it does not hold up what comes after it for longer than it is of use itself.
    outbox.settle(tx, message.id, "retry_wait", due_at=min(now + int(delay_s * 1000), outbox.expiry(tx, message.id)))


def abandon(tx: Tx, lease: str, now: int) -> int:
    """Free what an earlier life of this process, or a dead one, was sending; returns how many. Only for a store with a single process."""
    return tx.execute("update outbox set due_at = ? where state = 'sending' and lease <> ?", (now, lease))


def _unknown(tx: Tx, message_id: str, attempt: int, now: int, wait_ms: int, code: str) -> None:
    outbox.end_attempt(tx, message_id, attempt, now, "unknown", code, None)
    receipts.move(tx, message_id, DeliveryStatus.UNKNOWN, now)
    outbox.settle(tx, message_id, "unknown", due_at=now + wait_ms)
