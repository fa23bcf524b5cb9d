"""A scanner on a real local port that speaks clamd's protocol, knows one signature, and misbehaves on request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.sockets import raw_server

# The test file of the industry, in two pieces, so that no scanner takes this source for one.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
STREAM_BYTES_MAX = 1_048_576


@dataclass
class Clamd:
    """Answers PING and INSTREAM. `answer` replaces what it would say, `away` closes connections without a word."""

    url: str = ""
    answer: bytes | None = None
    away: bool = False
    scanned: list[bytes] = field(default_factory=list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Clamd]:
        """Listen on a free port of this machine."""
        async with raw_server(self.serve) as server:
            self.url = f"tcp://127.0.0.1:{server.port}"
            yield self

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        if not self.away:
            writer.write(self.answer or await self._said(reader))
            await writer.drain()

    async def _said(self, reader: asyncio.StreamReader) -> bytes:
        command = await reader.readuntil(b"\0")
        if command == b"zPING\0":
            return b"PONG\0"
        assert command == b"zINSTREAM\0", command
        content = b""
        while size := int.from_bytes(await reader.readexactly(4), "big"):
            content += await reader.readexactly(size)
            if len(content) > STREAM_BYTES_MAX:
                return b"INSTREAM size limit exceeded. ERROR\0"
        self.scanned.append(content)
        return b"stream: Eicar-Test-Signature FOUND\0" if EICAR in content else b"stream: OK\0"
