"""A provider on a real local port that answers well, badly, late or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from tests.conformance.subject import Accepted


class Provider:
    """Answers every POST as `mode` says and keeps what it got."""

    def __init__(self, accepted: Accepted) -> None:
        self.mode = "ok"
        self.got: list[str] = []
        self.heads: list[str] = []  # method, path and names of headers of each request
        self.base = ""
        self._accepted = accepted
        self._never = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.got.append(await request.text())
        self.heads.append(f"{request.method} {request.path_qs} {sorted(name.lower() for name in request.headers)}")
        match self.mode:
            case "ok":
                return web.json_response(dict(self._accepted.document), status=self._accepted.status)
            case "hang":
                await self._never.wait()
            case "close":
                assert request.transport is not None
                request.transport.close()
            case "garbage":
                return web.Response(status=200, text="<html>it works</html>", content_type="text/html")
            case "endless":
                return web.Response(status=200, body=b"[" * 5_000_000, content_type="application/json")
            case "throttle":
                return web.Response(status=429, headers={"Retry-After": "7"})
            case "redirect":
                raise web.HTTPFound("http://127.0.0.1:1/elsewhere")
        return web.Response(status=int(self.mode) if self.mode.isdecimal() else 200, text="{]")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Provider]:
        """Listen on a free port of this machine."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.base = f"http://{host}:{port}"
        try:
            yield self
        finally:
            self._never.set()
            await runner.cleanup()
