"""What callers hear who wait in a line for people: their place, and that somebody takes them. The dialog is not told of it."""

from __future__ import annotations

import re
from dataclasses import replace

from core import calls
from core.advance import Advance
from core.model.channel import Channel
from core.model.dialog import InLine
from core.model.inbound import ContactSignal
from core.model.outbound import OutboundMessage
from core.record import Link
from core.store import conversations
from core.store.api import Tx

_PLACE = re.compile(r"[1-9][0-9]{0,3}")


def heard(tx: Tx, advance: Advance, channel: Channel, signal: ContactSignal, at: int) -> OutboundMessage | None:
    """Return what a caller hears who waits or is called out of the line; None if nobody waits for them any more.

    Who is called out of it is put through to the phone of the agent who has their work, or back into the line if nobody has it.
    """
    person = conversations.person(tx, signal.sender, channel.id)
    if person is None:
        return None
    if signal.signal == "fetched":
        found = calls.taker(tx, signal.value)
        if found is None or found[0].conversation_id != person.conversation.id:
            return None
        item, phone = found
        message = advance.aside(person, _link(channel, signal), InLine(fetched=phone is not None), signal.value, at)
        return replace(message, reply=replace(message.reply, transfer=phone or item.queue))
    if calls.in_line(tx, person.conversation, signal.value, signal.session_id or "", channel.id, at) is None:
        return None
    told = signal.signal == "waiting" and _PLACE.fullmatch(signal.text)
    return advance.aside(person, _link(channel, signal), InLine(int(signal.text) if told else None), signal.value, at)


def _link(channel: Channel, signal: ContactSignal) -> Link:
    return Link(channel, signal.sender, "")
