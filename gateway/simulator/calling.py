"""The telephone, which calls and rings, and the phone of an agent who is dialled: what the page asks. Must not know what is said."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from gateway.simulator.scene import API, Scene, json_body, text_of
from gateway.simulator.twilio_call import UnknownCall
from gateway.simulator.twilio_placed import ANSWERS, NOT_ANSWERED, Telephone

_KEYS = frozenset("0123456789*#")
_ACTS = frozenset({"answer", "busy", "no-answer", "hang-up"})
_SPEECH_CHARS_MAX = 500


def install(app: web.Application, scene: Scene) -> None:
    """Give `app` the telephone."""
    telephone = _Calling(scene)
    app.cleanup_ctx.append(telephone.running)
    app.add_routes(
        [
            web.post(f"{API}/call", telephone.dial),
            web.get(f"{API}/ringing", telephone.ringing),
            web.post(f"{API}/call/{{call}}", telephone.act),
            web.post(f"{API}/call/{{call}}/end", telephone.end),
        ]
    )


class _Calling:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._calls = Telephone(scene.demo.twilio, scene.feed)

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        """End the calls with the application."""
        yield
        await self._calls.close()

    async def dial(self, request: web.Request) -> web.Response:
        """Call a number."""
        body = await json_body(request)
        number = text_of(body, "number", most=40)
        return web.json_response(await self._calls.dial(self._scene.number(body.get("msisdn")), self._scene.number(number)))

    async def ringing(self, request: web.Request) -> web.Response:
        """Return the call for which a phone rings now, or null."""
        return web.json_response(self._calls.ringing(self._scene.number(request.query.get("msisdn"))))

    async def act(self, request: web.Request) -> web.Response:
        """Press a key, say something, look, or let the time run out: `{"key": "1"}`, `{"say": "…"}`, `{"look": true}`, `{"wait": true}`.

        `{"recorded": 3}` ends a recording; `{"ringing": "answer"}` is what happens to a phone that
        rings, `{"agent": "answer"}` what the agent's phone does, and `on: "agent"` sends the others there.
        """
        body, call = await json_body(request), request.match_info["call"]
        on_agent = body.get("on") == "agent"
        try:
            match body:
                case {"key": str(key)} if key in _KEYS:
                    shown = await self._calls.press(call, key, agent=on_agent)
                case {"say": str(text)} if 0 < len(text.strip()) <= _SPEECH_CHARS_MAX:
                    shown = await self._calls.say(call, text.strip())
                case {"look": True}:
                    shown = await self._calls.look(call)
                case {"wait": True}:
                    shown = await self._calls.wait(call, agent=on_agent)
                case {"recorded": int(seconds)}:
                    shown = await self._calls.recorded(call, seconds)
                case {"ringing": str(act)} if act in ANSWERS or act in NOT_ANSWERED:
                    shown = await self._calls.pick_up(call, act)
                case {"agent": str(act)} if act in _ACTS:
                    shown = await self._calls.agent(call, act)
                case _:
                    raise web.HTTPBadRequest
        except UnknownCall:
            raise web.HTTPNotFound from None
        return web.json_response(shown)

    async def end(self, request: web.Request) -> web.Response:
        """Hang up, with what was recorded until then; `{"drop": true}` loses the call without a word to anybody."""
        body, call = await json_body(request), request.match_info["call"]
        seconds = body.get("recorded", 0)
        try:
            if body.get("drop") is True:
                self._calls.drop(call)
            else:
                await self._calls.hang_up(call, recorded_s=seconds if isinstance(seconds, int) else 0)
        except UnknownCall:
            raise web.HTTPNotFound from None
        return web.Response(status=204)
