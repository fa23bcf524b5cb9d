"""Attachments at the desk: a content that is stored, for signed-in agents, of conversations that were handed over.

Whatever it is, it cannot act: it is served as the type that its bytes showed, in a sandbox, and what is not for showing only as a
download. Must not read contents into memory.
"""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from core import media
from core.routing import person
from core.routing.refused import Refused
from core.store import media as rows
from core.store.api import Tx
from core.store.media import Item
from gateway.desk.auth import Caller, Problem
from gateway.media.types import ENDINGS
from gateway.runtime import Gateway

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
}


class Attachments:
    """Handlers of one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def content(self, request: web.Request, _: Caller) -> web.StreamResponse:
        """Answer with a content, or the part of it that a player asks for."""
        media_id = request.match_info["media"]
        item = await self._gateway.store.read(lambda tx: _handed_over(tx, media_id))
        try:
            path = self._gateway.blobs.path(item.digest or "")
        except KeyError:
            raise Problem(410, "gone", "The content is not there any more.") from None
        return web.FileResponse(path, headers={**_HEADERS, "Content-Type": item.content_type, "Content-Disposition": disposition(item)})


def _handed_over(tx: Tx, media_id: str) -> Item:
    """Return a stored attachment of a conversation that an agent may read; any other is not there."""
    item = rows.find(tx, media_id)
    if item is not None and item.state == "stored":
        conversation_id = rows.conversation_of(tx, item.message_id)
        if any(person.latest_item(tx, one) for one in person.conversation_ids(tx, conversation_id)):
            return item
    raise Refused("not_found", "There is no such attachment.")


def disposition(item: Item) -> str:
    """Return how a content is to be taken: shown where that is harmless, else saved, under a name that is only a name."""
    ending = ENDINGS.get(item.content_type)
    name = item.name or (f"{item.kind}.{ending}" if ending else item.kind)
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    how = "inline" if media.document(item)["shown"] else "attachment"
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
