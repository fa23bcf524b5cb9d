"""The sockets behind a listener: how many there may be, who has to go when there are too many, and what malformed HTTP is answered.

Must not look into requests; what is well-formed goes to the application.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from typing import Any

from aiohttp import web

from gateway import pages
from gateway.counters import Counters

_LOG = logging.getLogger(__name__)
_OTHER_FILES = 256  # what a process needs besides connections: the store, providers, threads
_MOST = 50_000


def most_connections() -> int:
    """Return how many connections this process can hold, after it has asked for as many open files as it may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return _MOST if hard == resource.RLIM_INFINITY else max(16, min(_MOST, hard - _OTHER_FILES))


class Door:
    """Makes a connection for each socket. When all places are taken, the one that has asked for nothing the longest has to go."""

    def __init__(self, server: web.Server, counters: Counters, most: int, keep_alive_s: float) -> None:
        self.counters = counters
        self._server = server
        self._most = most
        self._keep_alive_s = keep_alive_s
        self._open = 0
        self.shut = False
        self._silent: dict[asyncio.Protocol, None] = {}
        self._make_request = server.request_factory
        server.request_factory = self._asked

    def __call__(self) -> Connection:
        """Return the protocol of a new socket."""
        return Connection(self, self._server, self._keep_alive_s)

    def end(self) -> None:
        """Break off whoever comes from now on: a socket that was just being accepted would outlive all that could answer on it."""
        self.shut = True

    def opened(self, connection: Connection) -> None:
        """Note a new connection, and make room for it."""
        self._open += 1
        if self._open > self._most:
            self.counters.add("connections_shed")
            next(iter(self._silent), connection).force_close()  # type: ignore[attr-defined]  # all of them are connections
        self._silent[connection] = None

    def closed(self, connection: Connection) -> None:
        """Note that a connection is over."""
        self._open -= 1
        self._silent.pop(connection, None)

    def _asked(self, message: Any, payload: Any, protocol: web.RequestHandler, writer: Any, task: Any) -> web.BaseRequest:
        self._silent.pop(protocol, None)
        return self._make_request(message, payload, protocol, writer, task)


class Connection(web.RequestHandler):
    """One connection. Bodies stay as they were sent: what is signed is what was sent, and nothing here unpacks for strangers."""

    __slots__ = ("_door", "_let_in")

    def __init__(self, door: Door, server: web.Server, keep_alive_s: float) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=keep_alive_s,
            access_log=None,  # type: ignore[arg-type]  # the library's own way to say: no log
            auto_decompress=False,
        )
        self._door = door
        self._let_in = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        if self._door.shut:
            transport.abort()  # type: ignore[attr-defined]  # every transport of a socket can
            return
        super().connection_made(transport)
        self._let_in = True
        self._door.opened(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        if self._let_in:
            self._door.closed(self)
            super().connection_lost(exc)

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answer what is no proper HTTP, or fails outside of every handler, without a word of it; what strangers send is not logged."""
        del message  # it quotes the request
        if status >= 500:
            _LOG.error("a request failed outside of every handler", exc_info=exc)
        else:
            self._door.counters.add("malformed_requests")
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun")
        answer = pages.failure(status)
        answer.force_close()
        return answer
