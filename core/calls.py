"""Callers who are kept on the line: while an action runs, and then ask again for what follows; or while people are called.

What they will be told goes into the journal under the id of that next request, whether it is there already or still to come, so that
neither a crash nor a request that comes twice changes what is heard. It must not speak itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.model.address import Address
from core.model.channel import Channel
from core.model.dialog import TransferEnded
from core.model.ids import MessageId, derive
from core.model.outbound import Answer, OutboundMessage
from core.store import actions, conversations, journal, messages, work_items
from core.store.actions import ActionRow
from core.store.api import Tx
from core.store.conversations import Conversation
from core.store.events import append
from core.store.work_items import WorkItem

_ANSWERED = "select 1 from event where conversation_id = ? and seq > ? - 200 and kind = 'call.answered' and ref = ?"
_IN_LINE = frozenset({"waiting", "fetched"})
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
    item = item_of(tx, message_id)
    return None if item is None else (str(item.card.get("whisper", "")), str(item.card.get("language", "")))


def taken(tx: Tx, message_id: str, at: int) -> None:
    """Note that one of our people takes the call that a message put through."""
    item = item_of(tx, message_id)
    if item is not None:
        note(tx, item, {"status": "taken", **kept(item)}, at)


def ended(tx: Tx, conversation: Conversation, call: str, outcome: str, at: int) -> TransferEnded | None:
    """Take note of what came of putting a caller through, and return it for the dialog, None if nobody is on the line; the caller saves.

    Work that nobody took is ended, and the bot goes on; it stays if an agent has it meanwhile, if it waited before this call, or if the
    caller hung up, so that somebody calls back. Who was called out of a line for an agent who does not answer goes back to it.
    """
    status, _, seconds = outcome.partition(" ")
    came = None if status == "abandoned" else TransferEnded(taken=status == "completed", left=status == "left")
    item = work_items.live(tx, conversation.id)
    known = of(item) if item is not None else {}
    if item is None or (known.get("status") in _IN_LINE and known["call"] != call):  # another call of theirs is in the line
        return came
    fetched = known.get("status") == "fetched"
    if fetched and status == "left":  # with the key that they pressed just when they were called out of the line, which goes on
        return TransferEnded(taken=False, queue=item.queue)
    gone = {"call": call} if came is None else {}
    _note(tx, conversation, item, {"status": status, "seconds": int(seconds or 0), **gone, **kept(item)}, at)
    if came is None or came.taken:
        return came
    if fetched:
        if item.agent_id == known.get("agent"):
            _give_back(tx, conversation, item, at)
        return TransferEnded(taken=False, queue=item.queue)
    if not kept(item) and work_items.drop(tx, item.id, "not_reached", at):
        append(tx, conversation, "work_item.closed", at, ref=item.id, body={"agent_id": None, "disposition": "not_reached"})
        _own(tx, conversation, "bot", at)
    return came


def _give_back(tx: Tx, conversation: Conversation, item: WorkItem, at: int) -> None:
    if item.agent_id is not None and work_items.unassign(tx, item.id, item.agent_id):
        append(tx, conversation, "work_item.returned", at, ref=item.id, body={"agent_id": item.agent_id, "by": None})
        _own(tx, conversation, "queued", at)


def _own(tx: Tx, conversation: Conversation, owner: str, at: int) -> None:
    conversation.owner, conversation.agent_id = owner, None
    conversation.owner_epoch += 1
    append(tx, conversation, "owner.changed", at, body={"owner": owner, "agent_id": None, "by": None})


def of(item: WorkItem) -> Mapping[str, Any]:
    """Return how the call of a caller stands who is put through, or waits to be."""
    found: Mapping[str, Any] = item.card.get("call", {})
    return found


def kept(item: WorkItem) -> dict[str, object]:
    """Return what is true of an item through all that becomes of a call: whether it had waited before."""
    return {"again": True} if of(item).get("again") else {}


def note(tx: Tx, item: WorkItem, call: Mapping[str, object], at: int) -> None:
    """Note how a call stands, for an item whose conversation is not at hand."""
    conversation = conversations.load(tx, item.conversation_id)
    _note(tx, conversation, item, call, at)
    conversations.save(tx, conversation)


def item_of(tx: Tx, message_id: str) -> WorkItem | None:
    """Return the open work of the conversation to which a message belongs."""
    row = tx.one("select conversation_id from message where id = ?", (message_id,))
    return None if row is None else work_items.live(tx, row[0])


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


def hung_up(tx: Tx, conversation: Conversation, call: str | None, at: int) -> None:
    """Note that a call has ended of which the desk still says that the caller waits; the caller of this saves."""
    item = work_items.live(tx, conversation.id)
    if item is not None and call is not None and of(item).get("call") == call and of(item).get("status") in _IN_LINE:
        _note(tx, conversation, item, {"status": "abandoned", "call": call, **kept(item)}, at)


def not_answered(tx: Tx, conversation: Conversation, status: str, at: int) -> None:
    """Note that a call ended before it was answered, if that is what `status` says; the caller saves."""
    if status in _NOT_ANSWERED:
        append(tx, conversation, "call.not_answered", at, body={"how": status})


def _note(tx: Tx, conversation: Conversation, item: WorkItem, call: Mapping[str, object], at: int) -> None:
    work_items.set_card(tx, item.id, {**item.card, "call": call})
    append(tx, conversation, "work_item.call", at, ref=item.id, body=call)
