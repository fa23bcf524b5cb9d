"""What a provider answers when it is asked what became of a message whose outcome is unknown. Asking itself is the gateway's."""

from __future__ import annotations

from dataclasses import replace

from core import receipts
from core.dispatch import Sending
from core.model.inbound import DeliveryReport
from core.store import outbox
from core.store.api import Tx

ABSENCE_SURE_MS = 20_000
ASK_AGAIN_MS = 15_000


def answered(tx: Tx, sending: Sending, told: DeliveryReport | None, now: int, unknown_wait_ms: int) -> None:
    """Record what the provider knows of a message: what it never had is sent, once it is sure that it is not still on its way there."""
    message, question = sending.message, sending.question
    if question is None or outbox.state_of(tx, message.id) != "unknown":
        return
    if told is not None and _is_other(tx, sending, told):
        told = None
    if told is not None:
        tx.execute("update outbox set external_id = ? where message_id = ?", (told.external_id, message.id))
        receipts.report(tx, sending.channel_id, replace(told, message_id=message.id), now)
        return
    sure_at = question.began_at + ABSENCE_SURE_MS
    if now >= sure_at:
        outbox.settle(tx, message.id, "retry_wait", due_at=now)
    else:
        outbox.settle(tx, message.id, "unknown", due_at=min(sure_at, question.began_at + unknown_wait_ms))


def unanswered(tx: Tx, sending: Sending, now: int, unknown_wait_ms: int) -> None:
    """Ask again in a while, until the time for questions is over."""
    if sending.question is not None:
        until = sending.question.began_at + unknown_wait_ms
        tx.execute(
            "update outbox set due_at = ? where message_id = ? and state = 'unknown'", (min(now + ASK_AGAIN_MS, until), sending.message.id)
        )


def _is_other(tx: Tx, sending: Sending, told: DeliveryReport) -> bool:
    """Tell whether what the provider found is another message of ours to the same person."""
    known = outbox.by_external_id(tx, sending.channel_id, told.external_id)
    return known is not None and known[0] != sending.message.id
