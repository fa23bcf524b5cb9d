"""A stand-in for the messages that Twilio keeps: it lists them with pages, newest first, and takes new ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web


class TwilioList:
    """Messages of one account; `asked` are the queries, `lost` says that a message is taken and the connection is closed without a word."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.lost = False
        self.never_had = False
        self.base = ""

    def add(self, number: int, at_ms: int, **fields: Any) -> None:
        """Add a message as if it were the newest."""
        at = format_datetime(datetime.fromtimestamp(at_ms / 1_000, UTC), usegmt=False)
        known = {"sid": f"SM{number:032x}", "status": "received", "direction": "inbound", "num_media": "0", "error_code": None}
        self.messages.insert(0, {**known, "date_created": at, "date_sent": at, **fields})

    async def _list(self, request: web.Request) -> web.Response:
        self.asked.append(request.query_string)
        size, page = int(request.query["PageSize"]), int(request.query.get("Page", "0"))
        wanted = [
            one for one in self.messages if one["to"] == request.query["To"] and request.query.get("From", one["from"]) == one["from"]
        ]
        listed = wanted[page * size : (page + 1) * size]
        following = f"{request.path}?{request.rel_url.update_query(Page=page + 1).query_string}" if wanted[(page + 1) * size :] else None
        return web.json_response({"messages": listed, "next_page_uri": following})

    async def _one(self, request: web.Request) -> web.Response:
        found = [one for one in self.messages if one["sid"] == request.match_info["sid"]]
        return web.json_response(found[0]) if found else web.json_response({"code": 20404}, status=404)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form)
        if not self.never_had:
            now = round(datetime.now(UTC).timestamp() * 1_000)
            made = {"to": form["To"], "from": form["From"], "body": form["Body"], "status": "delivered", "direction": "outbound-api"}
            self.add(1_000 + len(self.forms), now, **made)
        if self.lost or self.never_had:
            assert request.transport is not None
            request.transport.close()
        return web.json_response({"sid": self.messages[0]["sid"], "status": "queued"} if self.messages else {}, status=201)

    def ids(self) -> list[str]:
        """Return our own ids of the messages that it was given."""
        return [parse_qs(urlsplit(form["StatusCallback"]).query)["m"][0] for form in self.forms]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[TwilioList]:
        app = web.Application()
        base = "/2010-04-01/Accounts/{account}/Messages"
        app.router.add_get(f"{base}.json", self._list)
        app.router.add_post(f"{base}.json", self._create)
        app.router.add_get(base + "/{sid}.json", self._one)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        self.base = f"http://{host}:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()
