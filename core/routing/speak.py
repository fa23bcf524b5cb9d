"""What agents say: replies to the customer, each checked against what its writer had seen, and notes that stay inside."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace

from core import media, record
from core.model.channel import Channel
from core.model.ids import derive
from core.model.inbound import Media
from core.model.outbound import Author, OutboundMessage, Reply
from core.record import Link
from core.routing import files, reach, work
from core.routing.refused import Refused
from core.store import conversations, interactions, work_items
from core.store.agents import Agent
from core.store.api import Tx
from core.store.conversations import Conversation
from core.store.messages import reply_of
from core.store.work_items import WorkItem

_NEWER = """
select count(*) from message where conversation_id = ? and seq > ?
   and (author = 'customer' or (author = 'agent' and agent_id <> ?))
"""
_NOTED = "select seq from event where conversation_id = ? and seq > ? - 500 and kind = 'note.added' and ref = ?"
_OPEN = "select id from interaction where conversation_id = ? and channel_id = ? and address = ? and status = 'open'"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A reply that is in the record. `seq` is its number, `pulled` says that the customer's client fetches it itself."""

    message_id: str
    seq: int
    address: str
    pulled: bool


def reply(
    tx: Tx,
    channels: Mapping[str, Channel],
    conversation_id: str,
    agent: Agent,
    text: str,
    *,
    against_seq: int,
    cause: str,
    at: int,
    target: str | None = None,
    file: Media | None = None,
) -> Spoken:
    """Say something to the customer, on the channel used last or on `target`; the same `cause` again changes nothing.

    `file` is a stored content, as its values say. Raises `Refused`: not_found, not_yours, done, empty, too_long, no_channel, and what
    `files.check` raises; `outdated` if the customer or a colleague has spoken after `against_seq`.
    """
    known = _said(tx, derive(cause, "out:0"), conversation_id)
    if known is not None:
        return known
    item = own_item(tx, conversation_id, agent)
    conversation = conversations.load(tx, conversation_id)
    newer = tx.one(_NEWER, (conversation_id, against_seq, agent.id)) if conversation.spoken_seq > against_seq else None
    if newer is not None and newer[0] > 0:
        raise Refused("outdated", "Something was said that you have not seen.", newer=newer[0], seq=conversation.seq)
    link = _link(tx, channels, conversation, item, target, cause, at)
    words = _checked(text, link.channel, file)
    if file is not None:
        files.check_heard(tx, link, conversation_id, at)
    message = record.say(
        tx, conversation, link, _spoken_reply(words, link.channel, item, file, agent), author=Author.AGENT, cause=cause, ordinal=0, at=at,
        agent_id=agent.id, life_ms=record.AGENT_LIFE_MS, on_unknown="once" if link.channel.capabilities.calls else None,
    )  # fmt: skip
    media.record(tx, message.id, link.channel.id, message.reply.media, at)
    interactions.touch(tx, link.interaction_id, at)
    conversations.save(tx, conversation)
    return _spoken(message, conversation.seq, link)


def again(tx: Tx, channels: Mapping[str, Channel], message_id: str, agent: Agent, *, against_seq: int, at: int) -> Spoken:
    """Send a reply that was held back because of a newer message all the same; once, however often it is asked for.

    Raises `Refused`: not_found, not_held_back, and what `reply` raises.
    """
    row = tx.one(
        "select m.conversation_id, m.text, m.content, m.status, m.channel_id, m.address, o.recipient_kind from message m"
        " left join outbox o on o.message_id = m.id where m.id = ? and m.author = 'agent'",
        (message_id,),
    )
    if row is None:
        raise Refused("not_found", "There is no such message.")
    conversation_id, text, content, status, channel_id, address, kind = row
    if status != "cancelled":
        raise Refused("not_held_back", "This message was not held back.", state=status)
    target = f"{channel_id}|{kind}:{address}"
    return reply(
        tx, channels, conversation_id, agent, text, against_seq=against_seq, cause=again_cause(message_id), at=at, target=target,
        file=next(iter(reply_of(text, content).media), None),
    )  # fmt: skip


