"""Identifiers: text UUIDs that sort by time, and ids derived from the cause of a row.

A repeated unit of work must write the same rows, so whatever a turn writes takes its id from the id of the
event that caused it (`derive`), never from a new random number.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import NewType

PartyId = NewType("PartyId", str)
ConversationId = NewType("ConversationId", str)
InteractionId = NewType("InteractionId", str)
MessageId = NewType("MessageId", str)
ActionId = NewType("ActionId", str)
TimerId = NewType("TimerId", str)
WorkItemId = NewType("WorkItemId", str)
CaseId = NewType("CaseId", str)
AgentId = NewType("AgentId", str)
ChannelId = NewType("ChannelId", str)


def uuid7(now_ms: int, random: Callable[[int], bytes]) -> str:
    """Return a UUID version 7 (RFC 9562 section 5.7) for `now_ms`, with 74 random bits."""
    value = (now_ms & 0xFFFFFFFFFFFF) << 80 | int.from_bytes(random(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def derive(cause: str, name: str) -> str:
    """Return the id of the effect `name` of `cause`: the same two always give the same UUID (version 8).

    The 48 bits of time of `cause` are kept, so derived rows stay next to each other in an index.
    """
    text = blake2b(f"{cause}\x1f{name}".encode(), digest_size=9).hexdigest()
    return f"{cause[:13]}-8{text[:3]}-a{text[3:6]}-{text[6:18]}"
