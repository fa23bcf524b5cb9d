"""The simulator's pages and what they call: one phone, a shop with the web chat, the desk beside them, and a switch for the billing system.

It acts as providers and customers do, over HTTP to the gateway's own addresses. Must not touch the store or the turn, and must not be
installed in production.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, web

from channels.numbers import msisdn
from gateway import pages
from gateway.demo.operator import NUMBERS, Demo
from gateway.demo.subscriber import OFFERINGS
from gateway.desk.demo import demo_accounts
from gateway.runtime import ConfiguredChannel, Gateway
from gateway.simulator.feed import Feed, Wire
from gateway.simulator.phones import Phones
from gateway.simulator.twilio_wire import PhoneMessage
from gateway.simulator.ussd import Network, Screen, UnknownSession

_TEXT_CHARS_MAX = 1_600
_QUEUE_MAX = 500
_BEAT_S = 15.0
_GOODBYE = "goodbye"
_API = "/simulator/api"


def install(app: web.Application, gateway: Gateway, demo: Demo) -> None:
    """Give `app` the simulator of the demo operator that the gateway runs with."""
    site = _Site(gateway, demo)
    app.cleanup_ctx.append(site.running)
    app.on_shutdown.append(site.shut)
    app.add_routes(
        [
            web.get("/", site.front),
            web.get("/simulator/shop", site.shop),
            web.get(f"{_API}/stream", site.stream),
            web.get(f"{_API}/phone", site.phone),
            web.get(f"{_API}/exchanges", site.exchanges),
            web.post(f"{_API}/sms", site.sms),
            web.post(f"{_API}/ussd", site.dial),
            web.post(f"{_API}/ussd/{{session}}", site.answer),
            web.delete(f"{_API}/ussd/{{session}}", site.hang_up),
            web.get(f"{_API}/bss", site.bss),
            web.put(f"{_API}/bss", site.bss),
        ]
    )


class _Site:
    """The handlers, and the devices behind them."""

    _http: ClientSession
    _network: Network

    def __init__(self, gateway: Gateway, demo: Demo) -> None:
        self._gateway = gateway
        self._twilio = demo.twilio
        self._bss_url = demo.bss_url
        self._feed = Feed()
        self._wire = Wire(self._feed)
        self._phones = Phones(gateway.data)
        demo.twilio.exchanges = self._wire
        demo.twilio.listen(self._arrived)

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        """Hold the connections of the simulated network for as long as the application runs."""
        self._http = ClientSession(cookie_jar=DummyCookieJar())
        ussd = self._channel("ussd")
        code, url = (ussd.channel.address.value, ussd.webhook_url) if ussd else ("", "")
        self._network = Network(self._http, self._feed, self._wire, self._gateway.clock, code=code, url=url)
        yield
        await self._network.close()
        await self._http.close()

    async def shut(self, _: web.Application) -> None:
        """Let go of the open pages."""
        self._feed.tell(_GOODBYE, {})

    # ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def front(self, request: web.Request) -> web.Response:
        """Show the devices and the desk."""
        if request.host.startswith("localhost") and "127.0.0.1" in self._gateway.url:
            raise web.HTTPFound(self._gateway.url + "/")  # the chat is allowed for the gateway's own origin only
        ussd, sms = self._channel("ussd"), self._channel("sms_twilio")
        return pages.page(
            request,
            "simulator.html",
            operator=self._gateway.settings.operator.name,
            numbers=NUMBERS,
            ussd_code=ussd.channel.address.value if ussd else "",
            sms_number=sms.channel.address.value if sms else "",
            accounts=demo_accounts(self._gateway.keys),
        )

    async def shop(self, request: web.Request) -> web.Response:
        """Show a web site with the chat on it."""
        chat = self._channel("webchat")
        operator = self._gateway.settings.operator
        return pages.page(
            request,
            "simulator_shop.html",
            operator=operator.name,
            currency=operator.currency,
            offerings=tuple(OFFERINGS.values())[:4],
            channel=chat.channel.id if chat else "",
        )

    # ── phone ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def phone(self, request: web.Request) -> web.Response:
        """Return what a phone has in its memory."""
        return web.json_response({"thread": self._phones.thread(self._number(request.query.get("msisdn")))})

    async def sms(self, request: web.Request) -> web.Response:
        """Send a text message from a phone to our number."""
        body = await _body(request)
        number, text, sms = self._number(body.get("msisdn")), body.get("text"), self._channel("sms_twilio")
        if not isinstance(text, str) or not text.strip() or len(text) > _TEXT_CHARS_MAX or sms is None:
            raise web.HTTPBadRequest
        delivered = await self._twilio.deliver(number, sms.channel.address.value, text)
        return web.json_response({"status": delivered.status})

    async def _arrived(self, message: PhoneMessage) -> None:
        """Put a message into the phone's memory when it is first heard of; later calls only change its status."""
        sent = message.direction == "inbound"
        number = message.from_ if sent else message.to
        if message.status not in {"received", "queued"} or any(kept["sid"] == message.sid for kept in self._phones.thread(number)):
            return
        document = self._phones.keep(number, sent=sent, text=message.body, at=message.at, sid=message.sid)
        self._feed.tell("sms", document)

    async def dial(self, request: web.Request) -> web.Response:
        """Dial a USSD code."""
        body = await _body(request)
        code = body.get("code")
        if not isinstance(code, str) or len(code) > 182:
            raise web.HTTPBadRequest
        return _screen(await self._network.dial(self._number(body.get("msisdn")), code))

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a USSD screen."""
        text = (await _body(request)).get("text")
        if not isinstance(text, str):
            raise web.HTTPBadRequest
        try:
            return _screen(await self._network.answer(request.match_info["session"], text))
        except UnknownSession:
            raise web.HTTPNotFound from None

    async def hang_up(self, request: web.Request) -> web.Response:
        """Cancel a USSD session."""
        await self._network.hang_up(request.match_info["session"])
        return web.Response(status=204)

    # ── what happens behind ─────────────────────────────────────────────────────────────────────────────────────────

    async def exchanges(self, _: web.Request) -> web.Response:
        """Return the newest exchanges between providers and gateway, oldest first."""
        return web.json_response([asdict(exchange) for exchange in self._wire])

    async def bss(self, request: web.Request) -> web.Response:
        """Tell how the billing system behaves, or make it behave otherwise."""
        body = json.dumps(await _body(request)) if request.method == "PUT" else None
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
        self._feed.attach(listen)
        try:
            event = "retry: 1000\n\n"
            while event is not _GOODBYE:
                await response.write(event.encode())
                event = await _next(queue)
        except ConnectionError:
            return response
        finally:
            self._feed.detach(listen)
        return response

    def _channel(self, kind: str) -> ConfiguredChannel | None:
        return next((channel for channel in self._gateway.channels.values() if channel.channel.kind == kind), None)

    def _number(self, text: object) -> str:
        address = msisdn(text, self._gateway.settings.operator.country) if isinstance(text, str) else None
        if address is None:
            raise web.HTTPBadRequest
        return address.value


_JSON = {"Content-Type": "application/json"}


async def _next(queue: asyncio.Queue[str]) -> str:
    """Return the next event, or a comment that keeps the connection alive."""
    try:
        async with asyncio.timeout(_BEAT_S):
            return await queue.get()
    except TimeoutError:
        return ":\n\n"


async def _body(request: web.Request) -> dict[str, Any]:
    """Return a JSON body; other content types are refused, so that no other web site can have a browser send one."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest
    return body


def _screen(screen: Screen) -> web.Response:
    return web.json_response(asdict(screen))