def again_cause(message_id: str) -> str:
    """Return the cause of the message that repeats one that was held back."""
    return derive(message_id, "again")


def note(tx: Tx, conversation_id: str, agent: Agent, text: str, *, cause: str, at: int) -> int:
    """Add an internal note to a conversation that was handed over, and return its number; the same `cause` again changes nothing.

    Raises `Refused`: not_found, bad_text.
    """
    if work_items.latest(tx, conversation_id) is None:
        raise Refused("not_found", "There is no such hand-over.")
    conversation = conversations.load(tx, conversation_id)
    known = tx.one(_NOTED, (conversation_id, conversation.seq, cause))
    if known is not None:
        return int(known[0])
    seq = work.append_note(tx, conversation, agent, text, at, ref=cause)
    conversations.save(tx, conversation)
    return seq


def own_item(tx: Tx, conversation_id: str, agent: Agent) -> WorkItem:
    """Return the work item that this agent holds in a conversation; raises `Refused`: not_found, not_yours, done."""
    item = work_items.latest(tx, conversation_id)
    if item is None:
        raise Refused("not_found", "There is no such hand-over.")
    return work.held(tx, item.id, agent)


def _link(
    tx: Tx, channels: Mapping[str, Channel], conversation: Conversation, item: WorkItem, target: str | None, cause: str, at: int
) -> Link:
    """Return the line to speak on, within an open interaction: a closed one is never reopened, so a new one begins."""
    offered = reach.targets(tx, channels, conversation.id)
    wanted = [one for one in offered if target in (None, one.key)]
    link = next((one.link for one in wanted if one.link is not None), None)
    if link is None:
        raise Refused("no_channel", "The customer cannot be written to there.", problem=wanted[0].problem if wanted else "no_channel")
    current = interactions.get(tx, link.interaction_id)
    elsewhere = current is not None and link.channel.capabilities.calls and current["channel_id"] != link.channel.id
    if current is not None and current["status"] == "open" and not elsewhere:
        return link
    known = tx.one(_OPEN, (conversation.id, link.channel.id, link.address.value))
    if known is not None:
        return replace(link, interaction_id=known[0])
    opened = derive(cause, "interaction")
    contact_type = current["contact_type"] if current else "prospect"
    interactions.open_one(
        tx, conversation, opened, channel=link.channel, address=link.address, direction="outbound", contact_type=contact_type, at=at
    )
    interactions.set_reason(tx, opened, item.reason)
    return replace(link, interaction_id=opened)


def _spoken_reply(words: str, channel: Channel, item: WorkItem, file: Media | None, agent: Agent) -> Reply:
    """Return what an agent says; somebody who is called hears it and is put through to the agent's phone, else to that of the queue."""
    if not channel.capabilities.calls:
        return Reply(words, media=(file,) if file else ())
    through = agent.phone or (item.queue if channel.capabilities.through(item.queue, attended=False) else None)
    return Reply(words, transfer=through, ends_session=through is None)


def plain(text: str) -> str:
    """Return what somebody of ours wrote as it is sent: without characters that control anything but lines."""
    return "".join(c for c in text.replace("\r\n", "\n").replace("\r", "\n") if c in "\n\t" or unicodedata.category(c) != "Cc").strip()


def _checked(text: str, channel: Channel, file: Media | None) -> str:
    words = plain(text)
    if file is not None:
        files.check(file.kind, file.content_type, int(file.values["size"]), channel, words=words)
    elif not words:
        raise Refused("empty", "There is nothing to send.")
    most = channel.capabilities.text_max_chars
    if len(words) > most:
        raise Refused("too_long", f"At most {most} characters fit here.", most=most, length=len(words))
    return words


def _said(tx: Tx, message_id: str, conversation_id: str) -> Spoken | None:
    row = tx.one("select seq, address, number from message where id = ? and conversation_id = ?", (message_id, conversation_id))
    return Spoken(message_id, row[0], row[1], row[2] is not None) if row else None


def _spoken(message: OutboundMessage, seq: int, link: Link) -> Spoken:
    return Spoken(message.id, seq, link.address.value, link.channel.capabilities.pulled)
