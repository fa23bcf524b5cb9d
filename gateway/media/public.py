"""The addresses under which a provider fetches what we send: each for one content, signed, good for a short while, and listed nowhere.

Must not give out a content that no message of ours carries, nor tell a wrong address from one that is over.
"""

from __future__ import annotations

from aiohttp import web

from config.keys import Keys
from core.store import media as rows
from gateway.media.serving import serve
from gateway.media.signed import Signer
from gateway.runtime import Gateway

PATH = "/m"
LIFE_MS = 2 * 3_600_000  # providers fetch when they send, which may be some time after they have taken a message


def install(app: web.Application, gateway: Gateway) -> None:
    """Give `app` the route by which contents are fetched."""
    app.router.add_get(f"{PATH}/{{token}}", _Contents(gateway).give)


def address(gateway: Gateway, media_id: str) -> str:
    """Return where one attachment can be fetched from now on, for a while."""
    token = _signer(gateway.keys).sign([media_id], gateway.clock.now_ms() + LIFE_MS)
    return f"{gateway.url}{PATH}/{token}"


class _Contents:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._signer = _signer(gateway.keys)

    async def give(self, request: web.Request) -> web.StreamResponse:
        """Answer with the content of an address."""
        values = self._signer.read(request.match_info["token"], self._gateway.clock.now_ms())
        if values is None:
            raise web.HTTPNotFound
        item = await self._gateway.store.read(lambda tx: rows.find(tx, values[0]))
        if item is None or item.state != "stored":
            raise web.HTTPNotFound
        try:
            return serve(self._gateway.blobs, item)
        except KeyError:
            raise web.HTTPNotFound from None


def _signer(keys: Keys) -> Signer:
    return Signer(keys.derive("addresses of contents"))
