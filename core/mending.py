"""Messages that could not be sent because something in them is wrong: a person corrects that, and what was meant goes out after all.

Both stay in the record, each naming the other, with who did it and when. A correction is held to what the message itself was: it goes
to nobody else, to nobody who wants no more messages, and not over an agent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core import media, record
from core.deadletters import one, unsent_message
from core.model.address import Address, AddressKind
from core.model.channel import Channel
from core.model.outbound import Author, Reply
from core.record import Link
from core.routing.refused import Refused
from core.routing.speak import plain
from core.store import conversations, corrections, dead_letters, letters, parties
from core.store.api import Tx
from core.store.conversations import Conversation
from core.store.events import append
from core.store.messages import reply_of


def edit(
    tx: Tx, channels: Mapping[str, Channel], letter_id: str, by: str, now: int, *, text: str | None = None, address: Address | None = None
) -> str:
    """Send a message that was given up with another text or to another address of the same person; return the id of the new message.

    Raises `Refused`: not_found, not_editable, no_channel, empty, too_long, bad_address, other_person, opted_out, unchanged.
    """
    letter = one(tx, letter_id)
    if not letter.editable:
        raise Refused("not_editable", "Only a message whose words are known can be corrected.")
    channel = channels.get(letter.channel_id)
    if channel is None:
        raise Refused("no_channel", "The channel of this message is not configured any more.")
    message_id = unsent_message(letter_id)
    conversation, interaction_id, author, agent_id, was = _message(tx, message_id)
    on_unknown, recipient = _queued(tx, message_id)
    said = _words(was, text, channel)
    to = recipient if address is None else address
    changed = [name for name, differs in (("text", said.text != was.text), ("address", to != recipient)) if differs]
    if not changed:
        raise Refused("unchanged", "Nothing was corrected; replay it instead.")
    _may_go(tx, conversation, channel, to)
    message = record.say(
        tx, conversation, Link(channel, to, interaction_id), said, author=author, cause=message_id, ordinal="corrected", at=now,
        agent_id=agent_id, on_unknown=on_unknown, life_ms=max(dead_letters.life_ms(tx, message_id), record.REPLY_LIFE_MS),
    )  # fmt: skip
    media.record(tx, message.id, channel.id, said.media, now)
    letters.follow(tx, message.id, message_id)
    dead_letters.fence_as(tx, message.id, message_id)
    dead_letters.handle_unsent(tx, message_id, now, by, "edited")
    corrections.replace(tx, message.id, message_id)
    append(tx, conversation, "dead_letter.edited", now, ref=message_id, body={"by": by, "became": message.id, "changed": changed})
    conversations.save(tx, conversation)
    return message.id


def _message(tx: Tx, message_id: str) -> tuple[Conversation, str, Author, str | None, Reply]:
    row = tx.one("select conversation_id, interaction_id, author, agent_id, text, content from message where id = ?", (message_id,))
    if row is None:
        raise KeyError(message_id)
    return conversations.load(tx, row[0]), row[1], Author(row[2]), row[3], reply_of(row[4], row[5])


def _queued(tx: Tx, message_id: str) -> tuple[str, Address]:
    row = tx.one("select on_unknown, recipient_kind, recipient from outbox where message_id = ?", (message_id,))
    if row is None:
        raise KeyError(message_id)
    return row[0], Address(AddressKind(row[1]), row[2])


def _words(was: Reply, text: str | None, channel: Channel) -> Reply:
    if text is None:
        return was
    words, most = plain(text), channel.capabilities.text_max_chars
    if not words and not was.media:
        raise Refused("empty", "There is nothing to send.")
    if len(words) > most:
        raise Refused("too_long", f"At most {most} characters fit here.", most=most, length=len(words))
    return replace(was, text=words)


def _may_go(tx: Tx, conversation: Conversation, channel: Channel, to: Address) -> None:
    """Refuse an address that is somebody else's: what was meant for one person is shown to no other."""
    if to.kind is not channel.reaches:
        raise Refused("bad_address", "Nothing can be sent to such an address by this channel.")
    row = tx.one(
        "select party_id, opted_out_at from contact_medium where kind = ? and value = ? and valid_to is null", (to.kind.value, to.value)
    )
    if row is None:
        return
    party = parties.get(tx, conversation.party_id) or {}
    if row[0] not in {conversation.party_id, party.get("merged_into")}:
        raise Refused("other_person", "This address belongs to somebody else.")
    if row[1] is not None:
        raise Refused("opted_out", "Whoever has this address wants no more messages.")
