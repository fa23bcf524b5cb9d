"""Sending, seen from the store: which messages go now, and what their attempts came to. The sending itself is the gateway's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from core import receipts
from core.crash import point
from core.model.address import Address, AddressKind
from core.model.capabilities import Family
from core.model.channel import Channel
from core.model.ids import MessageId
from core.model.outbound import Author, DeliveryStatus, OutboundMessage, SendError, SendResult
from core.store import letters, messages, outbox
from core.store.api import Tx
from core.store.messages import reply_of

LEASE_MS = 60_000
DELAYS_S = (2, 10, 30, 120, 300, 900, 1_800, 3_600)
RETRY_AFTER_MIN_S = 1
RETRY_AFTER_MAX_S = 3_600
INTERRUPTIONS_MAX = 2
_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask the provider: what became of the attempt that began at `began_at`, ms UTC. `external_id` is empty if it is not known."""

    external_id: str
    began_at: int


@dataclass(frozen=True, slots=True)
class Sending:
    """One attempt that is to be made now; with a `question`, one made earlier whose outcome is to be asked for instead."""

    channel_id: str
    message: OutboundMessage
    looks_up: bool = False
    resend_codes: frozenset[str] = frozenset()
    question: Question | None = None

    @property
    def is_retry(self) -> bool:
        """Tell whether this is a further attempt."""
        return self.question is None and self.message.attempt > 1


@dataclass(frozen=True, slots=True)
class Gate:
    """How many messages may leave a channel now, from when on the next one may (ms UTC), and who gets none before a time (ms UTC).

    Of `most` no more than `retries` may be further attempts; None: all.
    """

    most: int
    opens_at: int = 0
    not_before: Mapping[str, int] = field(default_factory=dict)
    retries: int | None = None


def next_due(tx: Tx, gates: Mapping[str, Gate]) -> int | None:
    """Return when the next message may go through one of the gates, ms UTC, or None."""
    found = [
        max(due, gate.opens_at)
        for channel_id, gate in gates.items()
        if (due := outbox.next_due(tx, channel_id, gate.not_before, retries=gate.retries != 0)) is not None
    ]
    return min(found, default=None)


def claim(
    tx: Tx,
    channels: Mapping[str, Channel],
    now: int,
    lease: str,
    limit: int,
    unknown_wait_ms: int,
    gates: Mapping[str, Gate] | None = None,
) -> list[Sending]:
    """Take messages that are due, each with an open attempt, as many as the gates let through; what may not be sent is ended here.

    `lease` names this process; a row that another process left in `sending` has an unknown outcome and is treated by its class.
    """
    sendings: list[Sending] = []
    for channel_id, channel in channels.items():
        gate = Gate(limit) if gates is None else gates.get(channel_id)
        if gate is not None and gate.opens_at <= now:
            sendings += _claim_of(tx, channel, now, lease, unknown_wait_ms, gate)
    return sendings


def _claim_of(tx: Tx, channel: Channel, now: int, lease: str, unknown_wait_ms: int, gate: Gate) -> Iterator[Sending]:
    left, retries = gate.most, gate.most if gate.retries is None else gate.retries
    for _ in range(_ROUNDS):  # what is ended takes no place of what may go
        due = outbox.due(tx, channel.id, now, left + len(gate.not_before), retries=retries > 0)
        rows = [row for row in due if row.recipient not in gate.not_before][:left]
        for row in rows:
            if row.attempts > 0 and retries <= 0:
                continue
            sending = _take(tx, row, channel, now, lease, unknown_wait_ms)
            if sending is not None:
                left -= 1
                retries -= sending.is_retry
                yield sending
        if not rows or left <= 0:
            return


def _take(tx: Tx, row: outbox.Waiting, channel: Channel, now: int, lease: str, unknown_wait_ms: int) -> Sending | None:
    if row.state == "sending":
        _unknown(tx, row.message_id, row.attempts, now, unknown_wait_ms, "interrupted")
        if not channel.looks_up:
            return None
        row.state = "unknown"
    if row.state == "unknown":
        question = _question(tx, row, channel, now, unknown_wait_ms)
        if question is not None:
            return question
        if _given_up(tx, row):
            outbox.give_up(tx, row.message_id, now)
            return None
    stopped = _stopped(tx, row, now)
    if stopped is not None:
        _end(tx, row.message_id, stopped, now)
        return None
    try:
        message = _message(tx, row, channel)
    except (ValueError, TypeError, LookupError):  # a row that cannot be read must not hold up all the others
        _end(tx, row.message_id, DeliveryStatus.DEAD, now)
        return None
    _begin(tx, row, lease, now)
    return Sending(row.channel_id, message, channel.looks_up, frozenset() if row.resent else channel.capabilities.resend_codes)


def _question(tx: Tx, row: outbox.Waiting, channel: Channel, now: int, unknown_wait_ms: int) -> Sending | None:
    """Return the question to the provider, as long as there is time for it; meanwhile the row waits."""
    began_at = outbox.began_at(tx, row.message_id, row.attempts)
    if not channel.looks_up or now >= began_at + unknown_wait_ms:
        return None
    try:
        message = _message(tx, row, channel)
    except (ValueError, TypeError, LookupError):  # it is ended by who takes it next
        return None
    outbox.settle(tx, row.message_id, "unknown", due_at=min(now + LEASE_MS, began_at + unknown_wait_ms))
    return Sending(channel.id, message, question=Question(row.external_id or "", began_at))


