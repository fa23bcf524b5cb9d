"""What the operator's files look like on a phone: the page shows what the stand-ins of the providers have taken.

Must not give out what did not go over a provider's wire.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from core.media import shown_as
from gateway.media import types
from gateway.simulator.scene import API, Scene


def install(app: web.Application, scene: Scene) -> None:
    """Give `app` the files that phones have received."""
    app.router.add_get(f"{API}/files/{{file}}", _Received(scene).give)


def received(name: str, found: tuple[str, bytes] | None) -> dict[str, Any] | None:
    """Return a file as the page shows it, None for one that is not there any more."""
    return {"address": f"{API}/files/{name}", "shown": shown_as(types.served_as(found[1]))} if found else None


class _Received:
    def __init__(self, scene: Scene) -> None:
        self._demo = scene.demo

    async def give(self, request: web.Request) -> web.Response:
        """Answer with a file, as what its bytes are."""
        name = request.match_info["file"]
        found = self._demo.twilio.files.find(name) or self._demo.telegram.find(name)
        if found is None:
            raise web.HTTPNotFound
        return web.Response(body=found[1], content_type=types.served_as(found[1]))
