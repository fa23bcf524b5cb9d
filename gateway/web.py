"""The public web application: webhooks here, pages and sockets from the modules that own them, and what every request must obey."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable

from aiohttp import web

from core.model.inbound import AuthenticationFailed, RawRequest
from core.model.outbound import Answer, SendError
from core.store.api import StoreUnavailable
from gateway import pages, proxies, webchat
from gateway.desk import routes as desk
from gateway.media import public
from gateway.receive import receive
from gateway.runtime import GATEWAY, ConfiguredChannel, Gateway
from gateway.simulator import site as simulator

BODY_TIMEOUT_S = 10.0
IN_FLIGHT_MAX = 500
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
_FAILED = web.RequestKey("failed", Exception)  # what became of a request


def make_app(gateway: Gateway) -> web.Application:
    """Build the application of a gateway."""
    app = web.Application(client_max_size=gateway.settings.server.body_max_bytes)
    app[GATEWAY] = gateway
    if gateway.settings.server.trusted_proxies:
        app.middlewares.append(proxies.behind(gateway.settings.server.trusted_proxies))
    pages.install(app, public_url=gateway.url, framed=gateway.settings.mode == "demo")
    app[WEBHOOKS] = webhooks = Webhooks(gateway)
    app.router.add_route("*", "/c/{channel}/{secret}", webhooks.handle)
    webchat.install(app, gateway)
    desk.install(app, gateway)
    public.install(app, gateway)
    if gateway.demo is not None:
        simulator.install(app, gateway, gateway.demo)
    return app


class Webhooks:
    """The door for providers. `in_flight` bounds what waits here; beyond it a provider is told to come back."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._in_flight = 0
        self._trusted = proxies.parsed(gateway.settings.server.trusted_proxies)

    def before(self, application: Handler) -> Handler:
        """Return what answers providers at once, and leaves all else to the application: what they ask for, and what cannot be granted.

        Routes, middlewares and headers for browsers take ten microseconds of each request, and providers need none of them.
        """

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            configured = self._expected(request)
            if configured is None:
                return await application(request)
            if self._trusted and (caller := proxies.caller_of(request, self._trusted)) != request.remote:
                request = request.clone(remote=caller)
            try:
                return await self._take(request, configured)
            except Exception as error:  # noqa: BLE001 - whatever it is, the application knows how to say it
                request[_FAILED] = error
                return await application(request)

        return handle

    async def handle(self, request: web.Request) -> web.Response:
        """Take one request of a provider, or say why not."""
        failed = request.get(_FAILED)
        if failed is not None:
            raise failed
        configured = self._channel(request.match_info["channel"], request.match_info["secret"])
        methods = configured.channel.capabilities.methods
        if request.method not in methods:
            raise web.HTTPMethodNotAllowed(request.method, methods)
        if self._in_flight >= IN_FLIGHT_MAX:
            self._gateway.counters.add("shed", channel=configured.channel.id)
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"})
        return await self._take(request, configured)

    def _expected(self, request: web.BaseRequest) -> ConfiguredChannel | None:
        """Return the channel that a request may be taken for as it is, None where there is anything to say about it first."""
        parts = request.raw_path.partition("?")[0].split("/")
        if len(parts) != 4 or parts[1] != "c":
            return None
        configured = self._gateway.channels.get(parts[2])
        known = _same(configured, parts[3])
        if configured is None or not known or self._in_flight >= IN_FLIGHT_MAX or "Expect" in request.headers:
            return None
        return configured if request.method in configured.channel.capabilities.methods else None

    async def _take(self, request: web.BaseRequest, configured: ConfiguredChannel) -> web.Response:
        self._in_flight += 1
        try:
            answer = await self._answer(request, configured)
        finally:
            self._in_flight -= 1
        headers = {"Content-Type": answer.content_type, "Server": "-"}
        if request.method == "GET":
            headers["Cache-Control"] = "no-store"  # a box on the way must not answer the next call by itself
        return web.Response(status=answer.status, body=answer.body, headers=headers)

    def _channel(self, channel_id: str, secret: str) -> ConfiguredChannel:
        """Return the channel; an unknown one and a wrong secret look and take the same."""
        configured = self._gateway.channels.get(channel_id)
        if not _same(configured, secret) or configured is None:
            self._gateway.counters.add("refused", channel=channel_id if configured else "unknown", code="unknown_channel")
            raise web.HTTPNotFound
        return configured

    async def _answer(self, request: web.BaseRequest, configured: ConfiguredChannel) -> Answer:
        gateway, channel_id = self._gateway, configured.channel.id
        if configured.channel.capabilities.body_max_bytes > gateway.settings.server.body_max_bytes:
            request = request.clone(client_max_size=configured.channel.capabilities.body_max_bytes)
        try:
            if request.content.is_eof():
                body = await request.read()
            else:
                async with asyncio.timeout(BODY_TIMEOUT_S):
                    body = await request.read()
        except TimeoutError:
            gateway.counters.add("refused", channel=channel_id, code="slow_body")
            raise web.HTTPRequestTimeout from None
        except web.HTTPRequestEntityTooLarge:
            gateway.counters.add("refused", channel=channel_id, code="too_large")
            raise
        query = request.rel_url.raw_query_string
        raw = RawRequest(
            method=request.method,
            url=f"{configured.webhook_url}?{query}" if query else configured.webhook_url,
            headers=_headers(request),
            body=body,
            received_at=gateway.clock.now_ms(),
            remote=request.remote or "",
        )
        try:
            if configured.prepares is not None:
                await configured.prepares.prepare(raw)
            return await receive(gateway, configured, raw)
        except AuthenticationFailed as failed:
            gateway.counters.add("refused", channel=channel_id, code=failed.code)
            raise web.HTTPForbidden from None
        except (StoreUnavailable, SendError) as unavailable:
            gateway.counters.add("refused", channel=channel_id, code=str(unavailable.code))
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"}) from None


def _same(configured: ConfiguredChannel | None, secret: str) -> bool:
    """Tell whether a secret is that of a channel; takes the same for one that there is not."""
    expected = configured.secret if configured else "0" * 32
    return hmac.compare_digest(expected.encode(), secret.encode("utf-8", "surrogatepass"))


def _headers(request: web.BaseRequest) -> dict[str, str]:
    """Return the headers; one that is repeated has its values in one, so that nobody chooses which of them is looked at."""
    headers: dict[str, str] = {}
    for written, value in request.headers.items():
        name = written.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


WEBHOOKS = web.AppKey("webhooks", Webhooks)
