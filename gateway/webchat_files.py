"""Files in the web chat: a visitor sends one, which is a message of the visitor's, and gets back those of the own thread.

A file arrives by a request of its own, since frames are small; it is kept, and then goes into the record as every frame does. Must not
show a visitor what is in another one's thread.
"""

from __future__ import annotations

import json
import re
import time
from urllib.parse import unquote

from aiohttp import web

from channels import tokens
from channels.webchat import FILE_HEADER, METHOD, TOKEN_HEADER
from core.media import clean_name
from core.model.inbound import AuthenticationFailed, RawRequest
from core.store import media as rows
from core.store.api import StoreUnavailable, Tx
from core.store.media import Item
from gateway import pages
from gateway.media import types
from gateway.media.bodies import file_of
from gateway.media.contents import NOT_SCANNED, ContentRefused
from gateway.media.serving import serve
from gateway.receive import receive
from gateway.runtime import ConfiguredChannel, Gateway
from gateway.webchat_limits import Buckets, Limits, Places, source_of

BYTES_MAX = 5_242_880
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TEXTS = {
    "too_large": "The file is larger than 5 MB.",
    "type_refused": "Files of this kind are not taken.",
    "empty": "The file is empty.",
    "infected": "The file holds malicious software.",
    "no_room": "No file can be taken right now.",
    "not_scanned": "No file can be checked right now; try again in a moment.",
}


class Files:
    """Files of all visitors in one process; few at once, so that they never fill the memory."""

    def __init__(self, gateway: Gateway, limits: Limits) -> None:
        self._gateway = gateway
        self._pace = Buckets(limits.files_per_s, limits.files_burst, time.monotonic)
        self._places = Places(limits.files_at_once)

    async def take(self, request: web.Request, channel: ConfiguredChannel, origin: str) -> web.Response:
        """Record a file as a message of the visitor; the same `id` again changes nothing."""
        visitor = self._visitor(request, channel)
        own_id = request.query.get("id", "")
        if visitor is None:
            return pages.problem(403, "token", "The visitor's token is missing or not good.")
        if not _ID.fullmatch(own_id):
            return pages.problem(400, "bad_request", "The id is missing or not good.")
        if self._pace.take(source_of(request.remote or "")):
            self._gateway.counters.add("webchat_refused", code="too_many_files")
            return pages.problem(429, "too_fast", "Too many files; try again in a minute.")
        with self._places.one(source_of(request.remote or "")) as mine, self._places.one("") as ours:
            if not mine or not ours:
                return pages.problem(503, "busy", "Too many files at once; try again in a moment.")
            return await self._record(request, channel, origin, own_id)

    async def _record(self, request: web.Request, channel: ConfiguredChannel, origin: str, own_id: str) -> web.Response:
        try:
            content = await file_of(request, BYTES_MAX)
            if types.is_active(content):
                raise ContentRefused("type_refused")
            kept = await self._gateway.contents.keep(content)
        except ContentRefused as refused:
            self._gateway.counters.add("webchat_refused", code=f"file_{refused.code}")
            status = 413 if refused.code == "too_large" else 503 if refused.code == NOT_SCANNED else 415
            return pages.problem(status, refused.code, _TEXTS[refused.code])
        except TimeoutError:
            return pages.problem(408, "too_slow", "The file did not arrive in time.")
        except OSError as error:
            raise StoreUnavailable("io_error", "the folder of contents cannot be written to") from error
        name = clean_name(unquote(request.query.get("name", ""), errors="replace"))
        file = {"name": name, "content_type": kept.content_type, "digest": kept.digest, "size": str(kept.size)}
        headers = {"origin": origin, TOKEN_HEADER: request.headers[TOKEN_HEADER], FILE_HEADER: json.dumps(file)}
        frame = json.dumps({"type": "file", "id": own_id, "text": ""}).encode()
        raw = RawRequest(METHOD, channel.webhook_url, headers, frame, self._gateway.clock.now_ms(), request.remote or "")
        await receive(self._gateway, channel, raw)
        return web.json_response({"id": own_id})

    async def show(self, request: web.Request, channel: ConfiguredChannel, origin_headers: dict[str, str]) -> web.StreamResponse:
        """Answer with a file of the visitor's own thread."""
        visitor, media_id = self._visitor(request, channel), request.match_info["media"]
        item = await self._gateway.store.read(lambda tx: _own(tx, media_id, visitor or ""))
        if visitor is None or item is None:
            raise web.HTTPNotFound(headers=origin_headers)
        try:
            return serve(self._gateway.blobs, item, origin_headers)
        except KeyError:
            raise web.HTTPGone(headers=origin_headers) from None

    def _visitor(self, request: web.Request, channel: ConfiguredChannel) -> str | None:
        try:
            return tokens.verify(channel.settings.keys, request.headers.get(TOKEN_HEADER, ""), self._gateway.clock.now_ms())
        except AuthenticationFailed:
            self._gateway.counters.add("webchat_refused", code="token")
            return None


def _own(tx: Tx, media_id: str, visitor: str) -> Item | None:
    item = rows.find(tx, media_id)
    if item is None or item.state != "stored":
        return None
    row = tx.one("select 1 from message where id = ? and address = ?", (item.message_id, visitor))
    return item if row else None
