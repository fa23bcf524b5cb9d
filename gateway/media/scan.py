"""Has contents looked at by a scanner for malicious software that speaks clamd's protocol, before anybody can open them.

One connection for each content, since a scanner may be restarted at any time. What it did not answer is not clean. Must not keep anything.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

_CHUNK = 65_536
_ANSWER_BYTES_MAX = 4_096
_CLEAN, _FOUND = "stream: OK", re.compile(r"stream: (.+) FOUND")
_NAME_CHARS_MAX = 80


class Infected(Exception):
    """A content is malicious; the text is the scanner's name for it."""


class NotScanned(Exception):
    """Nobody could say whether a content is malicious; the text says why."""


class Scanner:
    """A scanner at `tcp://host:port` or `unix:///path`, which may take so many seconds for one content."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = urlsplit(url)
        self._timeout_s = timeout_s

    async def check(self, content: bytes) -> None:
        """Return if a content is clean; raises `Infected` and `NotScanned`."""
        answer = await self._ask(b"zINSTREAM\0", _pieces(content))
        found = _FOUND.fullmatch(answer)
        if found:
            raise Infected("".join(char if char.isprintable() else "?" for char in found[1])[:_NAME_CHARS_MAX])
        if answer != _CLEAN:
            raise NotScanned("the scanner did not finish")

    async def ping(self) -> None:
        """Return if the scanner is there; raises `NotScanned`."""
        if await self._ask(b"zPING\0", iter(())) != "PONG":
            raise NotScanned("something else answers there")

    async def _ask(self, command: bytes, pieces: Iterator[bytes]) -> str:
        try:
            async with asyncio.timeout(self._timeout_s):
                reader, writer = await self._connect()
                try:
                    return await _answer(reader, writer, command, pieces)
                finally:
                    writer.close()
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError) as error:
            raise NotScanned(type(error).__name__) from None

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._url.scheme == "unix":
            return await asyncio.open_unix_connection(self._url.path, limit=_ANSWER_BYTES_MAX)
        return await asyncio.open_connection(self._url.hostname, self._url.port, limit=_ANSWER_BYTES_MAX)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, command: bytes, pieces: Iterator[bytes]) -> str:
    writer.write(command)
    for piece in pieces:
        writer.write(len(piece).to_bytes(4, "big") + piece)
        await writer.drain()
    return (await reader.readuntil(b"\0"))[:-1].decode("utf-8", "replace").strip()


def _pieces(content: bytes) -> Iterator[bytes]:
    """Yield a content piece by piece, and the empty piece that ends it."""
    for start in range(0, len(content), _CHUNK):
        yield content[start : start + _CHUNK]
    yield b""
