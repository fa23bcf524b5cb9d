"""Callers who are kept on the line: while an action runs they are asked to wait, and then ask again for what follows; or people are called.

What they will be told goes into the journal under the id of that next request, whether it is there already or still to come, so that
neither a crash nor a request that comes twice changes what is heard. It must not speak itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.model.address import Address
from core.model.channel import Channel
from core.model.ids import MessageId, derive
from core.model.outbound import Answer, OutboundMessage
from core.store import actions, conversations, journal, messages, work_items
from core.store.actions import ActionRow
from core.store.api import Tx
from core.store.conversations import Conversation
from core.store.events import append
from core.store.work_items import WorkItem

_ANSWERED = "select 1 from event where conversation_id = ? and seq > ? - 200 and kind = 'call.answered' and ref = ?"
_NOT_ANSWERED = frozenset({"busy", "no-answer", "failed", "canceled"})
GRACE_MS = 10_000  # the last of the requests may be on its way when the time is up


@dataclass(frozen=True, slots=True)
class Held:
    """What a caller gets who asks again: the answer, or the action whose end must come first; neither if nothing is known of them."""

    answer: Answer | None = None
    action_id: str | None = None


def external_id(message_id: str) -> str:
    """Return the external id of the request by which somebody whom this message asked to wait asks for what follows."""
    return f"hold:{message_id}"


def held_until(row: ActionRow, channel: Channel) -> int:
    """Return until when somebody may be kept waiting for an action, ms UTC; not for one that is known to be slow."""
    if row.held_until is not None:
        return row.held_until
    return row.created_at + (0 if row.run.slow else int(channel.capabilities.hold_s * 1000))


def is_held(row: ActionRow, at: int) -> bool:
    """Tell whether somebody is on the line who will ask for the result of an action."""
    return row.held_until is not None and at < row.held_until + GRACE_MS


def keep(tx: Tx, row: ActionRow, request: tuple[str, str], message_id: str, answer: Answer, until: int, at: int) -> None:
    """Answer a request by asking its sender to wait, and expect them to ask again for the result of `row`."""
    channel_id, _ = request
    following = external_id(message_id)
    journal.set_answer(tx, *request, answer)
    journal.insert(tx, channel_id, following, derive(message_id, "asked"), row.conversation_id, at, "", None)
    actions.hold(tx, row.id, following, until)


def pass_on(tx: Tx, ended: ActionRow, next_action: str, at: int) -> None:
    """Let somebody who waits for an action that has ended wait for the next one, which it led to."""
    if ended.held_until is not None and is_held(ended, at):
        actions.hold(tx, next_action, ended.inbound_external, ended.held_until)


def asked_again(tx: Tx, channel_id: str, request_id: str) -> Held:
    """Return what somebody gets who was asked to wait; the same request again gets the same."""
    entry = journal.find(tx, channel_id, request_id)
    if entry is None:
        return Held()
    actions.let_go(tx, channel_id, request_id)
    if entry.answer is not None:
        return Held(entry.answer)
    return Held(action_id=actions.awaited(tx, channel_id, request_id))


def whispered(tx: Tx, message_id: str) -> tuple[str, str] | None:
    """Return what people hear who are called because of a message, with its language; None if nobody waits for them any more.

    The text is empty where an agent calls a customer back about work that came in another way.
    """
    item = _item(tx, message_id)
    return None if item is None else (str(item.card.get("whisper", "")), str(item.card.get("language", "")))


def taken(tx: Tx, message_id: str, at: int) -> None:
    """Note that one of our people takes the call that a message put through."""
    item = _item(tx, message_id)
    if item is not None:
        conversation = conversations.load(tx, item.conversation_id)
        _note(tx, conversation, item, {"status": "taken"}, at)
        conversations.save(tx, conversation)


def ended(tx: Tx, conversation: Conversation, outcome: str, at: int) -> bool:
    """Take note of what came of putting a caller through, and tell whether somebody talked to them; the caller saves.

    Work that nobody took is ended, and the bot goes on; it stays if an agent has it meanwhile, or if the caller hung up, so that somebody
    calls back.
    """
    status, _, seconds = outcome.partition(" ")
    item = work_items.live(tx, conversation.id)
    if item is not None:
        _note(tx, conversation, item, {"status": status, "seconds": int(seconds or 0)}, at)
        if status not in {"completed", "abandoned"} and work_items.drop(tx, item.id, "not_reached", at):
            conversation.owner, conversation.agent_id = "bot", None
            conversation.owner_epoch += 1
            append(tx, conversation, "work_item.closed", at, ref=item.id, body={"agent_id": None, "disposition": "not_reached"})
            append(tx, conversation, "owner.changed", at, body={"owner": "bot", "agent_id": None, "by": None})
    return status == "completed"


def spoken(tx: Tx, message_id: str, channel: Channel, recipient: Address) -> OutboundMessage | None:
    """Return the message because of which somebody was called, None if there is none for them."""
    row = tx.one(
        "select m.text, m.content, p.language from message m join conversation c on c.id = m.conversation_id"
        " join party p on p.id = c.party_id where m.id = ? and m.channel_id = ? and m.address = ? and m.direction = 'outbound'",
        (message_id, channel.id, recipient.value),
    )
    if row is None:
        return None
    text, content, language = row
    reply = messages.reply_of(text, content)
    return OutboundMessage(MessageId(message_id), channel.address, recipient, replace(reply, language=language or reply.language))


def answered(tx: Tx, message_id: str, by: str, at: int) -> None:
    """Note who picked up when we called because of a message: `person`, `machine` or `fax`; once."""
    row = tx.one("select conversation_id from message where id = ?", (message_id,))
    if row is None:
        return
    conversation = conversations.load(tx, row[0])
    if tx.one(_ANSWERED, (conversation.id, conversation.seq, message_id)) is None:
        append(tx, conversation, "call.answered", at, ref=message_id, body={"by": by})
        conversations.save(tx, conversation)


def not_answered(tx: Tx, conversation: Conversation, status: str, at: int) -> None:
    """Note that a call ended before it was answered, if that is what `status` says; the caller saves."""
    if status in _NOT_ANSWERED:
        append(tx, conversation, "call.not_answered", at, body={"how": status})


def _item(tx: Tx, message_id: str) -> WorkItem | None:
    row = tx.one("select conversation_id from message where id = ?", (message_id,))
    return None if row is None else work_items.live(tx, row[0])


def _note(tx: Tx, conversation: Conversation, item: WorkItem, call: dict[str, object], at: int) -> None:
    work_items.set_card(tx, item.id, {**item.card, "call": call})
    append(tx, conversation, "work_item.call", at, ref=item.id, body=call)
