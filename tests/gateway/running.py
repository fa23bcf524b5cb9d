"""A whole gateway on a free port: the demo operator, or what a test changes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from config.load import load
from gateway import compose
from gateway.compose import Tuning
from gateway.demo.operator import NUMBERS
from gateway.runtime import Gateway

ANNA, BEN, _ = NUMBERS


@dataclass
class Running:
    """A gateway with a client, and the short ways to talk to it as providers do."""

    gateway: Gateway
    http: aiohttp.ClientSession

    async def dial(self, text: str, *, phone: str = ANNA, session: str = "s1", **more: str) -> tuple[int, str]:
        form = {"sessionId": session, "serviceCode": "*384*100#", "phoneNumber": phone, "networkCode": "63902", "text": text, **more}
        return await self.post("ussd", data=form)

    async def post(self, channel: str, **request: Any) -> tuple[int, str]:
        async with self.http.post(self.gateway.channels[channel].webhook_url, **request) as answer:
            return answer.status, await answer.text()

    async def rows(self, sql: str, *args: Any) -> list[Any]:
        return await self.gateway.store.read(lambda tx: tx.all(sql, args))


@asynccontextmanager
async def running(
    data: Path, *, config: Path | None = None, overrides: Mapping[str, Any] | None = None, tuning: Tuning | None = None
) -> AsyncIterator[Running]:
    settings = load(config, {}, {"server.port": 0, **(overrides or {})})
    async with AsyncExitStack() as stack:
        gateway = await compose.start(settings, data, stack, tuning)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Running(gateway, http)
