"""Puts contents away: judged, within the limits of the installation, durable before any row names them.

Where there is a scanner, nothing that it did not find clean can be opened: what is malicious is put aside, out of everybody's reach.
Knows no message and no provider; one instance serves whoever has a content to keep.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from dataclasses import dataclass, replace

from core.media import OPAQUE
from core.model.inbound import InboundMessage, Media
from core.store import media as rows
from core.store.api import StoreUnavailable
from core.store.blobs import Blobs
from gateway.media import types
from gateway.media.scan import Infected, NotScanned, Scanner
from gateway.runtime import Gateway

LOOK_AGAIN_MS = 60_000
NOT_SCANNED = "not_scanned"
PASSING = frozenset({NOT_SCANNED, "no_room"})  # what may be kept later
KEPT = "kept"  # among the values of an attachment: the digest of a content that waits to be scanned
ASIDE = "infected"  # of the data folder
_LOG = logging.getLogger(__name__)


class ContentRefused(Exception):
    """A content may not be kept. `code`: too_large, type_refused, empty, infected, and for now only no_room and not_scanned."""

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
        self._limits = limits = gateway.settings.media
        self._scanner = Scanner(limits.scanner, limits.scan_timeout_s) if limits.scanner else None
        self._aside = Blobs(gateway.data / ASIDE)
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
        await self._scan(content)
        kept = await asyncio.to_thread(self._put_away, self._gateway.blobs, content)
        self._kept_bytes += kept.size
        return kept

    async def keep_until_scanned(self, content: bytes) -> str:
        """Store a content that nobody may open yet, and return its digest; raises OSError."""
        return await asyncio.to_thread(self._gateway.blobs.keep, content)

    def sweep_aside(self, before_s: float) -> int:
        """Remove what was put aside before a time, in seconds since 1970; returns how many contents. Raises OSError."""
        return sum(self._aside.sweep(aged, before_s) for aged in self._aside.aged(before_s))

    async def _scan(self, content: bytes) -> None:
        if self._scanner is None:
            return
        try:
            await self._scanner.check(content)
        except Infected as infected:
            digest = await asyncio.to_thread(self._aside.keep, content)
            _LOG.warning("a content is malicious (%s) and put aside as %s", infected, digest)
            raise ContentRefused("infected") from None
        except NotScanned as unknown:
            _LOG.warning("a content could not be scanned: %s", unknown)
            raise ContentRefused(NOT_SCANNED) from None

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
        told = {"refused": refused.code}
        if refused.code == NOT_SCANNED:  # a loop fetches it from where it is now, once it can be scanned
            told = {KEPT: await _kept_until_scanned(contents, item.content)}
        return replace(item, content=b"", content_type=OPAQUE, values={**item.values, **told})
    except OSError as error:
        raise _unwritable() from error
    values = {**item.values, "digest": kept.digest, "size": str(kept.size)}
    return replace(item, content=b"", content_type=kept.content_type, values=values)


async def _kept_until_scanned(contents: Contents, content: bytes) -> str:
    try:
        return await contents.keep_until_scanned(content)
    except OSError as error:
        raise _unwritable() from error


def _unwritable() -> StoreUnavailable:
    return StoreUnavailable("io_error", "the folder of contents cannot be written to")
