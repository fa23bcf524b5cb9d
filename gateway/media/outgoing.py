"""Gives a message that is about to be sent its contents: the bytes themselves, or an address for a provider that fetches them.

The record has only digests, so this happens for each attempt, right before it. Must not choose what a channel can carry.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from core.model.capabilities import FileLimits
from core.model.ids import derive
from core.model.inbound import Media
from core.model.outbound import OutboundMessage, SendError, SendErrorCode
from gateway.media import public
from gateway.runtime import Gateway


async def with_contents(gateway: Gateway, message: OutboundMessage, limits: FileLimits) -> OutboundMessage:
    """Return a message as its adapter can send it; raises `SendError` where a content is gone."""
    if not message.reply.media:
        return message
    media = [await _with_content(gateway, message, limits, position, item) for position, item in enumerate(message.reply.media)]
    return replace(message, reply=replace(message.reply, media=tuple(media)))


async def _with_content(gateway: Gateway, message: OutboundMessage, limits: FileLimits, position: int, item: Media) -> Media:
    digest = item.values.get("digest")
    if digest is None:
        return item
    if limits.by_address:
        return replace(item, url=public.address(gateway, derive(message.id, f"media:{position}")), values={})
    try:
        content = await asyncio.to_thread(gateway.blobs.read, digest)
    except KeyError:
        raise SendError(SendErrorCode.UNSUPPORTED, retryable=False, ours=True, detail="the content is gone") from None
    return replace(item, content=content, values={})
