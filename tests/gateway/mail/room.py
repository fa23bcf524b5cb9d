"""A gateway with a mailbox, the relay that its answers go to, and raw conversations with its mail server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib

from core.model.mail_ids import without_token
from tests.channels.mail.relay import Relay, relay
from tests.gateway.running import Running, running

OURS = "support@operator.example"
ANNA = "anna@customer.example"
PATIENCE_S = 60.0


@dataclass
class Room:
    """The gateway and the relay around it."""

    parley: Running
    relay: Relay

    @property
    def port(self) -> int:
        return self.parley.gateway.mail_ports["mail"]

    async def post(self, raw: bytes, *, sender: str = ANNA, recipients: tuple[str, ...] = (OURS,)) -> None:
        """Hand a mail over by a real client."""
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=self.port, start_tls=False, timeout=PATIENCE_S) as client:
            await client.sendmail(sender, list(recipients), raw, mail_options=["SMTPUTF8"] if not sender.isascii() else [])

    async def rows(self, sql: str, *args: Any) -> list[Any]:
        return await self.parley.rows(sql, *args)

    async def until(self, wanted: Callable[[], Awaitable[Any]]) -> Any:
        """Wait until something is there, and return it."""
        async with asyncio.timeout(PATIENCE_S):
            with self.parley.gateway.hints.listen("events", "kept_requests", "outbox") as listener:
                while not (found := await wanted()):
                    await listener.wait(0.05)
                return found

    async def read(self, count: int) -> None:
        """Wait until so many mails were read, well or not."""

        async def all_of_them() -> bool:
            rows = await self.rows("select count(*) from kept_request where state <> 'waiting'")
            return bool(rows[0][0] >= count)

        await self.until(all_of_them)

    async def answers(self, count: int) -> list[EmailMessage]:
        """Wait until the relay has so many mails, and return them."""

        async def all_of_them() -> bool:
            return len(self.relay.got) >= count

        await self.until(all_of_them)
        return [message_from_bytes(bytes(one.content or b""), policy=policy.default) for one in self.relay.got]  # type: ignore[arg-type]


def letter(text: str, number: int, **fields: str) -> bytes:
    """Return a raw mail."""
    known = {"From": f"Anna <{ANNA}>", "To": OURS, "Subject": "My balance", "Message-ID": f"<a{number}@customer.example>", **fields}
    head = "".join(f"{name}: {value}\r\n" for name, value in known.items() if value)
    return f"{head}\r\n{text}\r\n".encode()


@asynccontextmanager
async def mailroom(folder: Path, *, listen: str = "smtp://127.0.0.1:0", **settings: Any) -> AsyncIterator[Room]:
    """Run a gateway with a mailbox, and a relay."""
    async with relay() as server:
        known: Mapping[str, Any] = {
            "kind": "email",
            "address": OURS,
            "aliases": ["help@operator.example"],
            "listen": listen,
            "smtp_host": "127.0.0.1",
            "smtp_port": server.port,
            "smtp_tls": "none",
            **settings,
        }
        async with running(folder, overrides={f"channels.mail.{name}": value for name, value in known.items()}) as parley:
            yield Room(parley, server)


class Wire:
    """A connection on which a test says every octet itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self) -> str:
        """Return the next answer, its last line."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                line = (await self.reader.readline()).decode()
                if line[3:4] != "-":
                    return line.rstrip("\r\n")

    async def say(self, line: bytes) -> str:
        self.writer.write(line + b"\r\n")
        return await self.answer()

    async def rest(self) -> bytes:
        """Return what comes until the other side closes."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.read()

    async def begin(self, *recipients: str, hello: bytes = b"EHLO customer.example") -> str:
        """Come as far as the content of a mail; return the answer to DATA."""
        await self.say(hello)
        await self.say(b"MAIL FROM:<anna@customer.example>")
        for recipient in recipients or (OURS,):
            await self.say(f"RCPT TO:<{recipient}>".encode())
        return await self.say(b"DATA")


@asynccontextmanager
async def wire(port: int) -> AsyncIterator[Wire]:
    """Connect, and take the greeting."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    made = Wire(reader, writer)
    try:
        greeting = await made.answer()
        assert greeting.startswith(("220", "421")), greeting
        yield made
    finally:
        writer.close()


def address_of(field: str) -> str:
    """Return the address in a header field, without the thread in it."""
    return without_token(field.rpartition("<")[2].strip(">"))
