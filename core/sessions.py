"""Sessions of a transport: which one a message belongs to, and what in it is new.

Must not know a dialog; where a dialog goes on is its own business.
"""

from __future__ import annotations

from core.model.inbound import InboundMessage, Session
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
