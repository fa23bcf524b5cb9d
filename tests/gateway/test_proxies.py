"""Whose word about the caller is believed, and how far."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from gateway.proxies import behind, client_of

OURS = tuple(ip_network(network) for network in ("10.0.0.0/8", "fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.7"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["<script>"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("fd00::1", ["2001:db8::5"], "2001:db8::5"),
        ("::ffff:10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("", ["198.51.100.7"], ""),
    ],
)
def test_the_last_address_that_a_trusted_proxy_saw(peer: str, forwarded: list[str], caller: str) -> None:
    assert client_of(peer, forwarded, OURS) == caller


@pytest.mark.parametrize(("networks", "caller"), [(["127.0.0.0/8"], "198.51.100.7"), (["10.0.0.0/8"], "127.0.0.1")])
async def test_handlers_see_the_caller(networks: list[str], caller: str) -> None:
    async def who(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.remote} {await request.text()}")

    app = web.Application(middlewares=[behind(networks)])
    app.router.add_post("/", who)
    async with TestServer(app) as server, ClientSession() as session:
        answer = await session.post(server.make_url("/"), data="body", headers={"X-Forwarded-For": "198.51.100.7"})
        assert await answer.text() == f"{caller} body"
