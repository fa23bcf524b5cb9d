"""A provider on a real local port that gives one answer to every call and keeps what it was called with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from core.model.adapter import Adapter
from core.model.outbound import OutboundMessage, SendError
from tests.conformance.sending import closed


@dataclass(frozen=True)
class Call:
    """One call: method, path with query, headers with names in lower case, body."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: str


@dataclass
class StandIn:
    """Answers with `status`, `headers` and `document` (or `text` where there is one)."""

    status: int = 200
    document: Any = None
    text: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.calls.append(Call(request.method, request.raw_path, headers, await request.text()))
        if self.text is not None:
            return web.Response(status=self.status, text=self.text, headers=self.headers)
        return web.json_response(self.document, status=self.status, headers=self.headers)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Listen on a free port of this machine and give the base address."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        try:
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()


async def sent(adapter: Adapter, message: OutboundMessage) -> str:
    """Send one message and return the provider's id; raises `SendError`."""
    try:
        return (await adapter.send(message)).external_id
    finally:
        await closed(adapter)


async def failure(adapter: Adapter, message: OutboundMessage) -> SendError:
    """Return the error that sending ends in."""
    try:
        await sent(adapter, message)
    except SendError as error:
        return error
    raise AssertionError("the attempt was reported as a success")


def told(error: SendError) -> tuple[Any, ...]:
    """Return what the dispatcher decides by: code, retryable, unknown, ours, the provider's code."""
    return error.code, error.retryable, error.unknown, error.ours, error.provider_code
