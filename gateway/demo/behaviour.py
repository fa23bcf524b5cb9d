"""How the demo operator misbehaves on request: slow, failing or down, so that people and tests can see what a customer sees then.

A change of behaviour lets go every answer that is being held, so nobody has to wait for a slow one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aiohttp import web

from gateway.demo.wire import Refusal


class Mode(StrEnum):
    """Answers: at once; after a delay (the work is done before it); with status 500; not at all, the connection is closed."""

    OK = "ok"
    SLOW = "slow"
    FAIL = "fail"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One way to behave, for the paths that begin with one of `paths` (all, if empty); `delay_s` in seconds is for `slow`."""

    mode: Mode = Mode.OK
    delay_s: float = 8.0
    paths: tuple[str, ...] = ()

    @classmethod
    def read(cls, body: dict[str, Any]) -> Behaviour:
        """Read the JSON of a PUT; raises `Refusal`."""
        if body.keys() - {"mode", "delay_s", "paths"}:
            raise Refusal(400, "bad_request", "expected mode, delay_s and paths")
        delay, paths = body.get("delay_s", 8.0), body.get("paths", [])
        if body.get("mode") not in list(Mode):
            raise Refusal(400, "bad_request", "mode is one of " + ", ".join(Mode))
        if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay <= 120:
            raise Refusal(400, "bad_request", "delay_s is a number from 0 to 120")
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise Refusal(400, "bad_request", "paths is a list of texts")
        return cls(Mode(body["mode"]), float(delay), tuple(paths))

    def json(self) -> dict[str, Any]:
        """Return the JSON of a GET."""
        return {"mode": self.mode, "delay_s": self.delay_s, "paths": list(self.paths)}

    def applies_to(self, path: str) -> bool:
        """Tell whether a request for `path` is meant."""
        return not self.paths or path.startswith(self.paths)


class Stage:
    """Holds the current behaviour, and the answers that it delays; `held` counts them, `changed` is set when the behaviour changes."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.held = 0
        self.changed = asyncio.Event()

    def change(self, behaviour: Behaviour) -> None:
        """Behave like this from now on, and let go what is held."""
        self.behaviour = behaviour
        self.changed.set()
        self.changed = asyncio.Event()

    async def hold(self, delay_s: float, changed: asyncio.Event) -> None:
        """Wait `delay_s` seconds, or until `changed`, which was current when the request came, tells of another behaviour."""
        self.held += 1
        try:
            async with asyncio.timeout(delay_s):
                await changed.wait()
        except TimeoutError:
            return
        finally:
            self.held -= 1


def middleware(stage: Stage) -> Any:
    """Return the aiohttp middleware that plays the current behaviour on everything but the demo's own paths."""

    @web.middleware
    async def play(request: web.Request, handler: Any) -> web.StreamResponse:
        behaviour = stage.behaviour
        if request.path.startswith("/demo/") or not behaviour.applies_to(request.path):
            return await handler(request)  # type: ignore[no-any-return]
        match behaviour.mode:
            case Mode.FAIL:
                return web.json_response({"code": "internal", "reason": "Internal error", "status": "500"}, status=500)
            case Mode.DOWN:
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=503)
            case Mode.SLOW:
                changed = stage.changed
                answer: web.StreamResponse = await handler(request)
                await stage.hold(behaviour.delay_s, changed)
                return answer
            case Mode.OK:
                return await handler(request)  # type: ignore[no-any-return]

    return play
