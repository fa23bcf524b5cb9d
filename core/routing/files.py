"""What of an agent's files a channel takes, said before anything is recorded, and in the words of the page.

Must not know where contents lie, nor how they reach a provider.
"""

from __future__ import annotations

from typing import Any

from core.model.channel import Channel
from core.record import Link
from core.routing.refused import Refused
from core.store import messages
from core.store.api import Tx


def check(kind: str, content_type: str, size: int, channel: Channel, *, words: str = "") -> None:
    """Raise `Refused` unless a file can go by a channel, beside these words: no_files, type_refused, too_large, no_caption, too_long."""
    able, limits = channel.capabilities, channel.capabilities.file_limits
    if not able.media:
        raise Refused("no_files", "No file can be sent this way.")
    if kind not in able.media or (limits.types and content_type not in limits.types):
        raise Refused("type_refused", "A file of this kind cannot be sent this way.")
    if limits.max_bytes and size > limits.max_bytes:
        raise Refused("too_large", f"A file of at most {limits.max_bytes / 1_000_000:.1f} MB can be sent this way.", most=limits.max_bytes)
    if words and kind not in limits.captioned:
        raise Refused("no_caption", "No text can go beside this file: send one after the other.")
    most = limits.caption_max_chars
    if most and len(words) > most:
        raise Refused("too_long", f"At most {most} characters fit beside a file.", most=most, length=len(words))


def check_heard(tx: Tx, link: Link, conversation_id: str, at: int) -> None:
    """Raise `Refused` where files go only to a person who wrote lately, and this one did not: too_late."""
    within_ms = link.channel.capabilities.file_limits.heard_within_ms
    if not within_ms:
        return
    heard_at = messages.heard_at(tx, conversation_id, link.channel.id, link.address.value)
    if heard_at is None or at - heard_at >= within_ms:
        raise Refused("too_late", f"Files can be sent this way for {within_ms // 3_600_000} hours after the customer wrote.")


def document(channel: Channel) -> dict[str, Any] | None:
    """Return the same for the page, so that it offers only what will be taken; None where no file is."""
    able, limits = channel.capabilities, channel.capabilities.file_limits
    if not able.media:
        return None
    return {
        "types": sorted(limits.types),
        "max_bytes": limits.max_bytes,
        "captioned": sorted(limits.captioned),
        "caption_max_chars": limits.caption_max_chars,
    }
