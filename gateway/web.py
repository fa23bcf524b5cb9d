"""The public web application: webhooks here, pages and sockets from the modules that own them, and what every request must obey."""

from __future__ import annotations

import asyncio
import hmac

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


def make_app(gateway: Gateway) -> web.Application:
    """Build the application of a gateway."""
    app = web.Application(client_max_size=gateway.settings.server.body_max_bytes)
    app[GATEWAY] = gateway
    if gateway.settings.server.trusted_proxies:
        app.middlewares.append(proxies.behind(gateway.settings.server.trusted_proxies))
    pages.install(app, public_url=gateway.url, framed=gateway.settings.mode == "demo")
    app.router.add_route("*", "/c/{channel}/{secret}", _Webhooks(gateway).handle)
    webchat.install(app, gateway)
    desk.install(app, gateway)
    public.install(app, gateway)
    if gateway.demo is not None:
        simulator.install(app, gateway, gateway.demo)
    return app


class _Webhooks:
    """The door for providers. `in_flight` bounds what waits here; beyond it a provider is told to come back."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._in_flight = 0

    async def handle(self, request: web.Request) -> web.Response:
        """Take one request of a provider."""
        configured = self._channel(request.match_info["channel"], request.match_info["secret"])
        methods = configured.channel.capabilities.methods
        if request.method not in methods:
            raise web.HTTPMethodNotAllowed(request.method, methods)
        if self._in_flight >= IN_FLIGHT_MAX:
            self._gateway.counters.add("shed", channel=configured.channel.id)
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"})
        self._in_flight += 1
        try:
            answer = await self._answer(request, configured)
        finally:
            self._in_flight -= 1
        headers = {"Content-Type": answer.content_type}
        if request.method == "GET":
            headers["Cache-Control"] = "no-store"  # a box on the way must not answer the next call by itself
        return web.Response(status=answer.status, body=answer.body, headers=headers)

    def _channel(self, channel_id: str, secret: str) -> ConfiguredChannel:
        """Return the channel; an unknown one and a wrong secret look and take the same."""
        configured = self._gateway.channels.get(channel_id)
        expected = configured.secret if configured else "0" * 32
        if not hmac.compare_digest(expected.encode(), secret.encode("utf-8", "surrogatepass")) or configured is None:
            self._gateway.counters.add("refused", channel=channel_id if configured else "unknown", code="unknown_channel")
            raise web.HTTPNotFound
        return configured

    async def _answer(self, request: web.Request, configured: ConfiguredChannel) -> Answer:
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


def _headers(request: web.Request) -> dict[str, str]:
    """Return the headers; one that is repeated has its values in one, so that nobody chooses which of them is looked at."""
    headers: dict[str, str] = {}
    for written, value in request.headers.items():
        name = written.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
