"""The phone's dialler for USSD codes: what the page calls, and the simulated network behind it. Must not know what screens mean."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict

from aiohttp import ClientSession, DummyCookieJar, web

from gateway.simulator.scene import API, Scene, json_body, text_of
from gateway.simulator.ussd import Network, Screen, UnknownSession

_CODE_CHARS_MAX = 182
_ANSWER_CHARS_MAX = 1_000


def install(app: web.Application, scene: Scene) -> None:
    """Give `app` the dialler."""
    dialler = _Dialler(scene)
    app.cleanup_ctx.append(dialler.running)
    app.add_routes(
        [
            web.post(f"{API}/ussd", dialler.dial),
            web.post(f"{API}/ussd/{{session}}", dialler.answer),
            web.delete(f"{API}/ussd/{{session}}", dialler.hang_up),
        ]
    )


class _Dialler:
    _network: Network

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        """Hold the connections of the simulated network for as long as the application runs."""
        async with ClientSession(cookie_jar=DummyCookieJar()) as http:
            ussd = self._scene.channel("ussd")
            code, url = (ussd.channel.address.value, ussd.webhook_url) if ussd else ("", "")
            self._network = Network(http, self._scene.feed, self._scene.wire, self._scene.gateway.clock, code=code, url=url)
            yield
            await self._network.close()

    async def dial(self, request: web.Request) -> web.Response:
        """Dial a USSD code."""
        body = await json_body(request)
        code = text_of(body, "code", most=_CODE_CHARS_MAX)
        return _screen(await self._network.dial(self._scene.number(body.get("msisdn")), code))

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a USSD screen."""
        text = text_of(await json_body(request), "text", most=_ANSWER_CHARS_MAX)
        try:
            return _screen(await self._network.answer(request.match_info["session"], text))
        except UnknownSession:
            raise web.HTTPNotFound from None

    async def hang_up(self, request: web.Request) -> web.Response:
        """Cancel a USSD session."""
        await self._network.hang_up(request.match_info["session"])
        return web.Response(status=204)


def _screen(screen: Screen) -> web.Response:
    return web.json_response(asdict(screen))
