"""Gives out a stored content so that it can do nothing: as the type that its bytes showed, in a sandbox, under a harmless name.

Must not decide who may have it, nor read it into memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from aiohttp import web

from core import media
from core.store.blobs import Blobs
from core.store.media import Item
from gateway.media.types import ENDINGS

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
}


def serve(blobs: Blobs, item: Item, headers: Mapping[str, str] | None = None) -> web.StreamResponse:
    """Return the answer with a content, or with the part of it that a player asks for; raises KeyError where it is gone."""
    path = blobs.path(item.digest or "")
    named = {"Content-Type": item.content_type, "Content-Disposition": disposition(item)}
    return web.FileResponse(path, headers={**_HEADERS, **named, **(headers or {})})


def disposition(item: Item) -> str:
    """Return how a content is to be taken: shown where that is harmless, else saved, under a name that is only a name."""
    ending = ENDINGS.get(item.content_type)
    name = item.name or (f"{item.kind}.{ending}" if ending else item.kind)
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    how = "inline" if media.shown_as(item.content_type) else "attachment"
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
