"""Delivery reports: early, late, repeated and out of order, each kept once and joined to its message."""

from __future__ import annotations

from core.delivery import RANK, reached, settled
from core.model.address import Address
from core.model.inbound import DeliveryReport
from core.model.outbound import DeliveryStatus
from core.record import MASK
from core.store import conversations, outbox, parties
from core.store.api import Tx
from core.store.events import append


def report(tx: Tx, channel_id: str, told: DeliveryReport, at: int, resend_codes: frozenset[str] = frozenset()) -> bool:
    """Keep a report and move its message; False if the same report came before. One that comes before its message waits to be joined.

    A failure with one of the `resend_codes` is answered by another form of the message, once.
    """
    message_id = _message_of(tx, channel_id, told)
    if message_id is not None and told.code in resend_codes and outbox.state_of(tx, message_id) == "sending":
        message_id = None  # quicker than the answer to the attempt, which joins it
    kept = tx.execute(
        "insert into delivery_report (channel_id, external_id, status, code, message_id, received_at, told_at)"
        " values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
        (channel_id, told.external_id, told.status, told.code or "", message_id, at, told.at),
    )
    if not kept:
        return False
    if message_id is not None and not (told.code in resend_codes and send_again(tx, message_id, at)):
        move(tx, message_id, DeliveryStatus(told.status), at, told.at)
    if message_id is not None and told.recipient is not None and told.verdict:
        _judge(tx, message_id, told.recipient, told.verdict, at)
    return True


def _judge(tx: Tx, message_id: str, recipient: Address, verdict: str, at: int) -> None:
    """Mark the address that a message went to; a report about any other address proves nothing."""
    row = tx.one("select conversation_id, address from message where id = ? and direction = 'outbound'", (message_id,))
    if row is None or row[1] != recipient.value:
        return
    medium = parties.current_medium(tx, recipient)
    if medium is None:
        return
    if verdict == "unreachable":
        parties.set_unreachable(tx, recipient, at)
    elif verdict == "opted_out":
        parties.set_opted_out(tx, medium[0], at)
    conversation = conversations.load(tx, row[0])
    append(tx, conversation, "address.marked", at, ref=message_id, body={"mark": verdict})
    conversations.save(tx, conversation)


def send_again(tx: Tx, message_id: str, at: int) -> bool:
    """Let a message go once more, in its other form; False if that was done before, or its secret words are forgotten by now."""
    return (
        tx.execute(
            "update outbox set state = 'retry_wait', resent = 1, lease = null, lease_until = null, due_at = ?, external_id = null"
            " where message_id = ? and resent = 0 and (secret_text is not null"
            " or not exists (select 1 from message m where m.id = outbox.message_id and m.text = ?))",
            (at, message_id, MASK),
        )
        > 0
    )


def join_early(tx: Tx, channel_id: str, external_id: str, message_id: str, at: int, resend_codes: frozenset[str] = frozenset()) -> None:
    """Join reports that were quicker than the provider's answer to our request."""
    rows = tx.all(
        "select status, code, told_at from delivery_report where channel_id = ? and external_id = ? and message_id is null",
        (channel_id, external_id),
    )
    if not rows:
        return
    tx.execute(
        "update delivery_report set message_id = ? where channel_id = ? and external_id = ? and message_id is null",
        (message_id, channel_id, external_id),
    )
    for status, code, told_at in rows:
        if not (code in resend_codes and send_again(tx, message_id, at)):
            move(tx, message_id, DeliveryStatus(status), at, told_at)


def join_late(tx: Tx, told: DeliveryReport, channel_id: str, at: int) -> bool:
    """Join a report that was kept without its message, if that is known by now; False if it is not."""
    message_id = _message_of(tx, channel_id, told)
    if message_id is None:
        return False
    join_early(tx, channel_id, told.external_id, message_id, at)
    return True


def move(tx: Tx, message_id: str, status: DeliveryStatus, at: int, told_at: int | None = None) -> None:
    """Move a message to a status if that is further than it was; the desk and others learn it from the event log.

    `told_at` is when it happened, as the provider says, ms UTC.
    """
    row = tx.one("select conversation_id, status from message where id = ?", (message_id,))
    if row is None:
        return
    current = DeliveryStatus(row[1])
    now = reached(current, status)
    if now is current:
        return
    tx.execute("update message set status = ? where id = ?", (now.value, message_id))
    if settled(now):
        outbox.settle(tx, message_id, now.value)
    if RANK.get(now, 0) == RANK[DeliveryStatus.SENDING]:
        return
    conversation = conversations.load(tx, row[0])
    body: dict[str, object] = {"status": now.value}
    if told_at is not None:
        body["told_at"] = told_at
    append(tx, conversation, "message.status", at, ref=message_id, body=body)
    conversations.save(tx, conversation)


def read_up_to(tx: Tx, address: str, number: int, at: int) -> None:
    """Mark what a pulling client has shown to the person."""
    rows = tx.all(
        "select id from message where address = ? and number <= ? and direction = 'outbound' and status in ('sent', 'delivered')"
        " order by number",
        (address, number),
    )
    for (message_id,) in rows:
        move(tx, message_id, DeliveryStatus.READ, at)


def _message_of(tx: Tx, channel_id: str, told: DeliveryReport) -> str | None:
    if told.message_id:
        row = tx.one("select id from message where id = ? and channel_id = ?", (told.message_id, channel_id))
        if row is not None:
            return str(row[0])
    row = outbox.by_external_id(tx, channel_id, told.external_id)
    return None if row is None else str(row[0])
