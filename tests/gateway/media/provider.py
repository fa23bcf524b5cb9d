"""A provider of messages with attachments, on a real local port: it keeps files, says who asked for them, and misbehaves on request."""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from aiohttp import web
from twilio.request_validator import RequestValidator

from tests.gateway.running import ANNA, Running, running

OURS = "+254711082000"
_SIDS = count(1)

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def png(width: int = 4, height: int = 4) -> bytes:
    """Return a real picture, of one colour; only its head depends on the size if it is a large one."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"" if width * height > 1_000_000 else (b"\x00" + b"\x1f\x7a\xe0" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@dataclass
class Provider:
    """Answers each path with its file or its function, and keeps path and headers of every call."""

    files: dict[str, bytes | Answer] = field(default_factory=dict)
    calls: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.calls.append((request.raw_path, dict(request.headers)))
        kept = self.files.get(request.path)
        if kept is None:
            return web.Response(status=404)
        return web.Response(body=kept, content_type="application/x-claimed") if isinstance(kept, bytes) else await kept(request)

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.calls]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Provider]:
        """Listen on a free port of this machine."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}".format(*runner.addresses[0][:2])
        try:
            yield self
        finally:
            await runner.cleanup()


def answers(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    """Return a function that gives one answer; underscores in names of headers are hyphens."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return answer


@asynccontextmanager
async def gateway_at(provider: Provider, data: Path, **overrides: Any) -> AsyncIterator[Running]:
    """Run a gateway whose SMS channel has this provider."""
    settings = {"channels.sms.api_base": provider.url, **overrides}
    async with running(data, overrides=settings) as parley:
        yield parley


async def sends_mms(parley: Running, provider: Provider, *files: str, text: str = "look", phone: str = ANNA, sid: str = "") -> str:
    """Deliver a message with attachments as Twilio does, signed; return its SID."""
    settings = parley.gateway.channels["sms"].settings
    sid = sid or f"MM{next(_SIDS):032x}"
    form = {"MessageSid": sid, "AccountSid": settings.account_sid, "From": phone, "To": OURS, "Body": text, "NumMedia": str(len(files))}
    for index, file in enumerate(files):
        form[f"MediaUrl{index}"] = file if "://" in file else provider.url + file
        form[f"MediaContentType{index}"] = "image/png"
    url = parley.gateway.channels["sms"].webhook_url
    signature = RequestValidator(settings.auth_token[0]).compute_signature(url, form)
    status, answer = await parley.post("sms", data=form, headers={"X-Twilio-Signature": signature})
    assert status == 200, answer
    return sid


def account_path(parley: Running, name: str) -> str:
    """Return where the provider keeps a file of the gateway's account."""
    return f"/2010-04-01/Accounts/{parley.gateway.channels['sms'].settings.account_sid}/Messages/MM1/Media/{name}"


async def settled(parley: Running, *, states: tuple[str, ...] = ("stored", "refused"), tries: int = 0) -> list[Any]:
    """Wait until every attachment has one of these states, and was tried so often; return state, code and type of each."""
    rows: list[Any] = []
    with parley.gateway.hints.listen("events", "media") as listener:
        for _ in range(300):
            rows = await parley.rows("select state, code, content_type, attempts from media order by message_id, position")
            if rows and all(row[0] in states and row[3] >= tries for row in rows):
                return [tuple(row[:3]) for row in rows]
            await listener.wait(0.1)
    raise AssertionError(f"not settled: {rows}")


async def tried_again(parley: Running) -> None:
    """Let what waits for a later time be due now."""
    await parley.gateway.store.write(lambda tx: tx.execute("update media set due_at = 0 where state = 'waiting'"))
    parley.gateway.hints.wake("media")
