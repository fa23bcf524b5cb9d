"""Where a message stands in the session of its transport and what in it is new, and when an interaction is over for want of words.

Must not know a dialog; where a dialog goes on is its own business.
"""

from __future__ import annotations

from core.model.inbound import InboundMessage, Session
from core.store import conversations, interactions, timers
from core.store.api import Tx
from core.store.conversations import Conversation


def new_part(conversation: Conversation, channel_id: str, said: InboundMessage) -> tuple[Session, tuple[str, ...]]:
    """Return what is new in a message. Where a network repeats the whole session's input, the new part begins where the old one ended."""
    if said.session_id is None:
        conversation.session_secret = 0
        return said.session, (said.text,) if said.text or said.choice is None else ()
    known = conversation.session_channel == channel_id and conversation.session_id == said.session_id
    seen = conversation.session_seen if known else None
    if not known:
        conversation.session_channel, conversation.session_id, conversation.session_secret = channel_id, said.session_id, 0
    conversation.session_seen = len(said.text)
    if not said.cumulative:
        return (Session.RESUME if known else Session.NEW), (said.text,)
    if seen is None:
        return Session.NEW, tuple(said.text.split("*")) if said.text else ()
    if len(said.text) < seen:  # some networks send only the last input after all
        return Session.RESUME, (said.text,)
    new = said.text[seen:]
    return Session.RESUME, (new.removeprefix("*") if seen else new,)


def close_when_silent(tx: Tx, conversation_id: str, interaction_id: str, at: int, after_ms: int) -> bool:
    """Close an interaction in which nobody has spoken for so long, else look again later; tells whether it was closed."""
    conversation = conversations.load(tx, conversation_id)
    stored = interactions.get(tx, interaction_id)
    if stored is None or stored["status"] != "open":
        return False
    quiet_until = stored["last_at"] + after_ms
    if quiet_until > at or conversation.owner != "bot":
        timers.set_one(tx, conversation_id, f"close:{interaction_id}", max(quiet_until, at + after_ms // 4), {}, interaction_id)
        return False
    interactions.close_one(tx, conversation, interaction_id, reason="timeout", at=at)
    conversations.save(tx, conversation)
    return True
