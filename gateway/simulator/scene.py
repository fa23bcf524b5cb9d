"""What the simulator's devices have in common: the gateway they speak to, what they tell the page, and how the page asks them.

Must not know any one device.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aiohttp import web

from channels.numbers import msisdn
from gateway import pages
from gateway.demo.operator import Demo
from gateway.runtime import ConfiguredChannel, Gateway
from gateway.simulator.feed import Feed, Wire
from gateway.simulator.phones import Phones

API = "/simulator/api"


class Scene:
    """One demo with its devices: `feed` tells open pages, `wire` keeps what went over the wire, `phones` what each phone got."""

    def __init__(self, gateway: Gateway, demo: Demo) -> None:
        self.gateway = gateway
        self.demo = demo
        self.feed = Feed()
        self.wire = Wire(self.feed)
        self.phones = Phones(gateway.data)

    def channel(self, kind: str) -> ConfiguredChannel | None:
        """Return the first configured channel of a kind."""
        return next((channel for channel in self.gateway.channels.values() if channel.channel.kind == kind), None)

    def address(self, kind: str) -> str:
        """Return the address of the first channel of a kind, empty where there is none."""
        channel = self.channel(kind)
        return channel.channel.address.value if channel else ""

    def number(self, text: object) -> str:
        """Return a phone's number in E.164; answers 400 for what is none."""
        address = msisdn(text, self.gateway.settings.operator.country) if isinstance(text, str) else None
        if address is None:
            raise web.HTTPBadRequest
        return address.value


async def json_body(request: web.Request) -> dict[str, Any]:
    """Return a JSON object; other content types are refused, so that no other web site can have a browser send one."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest
    return body


def text_of(body: Mapping[str, Any], name: str, *, most: int) -> str:
    """Return a text of a body, at most `most` characters; answers 400 for anything else."""
    text = body.get(name)
    if not isinstance(text, str) or len(text) > most:
        raise web.HTTPBadRequest
    return text


@cache
def sample() -> bytes:
    """Return the picture that people here attach, a PNG."""
    return (pages.STATIC / "simulator" / "sample.png").read_bytes()
