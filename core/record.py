"""Writing down what was said, by whom and where to, so that the record, the event log and the outbox never differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core import letters
from core.model.address import Address
from core.model.capabilities import Family
from core.model.channel import Channel
from core.model.ids import MessageId, derive
from core.model.outbound import Author, DeliveryStatus, OutboundMessage, Reply
from core.store import messages, outbox
from core.store.api import Tx
from core.store.conversations import Conversation
from core.store.events import append

MASK = "\u2022\u2022\u2022\u2022"
REPLY_LIFE_MS = 15 * 60_000
AGENT_LIFE_MS = 24 * 3_600_000
MAIL_LIFE_MS = 24 * 3_600_000  # nobody waits for a mail at the screen, and relays may be away for hours


@dataclass(frozen=True, slots=True)
class Link:
    """One line to a person: our channel, their address, and the interaction that it belongs to."""

    channel: Channel
    address: Address
    interaction_id: str


def hear(
    tx: Tx,
    conversation: Conversation,
    link: Link,
    *,
    message_id: str,
    text: str,
    content: str | None,
    at: int,
    external_id: str,
    author: Author = Author.CUSTOMER,
    late: bool = False,
) -> None:
    """Record what came in: what a customer said, or what a machine wrote, which nobody has to have seen before they answer.

    `late`: it reached us only some time after it was said.
    """
    number = messages.next_number(tx, link.address.kind, link.address.value) if link.channel.capabilities.pulled else None
    seq = append(tx, conversation, "message.in", at, ref=message_id, body={"late": True} if late else None)
    if author is Author.CUSTOMER:
        conversation.spoken_seq = seq
    messages.insert(
        tx,
        (
            message_id,
            conversation.id,
            seq,
            link.interaction_id,
            link.channel.id,
            link.address.value,
            "inbound",
            author.value,
            None,
            text,
            content,
            "received",
            at,
            external_id,
            number,
        ),
    )


def say(
    tx: Tx,
    conversation: Conversation,
    link: Link,
    reply: Reply,
    *,
    author: Author,
    cause: str,
    ordinal: int | str,
    at: int,
    agent_id: str | None = None,
    inline: bool = False,
    lost: bool = False,
    on_unknown: str | None = None,
    life_ms: int = REPLY_LIFE_MS,
) -> OutboundMessage:
    """Record what we say, and queue it unless it travels in the answer (`inline`), the client fetches it itself, or nothing can carry it.

    The row carries the owner's epoch and the number of the latest customer word, which are checked again when it is sent.
    """
    channel, address = link.channel, link.address
    message_id = MessageId(derive(cause, f"out:{ordinal}"))
    pulled = channel.capabilities.pulled
    number = messages.next_number(tx, address.kind, address.value) if pulled else None
    queued = not (inline or pulled or lost)
    status = DeliveryStatus.QUEUED if queued else DeliveryStatus.DEAD if lost else DeliveryStatus.SENT
    against = conversation.spoken_seq
    seq = append(tx, conversation, "message.out", at, ref=message_id)
    if author is Author.AGENT:
        conversation.spoken_seq = seq
    messages.insert(
        tx,
        (
            message_id,
            conversation.id,
            seq,
            link.interaction_id,
            channel.id,
            address.value,
            "outbound",
            author.value,
            agent_id,
            MASK if reply.sensitive else reply.text,
            messages.content_of(reply),
            status.value,
            at,
            cause,
            number,
        ),
    )
    if channel.capabilities.family is Family.EMAIL:
        letters.file_said(tx, channel, address, message_id=message_id, conversation_id=conversation.id, at=at)
    if queued:
        outbox.queue(
            tx,
            message_id=message_id,
            conversation=conversation,
            channel_id=channel.id,
            recipient=address,
            on_unknown=on_unknown or channel.capabilities.on_unknown.value,
            against_seq=against,
            at=at,
            expires_at=at + (MAIL_LIFE_MS if channel.capabilities.family is Family.EMAIL else life_ms),
            secret_text=reply.text if reply.sensitive else None,
        )
    return OutboundMessage(message_id, channel.address, address, reply)


def push_link(channels: Mapping[str, Channel], link: Link) -> Link | None:
    """Return the line on which this person can be written to now: the same one where the channel can send, else SMS to the same number."""
    if link.channel.capabilities.outbound:
        return link
    for channel in channels.values():
        if channel.capabilities.outbound and channel.reaches is link.address.kind and not channel.capabilities.pulled:
            return replace(link, channel=channel)
    return None
