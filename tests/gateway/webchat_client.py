"""A visitor's window without a browser: it speaks the protocol, and says what it got."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from itertools import count
from typing import Any, Self

import aiohttp

PATIENCE_S = 10
_SOURCES = count()


class Window:
    """One visitor with at most one open socket."""

    def __init__(self, url: str, channel: str = "web", *, origin: str | None = None) -> None:
        self.url = url
        self.channel = channel
        self.origin = url if origin is None else origin
        self.visitor: str | None = None
        self.last = 0
        self.messages: list[dict[str, Any]] = []
        self.others: list[dict[str, Any]] = []
        self.socket: aiohttp.ClientWebSocketResponse
        self._stack = AsyncExitStack()
        number = next(_SOURCES)  # each visitor comes from an address of its own, since sources are limited
        connector = aiohttp.TCPConnector(local_addr=(f"127.1.{number // 250}.{number % 250 + 1}", 0))
        self.http = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=PATIENCE_S))

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.http)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def name(self) -> str:
        """The visitor's id, which is its address in the record."""
        assert self.visitor is not None
        return self.visitor.split(".")[0]

    async def ticket(self) -> str:
        """Ask for a ticket; the visitor token is kept."""
        headers = {"Origin": self.origin}
        async with self.http.post(f"{self.url}/webchat/{self.channel}/ticket", json={"visitor": self.visitor}, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            document = await answer.json()
        self.visitor = document["visitor"]
        return str(document["ticket"])

    async def connect(self) -> aiohttp.ClientWebSocketResponse:
        """Open a socket without a word."""
        address = f"{self.url}/webchat/{self.channel}/socket"
        self.socket = await self.http.ws_connect(address, headers={"Origin": self.origin}, max_msg_size=0, autoclose=True)
        return self.socket

    async def open(self, ticket: str | None = None) -> dict[str, Any]:
        """Open a socket, say hello, and return what `ready` says."""
        ticket = ticket or await self.ticket()
        await self.connect()
        await self.send(type="hello", ticket=ticket, after=self.last)
        return await self.until("ready")

    async def send(self, **frame: Any) -> None:
        await self.socket.send_str(json.dumps(frame))

    async def say(self, text: str, own_id: str) -> None:
        await self.send(type="message", id=own_id, text=text)

    async def next(self) -> dict[str, Any]:
        """Return the next frame; messages are kept and their numbers checked. Raises ConnectionError when the socket is closed."""
        async with asyncio.timeout(PATIENCE_S):
            message = await self.socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError(self.socket.close_code)
        frame: dict[str, Any] = json.loads(message.data)
        if frame["type"] == "message":
            assert frame["after"] == frame["number"] - 1
            if self.last:
                assert frame["after"] == self.last, "a number is missing"
            self.last = frame["number"]
            self.messages.append(frame)
        else:
            self.others.append(frame)
        return frame

    async def until(self, kind: str, **members: Any) -> dict[str, Any]:
        """Return the next frame of this type with these members."""
        while True:
            frame = await self.next()
            if frame["type"] == kind and members.items() <= frame.items():
                return frame

    async def closed(self) -> int | None:
        """Read to the end; return the code of the close."""
        try:
            while True:
                await self.next()
        except ConnectionError:
            return self.socket.close_code
