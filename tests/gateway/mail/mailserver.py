"""A real IMAP server on a free port, which can go away and come back with all that it holds."""

from __future__ import annotations

import asyncio
import imaplib
import socket
import ssl
from argparse import Namespace
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from pymap.backend.dict import DictBackend
from pymap.imap import IMAPServer, ProxyProtocolReader

from tests.sockets import RawServer

T = TypeVar("T")
USER, PASSWORD = "support", "mailbox-password-canary"
FOLDER = "Support"


class _Options(Namespace):
    """The server's command line: what is not named has no value."""

    def __getattr__(self, name: str) -> None:
        return None


class MailServer:
    """A server with one mailbox; `port` stays the same for its whole life."""

    def __init__(self, backend: Any, config: Any, over_tls: ssl.SSLContext | None) -> None:
        self._over_tls = over_tls
        self._accept = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(backend.login, config))
        self._server: RawServer | None = None
        self.port = 0
        self.connections = 0

    async def come(self) -> None:
        """Listen."""
        self._server = RawServer(self._met, lasting=True)  # the library goes on by itself
        await self._server.listen(port=self.port, over_tls=self._over_tls)
        self.port = self._server.port

    async def go(self) -> None:
        """Stop listening and break off every connection."""
        if self._server is not None:
            await self._server.close()

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(OSError, EOFError):
            await self._accept(reader, writer)

    async def put(self, mails: Iterable[bytes]) -> None:
        """Put mails into the mailbox."""

        def put(imap: imaplib.IMAP4) -> None:
            for mail in mails:
                imap.append(FOLDER, "", "", mail)

        await self.do(put)

    async def renumber(self, mails: Iterable[bytes]) -> None:
        """Give the folder new numbers, and put these mails into it."""
        await self.do(lambda imap: (imap.delete(FOLDER), imap.create(FOLDER)))
        await self.put(mails)

    async def seen(self) -> int:
        """Return how many mails are marked as seen."""

        def count(imap: imaplib.IMAP4) -> int:
            imap.select(FOLDER, readonly=True)
            return len(imap.search(None, "SEEN")[1][0].split())

        return await self.do(count)

    async def do(self, work: Callable[[imaplib.IMAP4], T]) -> T:
        """Do something in the mailbox as another client."""

        def run() -> T:
            with self._client() as imap:
                imap.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # the library writes a mail and its end apart
                imap.login(USER, PASSWORD)
                return work(imap)

        return await asyncio.to_thread(run)

    def _client(self) -> imaplib.IMAP4:
        if self._over_tls is None:
            return imaplib.IMAP4("127.0.0.1", self.port)
        return imaplib.IMAP4_SSL("127.0.0.1", self.port, ssl_context=ssl._create_unverified_context())


@asynccontextmanager
async def mail_server(over_tls: ssl.SSLContext | None = None) -> AsyncIterator[MailServer]:
    """Run a server with an empty folder."""
    options = _Options(debug=False, host="127.0.0.1", port="0", tls=False, demo_data=False, demo_user=USER, demo_password=PASSWORD)
    server = MailServer(*await DictBackend.init(options), over_tls)
    await server.come()
    await server.do(lambda imap: imap.create(FOLDER))
    try:
        yield server
    finally:
        await server.go()