def _message(tx: Tx, row: outbox.Waiting, channel: Channel) -> OutboundMessage:
    text, content, author = tx.one("select text, content, author from message where id = ?", (row.message_id,)) or ("", None, "bot")
    reply = reply_of(row.secret_text if row.secret_text is not None else text, content)
    recipient = Address(AddressKind(row.recipient_kind), row.recipient)
    heard_at = (
        messages.heard_at(tx, row.conversation_id, row.channel_id, row.recipient)
        if channel.capabilities.resend_codes and not row.resent
        else None
    )
    letter = letters.of_outgoing(tx, row.message_id) if channel.capabilities.family is Family.EMAIL else None
    return OutboundMessage(
        MessageId(row.message_id), channel.address, recipient, reply, row.attempts + 1, letter, heard_at, author=Author(author)
    )


def _begin(tx: Tx, row: outbox.Waiting, lease: str, now: int) -> None:
    outbox.lease(tx, row.message_id, lease, now + LEASE_MS)
    outbox.begin_attempt(tx, row.message_id, row.attempts + 1, now)
    if row.state == "unknown":
        tx.execute("update outbox set repeated = repeated + 1 where message_id = ?", (row.message_id,))


def _given_up(tx: Tx, row: outbox.Waiting) -> bool:
    """Tell whether a message whose outcome is unknown is not sent again: by its class, or because processes die of it."""
    if row.on_unknown == "once" or (row.on_unknown == "repeat" and row.repeated > 0):
        return True
    return outbox.interruptions(tx, row.message_id) >= INTERRUPTIONS_MAX


def _stopped(tx: Tx, row: outbox.Waiting, now: int) -> DeliveryStatus | None:
    if row.expires_at <= now:
        return DeliveryStatus.EXPIRED
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


def _end(tx: Tx, message_id: str, status: DeliveryStatus, now: int) -> None:
    """End a message that is not sent, or not sent again; what was given up, and not held back for a reason, is a dead letter."""
    receipts.move(tx, message_id, status, now)
    outbox.settle(tx, message_id, status.value)
    if status is not DeliveryStatus.CANCELLED:
        outbox.bury(tx, message_id, now)


def sent(tx: Tx, sending: Sending, result: SendResult, now: int) -> None:
    """Record that the provider has taken a message."""
    message = sending.message
    outbox.end_attempt(tx, message.id, message.attempt, now, "accepted", None, None)
    point("dispatch.record")
    receipts.move(tx, message.id, DeliveryStatus(result.status), now)
    outbox.settle(tx, message.id, result.status)  # also where the message is further already, and this was another form of it
    if result.external_id:
        tx.execute("update outbox set external_id = ? where message_id = ?", (result.external_id, message.id))
        receipts.join_early(tx, sending.channel_id, result.external_id, message.id, now, sending.resend_codes)


def failed(tx: Tx, sending: Sending, error: SendError, now: int, unknown_wait_ms: int, jitter: float) -> None:
    """Record a failed attempt and decide what comes next: try again later, wait for word, or give up. `jitter` is in 0..1."""
    message = sending.message
    code = error.provider_code or error.code.value
    if error.unknown:
        _unknown(tx, message.id, message.attempt, now, 0 if sending.looks_up else unknown_wait_ms, code)
        return
    outbox.end_attempt(tx, message.id, message.attempt, now, "failed", code, error.code.value)
    if error.provider_code in sending.resend_codes:
        receipts.send_again(tx, message.id, now)
        return
    if not error.retryable:
        receipts.move(tx, message.id, DeliveryStatus.FAILED, now)
        outbox.settle(tx, message.id, DeliveryStatus.FAILED.value)
        if error.ours:
            outbox.bury(tx, message.id, now)
        return
    receipts.move(tx, message.id, DeliveryStatus.RETRY_WAIT, now)
    # At its expiry it is looked at again, so that it does not hold up what comes after it for longer than it is of use itself.
    due_at = min(now + int(_delay_s(message.attempt, error, jitter) * 1000), outbox.expiry(tx, message.id))
    outbox.settle(tx, message.id, "retry_wait", due_at=due_at)


def _delay_s(attempt: int, error: SendError, jitter: float) -> float:
    """Return after how long to try again: as the provider wishes, within reason, else ever later."""
    wish_s = error.retry_after_s
    if wish_s is not None and wish_s >= 0:
        return min(max(wish_s, RETRY_AFTER_MIN_S), RETRY_AFTER_MAX_S)
    return DELAYS_S[min(attempt, len(DELAYS_S)) - 1] * (0.5 + jitter / 2)


def take_over(tx: Tx, channels: Mapping[str, Channel], lease: str, now: int) -> int:
    """Free what an earlier life of this process was sending, and end what belongs to channels that are no more.

    Returns how many were freed. Only for a store with a single process.
    """
    known = tuple(channels)
    marks = ", ".join("?" * len(known))
    gone = "select message_id from outbox where state in ('queued', 'retry_wait', 'sending', 'unknown')"
    for (message_id,) in tx.all(f"{gone} and channel_id not in ({marks})", known):
        _end(tx, message_id, DeliveryStatus.DEAD, now)
    return tx.execute("update outbox set due_at = ? where state = 'sending' and lease <> ?", (now, lease))


def _unknown(tx: Tx, message_id: str, attempt: int, now: int, wait_ms: int, code: str) -> None:
    outbox.end_attempt(tx, message_id, attempt, now, "unknown", code, None)
    receipts.move(tx, message_id, DeliveryStatus.UNKNOWN, now)
    outbox.settle(tx, message_id, "unknown", due_at=now + wait_ms)
