"""What the desk shows of a mail on demand: what was quoted and signed, and how it looked.

The look of a mail is HTML that was made safe when the mail was read, and is shown in a frame of its own in which nothing runs and from
which nothing is fetched. Must not give out the raw mail.
"""

from __future__ import annotations

from aiohttp import web

from core.routing import person
from core.routing.refused import Refused
from core.store import letters
from core.store.api import Tx
from gateway.desk.auth import Caller
from gateway.runtime import Gateway

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
}
_PAGE = '<!doctype html><html><head><meta charset="utf-8"><title>Mail</title></head><body dir="auto">{}</body></html>'


class Mails:
    """Handlers of one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def parts(self, request: web.Request, _: Caller) -> web.StreamResponse:
        """Answer with what was quoted in a mail and how it was signed."""
        body = await self._body(request)
        return web.json_response({"quoted": body.get("quoted", ""), "signature": body.get("signature", "")})

    async def look(self, request: web.Request, _: Caller) -> web.StreamResponse:
        """Answer with a mail as it looked, for a frame."""
        html = (await self._body(request)).get("safe_html", "")
        if not html:
            raise Refused("not_found", "There is no such mail.")
        before, _mark, after = _PAGE.partition("{}")
        return web.Response(text=before + html + after, content_type="text/html", headers=HEADERS)

    async def _body(self, request: web.Request) -> dict[str, str]:
        message_id = request.match_info["message"]
        return await self._gateway.store.read(lambda tx: _body(tx, message_id))


def _body(tx: Tx, message_id: str) -> dict[str, str]:
    """Return the parts of a mail in a conversation that was handed over; any other is nobody's to read."""
    found = letters.body_of(tx, message_id)
    if found is None or all(person.latest_item(tx, one) is None for one in person.conversation_ids(tx, found[0])):
        raise Refused("not_found", "There is no such mail.")
    return found[1]
