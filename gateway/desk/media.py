"""Attachments at the desk: a content that is stored, for signed-in agents, of conversations that were handed over."""

from __future__ import annotations

from aiohttp import web

from core.routing import person
from core.routing.refused import Refused
from core.store import media as rows
from core.store.api import Tx
from core.store.media import Item
from gateway.desk.auth import Caller, Problem
from gateway.media.serving import serve
from gateway.runtime import Gateway


class Attachments:
    """Handlers of one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def content(self, request: web.Request, _: Caller) -> web.StreamResponse:
        """Answer with a content, or the part of it that a player asks for."""
        media_id = request.match_info["media"]
        item = await self._gateway.store.read(lambda tx: _handed_over(tx, media_id))
        try:
            return serve(self._gateway.blobs, item)
        except KeyError:
            raise Problem(410, "gone", "The content is not there any more.") from None


def _handed_over(tx: Tx, media_id: str) -> Item:
    """Return a stored attachment of a conversation that an agent may read; any other is not there."""
    item = rows.find(tx, media_id)
    if item is not None and item.state == "stored":
        conversation_id = rows.conversation_of(tx, item.message_id)
        if any(person.latest_item(tx, one) for one in person.conversation_ids(tx, conversation_id)):
            return item
    raise Refused("not_found", "There is no such attachment.")
