"""The web chat's server side: the widget's script, one-time tickets, and the socket that each open window holds.

Must not decide anything about a conversation: frames go through `receive` like every other request, and answers come from the record.
"""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode

from aiohttp import web

from channels import tokens
from channels.webchat import TOKEN_HEADER
from core.model.inbound import AuthenticationFailed
from core.store import tickets
from gateway import pages
from gateway.runtime import ConfiguredChannel, Gateway
from gateway.webchat_files import Files
from gateway.webchat_limits import Buckets, Limits, Places, source_of
from gateway.webchat_typing import TYPING, Typing
from gateway.webchat_window import VISITOR_LIFE_MS, Window, restart_all, ticket_kind, visitor_token

_TICKET_BODY_BYTES = 1_024
_WIDGET = pages.STATIC / "webchat" / "widget.js"


def install(app: web.Application, gateway: Gateway, limits: Limits | None = None) -> None:
    """Give `app` the routes of the web chat; `TYPING` of the application then tells who types."""
    chat = _Webchat(gateway, limits or Limits())
    app[TYPING] = chat.typing
    app.router.add_get("/webchat/widget.js", _widget)
    app.router.add_route("OPTIONS", "/webchat/{channel}/ticket", chat.preflight)
    app.router.add_post("/webchat/{channel}/ticket", chat.ticket)
    app.router.add_get("/webchat/{channel}/socket", chat.socket)
    app.router.add_route("OPTIONS", "/webchat/{channel}/files", chat.preflight)
    app.router.add_post("/webchat/{channel}/files", chat.take_file)
    app.router.add_route("OPTIONS", "/webchat/{channel}/files/{media}", chat.preflight)
    app.router.add_get("/webchat/{channel}/files/{media}", chat.show_file)
    app.on_shutdown.append(chat.restart)


async def _widget(_: web.Request) -> web.StreamResponse:
    headers = {"Cache-Control": "public, max-age=300", "Cross-Origin-Resource-Policy": "cross-origin"}
    return web.FileResponse(_WIDGET, headers=headers)


class _Webchat:
    """The open windows of one process."""

    def __init__(self, gateway: Gateway, limits: Limits) -> None:
        self.typing = Typing(gateway.hints, gateway.clock.now_ms)
        self._gateway = gateway
        self._limits = limits
        self._sites = {
            name: frozenset(gateway.url if origin == "own" else origin for origin in channel.settings.origins)
            for name, channel in gateway.channels.items()
            if channel.adapter.kind == "webchat"
        }
        self._files = Files(gateway, limits)
        self._windows: set[Window] = set()
        self._stopping = False
        self._places = Places(limits.windows_per_source)
        self._tickets = Buckets(limits.tickets_per_s, limits.tickets_burst, time.monotonic)

    async def preflight(self, request: web.Request) -> web.Response:
        """Allow the browsers of listed sites to ask for a ticket, to send files and to get them."""
        _, origin = self._site(request)
        allowed = f"content-type, {TOKEN_HEADER}"
        headers = {"Access-Control-Allow-Methods": "GET, POST", "Access-Control-Allow-Headers": allowed, "Access-Control-Max-Age": "600"}
        return web.Response(status=204, headers=_cors(origin) | headers)

    async def ticket(self, request: web.Request) -> web.Response:
        """Give a visitor a token to be known by and a ticket that opens one window."""
        channel, origin = self._site(request)
        wait_s = self._tickets.take(source_of(request.remote or ""))
        if wait_s:
            self._gateway.counters.add("webchat_refused", code="too_many_tickets")
            raise web.HTTPTooManyRequests(headers=_cors(origin) | {"Retry-After": str(int(wait_s) + 1)})
        now = self._gateway.clock.now_ms()
        token = self._token(channel, await _shown_token(request), now)
        ticket = urlsafe_b64encode(self._gateway.clock.random(24)).decode()
        visitor = tokens.visitor_of(token)
        expires_at = now + int(self._limits.ticket_life_s * 1000)
        kind = ticket_kind(channel)
        await self._gateway.store.write(lambda tx: tickets.issue(tx, ticket, kind, visitor, now=now, expires_at=expires_at))
        return web.json_response({"visitor": token, "ticket": ticket}, headers=_cors(origin))

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """Open a window."""
        channel, _ = self._site(request)
        if self._stopping:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"})
        with self._places.one(source_of(request.remote or "")) as free:
            if not free:
                self._gateway.counters.add("webchat_refused", code="too_many_windows")
                raise web.HTTPTooManyRequests(headers={"Retry-After": "30"})
            window = Window(self._gateway, channel, self.typing, self._limits, request)
            self._windows.add(window)
            try:
                return await window.run(request)
            finally:
                self._windows.discard(window)

    async def take_file(self, request: web.Request) -> web.Response:
        """Take a file of a visitor."""
        channel, origin = self._site(request)
        answer = await self._files.take(request, channel, origin)
        answer.headers.update(_cors(origin))
        return answer

    async def show_file(self, request: web.Request) -> web.StreamResponse:
        """Give a visitor a file of the own thread; a browser that reads from its own site names no origin."""
        own = self._gateway.url if request.headers.get("Sec-Fetch-Site") == "same-origin" else ""
        channel, origin = self._site(request, own)
        return await self._files.show(request, channel, _cors(origin))

    async def restart(self, _: web.Application) -> None:
        """Ask every open window to come back in a moment, and open no more."""
        self._stopping = True
        await restart_all(tuple(self._windows), self._gateway.clock.random)

    def _site(self, request: web.Request, unnamed: str = "") -> tuple[ConfiguredChannel, str]:
        """Return the channel of the address and the site that asks, `unnamed` if it does not say; refuses what is not listed."""
        name = request.match_info["channel"]
        sites = self._sites.get(name)
        if sites is None:
            raise web.HTTPNotFound
        channel = self._gateway.channels[name]
        origin = request.headers.get("Origin", unnamed)
        if origin not in sites:
            self._gateway.counters.add("webchat_refused", code="origin")
            raise web.HTTPForbidden
        return channel, origin

    def _token(self, channel: ConfiguredChannel, shown: str, now: int) -> str:
        """Return the token that was shown if it is good for long, a fresh one for the same visitor if not, or one for a new visitor."""
        try:
            visitor = tokens.verify(channel.settings.keys, shown, now)
        except AuthenticationFailed:
            visitor = urlsafe_b64encode(self._gateway.clock.random(18)).decode()
        else:
            if int(shown.split(".")[1]) - now > VISITOR_LIFE_MS // 2:
                return shown
        return visitor_token(channel, visitor, now)


async def _shown_token(request: web.Request) -> str:
    """Return the visitor token of a ticket request, empty if it has none."""
    body = await request.content.read(_TICKET_BODY_BYTES + 1)
    if len(body) > _TICKET_BODY_BYTES:
        raise web.HTTPRequestEntityTooLarge(max_size=_TICKET_BODY_BYTES, actual_size=len(body))
    try:
        document = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest from None
    token = document.get("visitor") if isinstance(document, dict) else None
    return token if isinstance(token, str) else ""


def _cors(origin: str) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin", "Cross-Origin-Resource-Policy": "cross-origin"}
