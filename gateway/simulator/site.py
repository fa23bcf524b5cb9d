"""The simulator's pages: a customer's devices, a shop with the web chat, the desk beside them, and a switch for the billing system.

The devices act as providers and customers do, over HTTP to the gateway's own addresses. Must not touch the store or the turn, and must
not be installed in production.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, web

from gateway import pages
from gateway.demo.operator import NUMBERS, Demo
from gateway.demo.subscriber import OFFERINGS
from gateway.desk.demo import demo_accounts
from gateway.runtime import Gateway
from gateway.simulator import calling, dialling, mailbox, received, telegram_app, texting
from gateway.simulator.scene import API, Scene, json_body

_QUEUE_MAX = 500
_BEAT_S = 15.0
_GOODBYE = "goodbye"
_APPS = ("sms", "whatsapp", "telegram", "mail")
_DEVICES = (texting.install, dialling.install, calling.install, telegram_app.install, mailbox.install, received.install)


def install(app: web.Application, gateway: Gateway, demo: Demo) -> None:
    """Give `app` the simulator of the demo operator that the gateway runs with."""
    scene = Scene(gateway, demo)
    site = _Site(scene)
    app.cleanup_ctx.append(site.running)
    app.on_shutdown.append(site.shut)
    app.add_routes(
        [
            web.get("/", site.front),
            web.get("/simulator/shop", site.shop),
            web.get(f"{API}/stream", site.stream),
            web.get(f"{API}/phone", site.phone),
            web.get(f"{API}/exchanges", site.exchanges),
            web.get(f"{API}/bss", site.bss),
            web.put(f"{API}/bss", site.bss),
        ]
    )
    for device in _DEVICES:
        device(app, scene)


class _Site:
    """The handlers of the pages, and of what is behind all devices."""

    _http: ClientSession

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._gateway = scene.gateway
        self._bss_url = scene.demo.bss_url
        scene.demo.twilio.exchanges = scene.wire

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        """Hold the connections to the billing system for as long as the application runs."""
        self._http = ClientSession(cookie_jar=DummyCookieJar())
        yield
        await self._http.close()

    async def shut(self, _: web.Application) -> None:
        """Let go of the open pages."""
        self._scene.feed.tell(_GOODBYE, {})

    # ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def front(self, request: web.Request) -> web.Response:
        """Show the devices and the desk."""
        if request.host.startswith("localhost") and "127.0.0.1" in self._gateway.url:
            raise web.HTTPFound(self._gateway.url + "/")  # the chat is allowed for the gateway's own origin only
        scene = self._scene
        return pages.page(
            request,
            "simulator.html",
            operator=self._gateway.settings.operator.name,
            numbers=NUMBERS,
            addresses={
                kind: scene.address(kind) for kind in ("ussd", "sms_twilio", "voice_twilio", "whatsapp_twilio", "telegram", "email")
            },
            accounts=demo_accounts(self._gateway.keys),
        )

    async def shop(self, request: web.Request) -> web.Response:
        """Show a web site with the chat on it."""
        chat = self._scene.channel("webchat")
        operator = self._gateway.settings.operator
        return pages.page(
            request,
            "simulator_shop.html",
            operator=operator.name,
            currency=operator.currency,
            offerings=tuple(OFFERINGS.values())[:4],
            channel=chat.channel.id if chat else "",
        )

    # ── what happens behind ─────────────────────────────────────────────────────────────────────────────────────────

    async def phone(self, request: web.Request) -> web.Response:
        """Return what the apps of a phone have in their memory."""
        number = self._scene.number(request.query.get("msisdn"))
        return web.json_response({app: self._scene.phones.thread(app, number) for app in _APPS})

    async def exchanges(self, _: web.Request) -> web.Response:
        """Return the newest exchanges between providers and gateway, oldest first."""
        return web.json_response([asdict(exchange) for exchange in self._scene.wire])

    async def bss(self, request: web.Request) -> web.Response:
        """Tell how the billing system behaves, or make it behave otherwise."""
        body = json.dumps(await json_body(request)) if request.method == "PUT" else None
        try:
            async with self._http.request(
                request.method, f"{self._bss_url}/demo/behaviour", data=body, headers=_JSON, timeout=ClientTimeout(total=5)
            ) as answer:
                return web.Response(status=answer.status, text=await answer.text(), content_type="application/json")
        except (ClientError, TimeoutError):
            raise web.HTTPServiceUnavailable from None

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Tell an open page what happens, as server-sent events."""
        queue: asyncio.Queue[str] = asyncio.Queue(_QUEUE_MAX)

        def listen(kind: str, document: Mapping[str, Any]) -> None:
            with suppress(asyncio.QueueFull):  # a page that does not read misses what it does not show
                queue.put_nowait(_GOODBYE if kind == _GOODBYE else f"event: {kind}\ndata: {json.dumps(document)}\n\n")

        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        self._scene.feed.attach(listen)
        try:
            event = "retry: 1000\n\n"
            while event is not _GOODBYE:
                await response.write(event.encode())
                event = await _next(queue)
        except ConnectionError:
            return response
        finally:
            self._scene.feed.detach(listen)
        return response


_JSON = {"Content-Type": "application/json"}


async def _next(queue: asyncio.Queue[str]) -> str:
    """Return the next event, or a comment that keeps the connection alive."""
    try:
        async with asyncio.timeout(_BEAT_S):
            return await queue.get()
    except TimeoutError:
        return ":\n\n"
