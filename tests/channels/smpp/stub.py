"""An SMS centre on a real local port that answers well, badly, late or not at all; for what a good centre cannot be asked to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from channels import smpp_pdus
from tests.sockets import raw_server


class Stub:
    """Answers a submit_sm as `mode` says: a status in hex, or `ok`, `hang`, `close`, `garbage`, `nothing`, `nack`, `endless`."""

    def __init__(self) -> None:
        self.mode = "ok"
        self.silent = False  # to enquiries
        self.greeting = b""  # sent together with the answer to a bind
        self.port = 0
        self.submitted = 0
        self.commands: list[str] = []
        self.writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        try:
            while True:
                head = await reader.readexactly(4)
                pdu = smpp_pdus.read(head + await reader.readexactly(int.from_bytes(head) - 4))
                self.commands.append(f"{pdu.command} {pdu.status:#x}" if pdu.status else pdu.command)
                writer.write(self.answer(pdu))
                if self.mode == "close" and pdu.command == "submit_sm":
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            self.commands.append("gone")
        finally:
            writer.close()

    def answer(self, pdu: smpp_pdus.Pdu) -> bytes:
        if pdu.command == "enquire_link" and self.silent:
            return b""
        if pdu.command != "submit_sm":
            greeting = self.greeting if pdu.command == "bind_transceiver" else b""
            return b"" if pdu.answers else smpp_pdus.write(f"{pdu.command}_resp", pdu.sequence) + greeting
        self.submitted += 1
        match self.mode:
            case "ok":
                return smpp_pdus.write("submit_sm_resp", pdu.sequence, message_id="p-9")
            case "hang" | "close":
                return b""
            case "garbage":
                return b"HTTP/1.1 400 Bad Request\r\n\r\n"
            case "nothing":
                return smpp_pdus.write("submit_sm_resp", pdu.sequence)
            case "nack":
                return smpp_pdus.write("generic_nack", pdu.sequence, status=0x03)
            case "endless":
                return b"\xff" * 1_000
        return smpp_pdus.write("submit_sm_resp", pdu.sequence, status=int(self.mode, 16))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Stub]:
        async with raw_server(self.serve) as server:
            self.port = server.port
            yield self
