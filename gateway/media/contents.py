"""Puts contents away: judged, within the limits of the installation, durable before any row names them.

Knows no message and no provider; one instance serves whoever has a content to keep.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass, replace

from core.media import OPAQUE
from core.model.inbound import InboundMessage, Media
from core.store import media as rows
from core.store.api import StoreUnavailable
from core.store.blobs import Blobs
from gateway.media import types
from gateway.runtime import Gateway

LOOK_AGAIN_MS = 60_000


class ContentRefused(Exception):
    """A content may not be kept. `code`: too_large, type_refused, empty, and for now only no_room."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Kept:
    """A content that is on disk: its digest, its size in bytes, and the type it is served as."""

    digest: str
    size: int
    content_type: str


class Contents:
    """The contents of one gateway. How much there is already is counted in the store now and then, and added to in between."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._limits = gateway.settings.media
        self._kept_bytes = 0
        self._counted_at: int | None = None

    async def keep(self, content: bytes) -> Kept:
        """Store a content; raises `ContentRefused`, and OSError where the disk fails."""
        limits = self._limits
        if not content:
            raise ContentRefused("empty")
        if len(content) > limits.max_bytes:
            raise ContentRefused("too_large")
        if await self._stored_bytes() + len(content) > limits.quota_bytes:
            raise ContentRefused("no_room")
        kept = await asyncio.to_thread(self._put_away, self._gateway.blobs, content)
        self._kept_bytes += kept.size
        return kept

    def _put_away(self, blobs: Blobs, content: bytes) -> Kept:
        kind = types.detect(content)
        if kind in self._limits.refused_types or f"{kind.partition('/')[0]}/*" in self._limits.refused_types:
            raise ContentRefused("type_refused")
        if shutil.disk_usage(self._gateway.data).free < self._limits.free_min_bytes + len(content):
            raise ContentRefused("no_room")
        return Kept(blobs.keep(content), len(content), types.served_as(content))

    async def _stored_bytes(self) -> int:
        now = self._gateway.clock.now_ms()
        if self._counted_at is None or abs(now - self._counted_at) > LOOK_AGAIN_MS:
            self._counted_at = now
            self._kept_bytes = await self._gateway.store.read(rows.kept_bytes)
        return self._kept_bytes


async def with_contents_kept(gateway: Gateway, said: InboundMessage) -> InboundMessage:
    """Return a message with the contents that it brought along in store, before it is recorded; raises `StoreUnavailable`."""
    return replace(said, media=tuple([await _with_content_kept(gateway.contents, item) for item in said.media]))


async def _with_content_kept(contents: Contents, item: Media) -> Media:
    if not item.content:
        return item
    try:
        kept = await contents.keep(item.content)
    except ContentRefused as refused:
        return replace(item, content=b"", content_type=OPAQUE, values={**item.values, "refused": refused.code})
    except OSError as error:
        raise StoreUnavailable("io_error", "the folder of contents cannot be written to") from error
    values = {**item.values, "digest": kept.digest, "size": str(kept.size)}
    return replace(item, content=b"", content_type=kept.content_type, values=values)
