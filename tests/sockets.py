"""Servers of raw connections for tests, which leave nothing behind: no connection, and none that was just being accepted."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_ROUNDS = 10  # of the loop, in which a socket that was accepted becomes a connection
_PATIENCE_S = 15.0


class RawServer:
    """A server on `port`, whose connections last as long as `serve` does, or with `lasting` as long as the other side wants.

    `hang_up` breaks off all of them, `close` ends the server for good.
    """

    def __init__(self, serve: Serve, *, lasting: bool = False) -> None:
        self._serve = serve
        self._lasting = lasting
        self._connections: dict[asyncio.BaseProtocol, Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._over = False
        self._server: asyncio.Server | None = None
        self.port = 0

    async def listen(self, *, port: int = 0, path: str | None = None, over_tls: ssl.SSLContext | None = None) -> None:
        """Begin; on a socket of the file system where there is a `path`."""
        loop = asyncio.get_running_loop()
        if path is not None:
            self._server = await loop.create_unix_server(self._protocol, path)
        else:
            self._server = await loop.create_server(self._protocol, "127.0.0.1", port, ssl=over_tls)
            self.port = self._server.sockets[0].getsockname()[1]

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        return _Connection(self)

    def met(self, protocol: asyncio.BaseProtocol, transport: Any) -> None:
        """Note a connection; after the end it is broken off."""
        self._connections[protocol] = transport
        if self._over:
            transport.abort()

    def lost(self, protocol: asyncio.BaseProtocol) -> None:
        """Note that a connection is over."""
        self._connections.pop(protocol, None)
        self._changed.set()

    def speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection, and close it whatever happens."""
        task = asyncio.ensure_future(self._spoken(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _spoken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            if not self._lasting:
                writer.close()

    def hang_up(self) -> None:
        """Break off every connection."""
        for transport in tuple(self._connections.values()):
            transport.abort()

    async def close(self) -> None:
        """Stop listening, and wait until nothing is left."""
        self._over = True
        if self._server is not None:
            self._server.close()
        self.hang_up()
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        async with asyncio.timeout(_PATIENCE_S):
            while self._connections:
                self._changed.clear()
                await self._changed.wait()


class _Connection(asyncio.StreamReaderProtocol):
    def __init__(self, server: RawServer) -> None:
        super().__init__(asyncio.StreamReader(), server.speak)
        self._raw_server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._raw_server.met(self, transport)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._raw_server.lost(self)


@asynccontextmanager
async def raw_server(serve: Serve, *, path: str | None = None, over_tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """Run a server whose connections `serve` answers."""
    server = RawServer(serve)
    await server.listen(path=path, over_tls=over_tls)
    try:
        yield server
    finally:
        await server.close()
