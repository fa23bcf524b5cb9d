"""One transceiver bind to an SMS centre: requests matched with answers, a window, a rate, and proof of life.

A link is opened again and again by whoever owns it; between times it sends nothing. Must not know what a message says, try again, or
put a text, a number or a secret into an error.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from channels import smpp_pdus
from channels.smpp_pdus import HEADER_BYTES, PDU_BYTES_MAX, Pdu
from core.model.outbound import SendError, SendErrorCode

Deliver = Callable[[Pdu], Awaitable[int]]
_SEQUENCE_MAX = 0x7FFFFFFF
_QUEUE_MAX_S = 10.0  # who would wait longer for the rate is told to come back
_THROTTLED_PAUSE_S = 1.0
_LAST_ANSWERS_S, _GOODBYE_S = 5.0, 2.0
_DELIVERING_MAX = 100
_THROTTLED = {0x14, 0x58}
_DOWN = {0x04, 0x08, 0x45, 0x64, 0xFE, 0xFF}
_CREDENTIALS = {0x05, 0x0D, 0x0E, 0x0F}
_BAD_ADDRESS = {0x0B}
_TOO_LONG = {0x01}
_OURS = {0x02, 0x03, 0x06, 0x07, 0x0A, 0x15, 0x43, 0x48, 0x49, 0x50, 0x51, 0x53, 0x54, 0x61, 0x62, 0x63, *range(0xC0, 0xC5)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """Where the SMS centre is and how to bind there; times in seconds."""

    host: str
    port: int
    tls: bool
    system_id: str
    password: str = field(repr=False)
    system_type: str
    timeout_s: float
    enquire_link_s: float
    window: int
    messages_per_s: float


class LinkEnded(Exception):
    """The link could not be made, or is over. `code`: not_connected, refused and the status, silent, unbound, closed, bad_pdu."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Link:
    """The bind of one channel, and the connection under it while there is one."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._writer: asyncio.StreamWriter | None = None
        self._pending: dict[int, asyncio.Future[Pdu]] = {}
        self._sequences = itertools.count(1)
        self._window = asyncio.Semaphore(centre.window)
        self._free_at = 0.0
        self._delivering: set[asyncio.Task[None]] = set()
        self._bound = False

    @property
    def bound(self) -> bool:
        """Tell whether messages can be submitted now."""
        return self._bound

    async def run(self, deliver: Deliver, bound: Callable[[], None], proved: Callable[[], None]) -> None:
        """Bind and serve until the link ends, which raises `LinkEnded`.

        `deliver` takes a message and returns the status to answer with; `bound` is told that the bind stands; `proved` that the centre
        has answered an enquiry, and so has read all that was answered before it.
        """
        reader, writer = await self._connect()
        serving = asyncio.create_task(self._read(reader, writer, deliver, bound))
        keeping = asyncio.create_task(self._keep(proved))
        try:
            await asyncio.wait({serving, keeping}, return_when=asyncio.FIRST_COMPLETED)
            await (serving if serving.done() else keeping)
        except (OSError, asyncio.IncompleteReadError):
            raise LinkEnded("closed") from None
        finally:
            self._drop()
            for task in (serving, keeping):
                task.cancel()
            await asyncio.gather(serving, keeping, return_exceptions=True)

    async def submit(self, **fields: Any) -> str:
        """Submit one message and return the centre's id for it; raises `SendError`."""
        async with self._window:
            await self._pace()
            if not self._bound:
                raise SendError(SendErrorCode.NOT_CONNECTED, retryable=True, detail="no bind")
            try:
                answer = await self._request("submit_sm", **fields)
            except LinkEnded as ended:
                raise SendError(SendErrorCode.TIMEOUT, retryable=True, unknown=True, detail=ended.code) from None
        if answer.status in _THROTTLED:
            self._free_at = max(self._free_at, asyncio.get_running_loop().time() + _THROTTLED_PAUSE_S)
        if answer.status or answer.command == "generic_nack":
            raise refusal(answer.status)
        message_id: str = answer.fields.get("message_id", "")
        if not message_id or "pdu" in answer.fields:
            raise SendError(SendErrorCode.UNREADABLE_ANSWER, retryable=True, unknown=True)
        return message_id

    async def close(self) -> None:
        """Say goodbye and end the connection; what is under way is waited for, but not for long."""
        if self._bound:
            self._bound = False
            under_way: set[asyncio.Future[Any]] = {*self._pending.values(), *self._delivering}
            if under_way:
                await asyncio.wait(under_way, timeout=min(_LAST_ANSWERS_S, self._centre.timeout_s))
            with suppress(LinkEnded, TimeoutError):  # the connection goes in any case
                async with asyncio.timeout(_GOODBYE_S):
                    await self._request("unbind")
        self._drop()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        centre = self._centre
        context = ssl.create_default_context() if centre.tls else None
        try:
            async with asyncio.timeout(centre.timeout_s):
                reader, self._writer = await asyncio.open_connection(centre.host, centre.port, ssl=context)
        except (OSError, TimeoutError):
            raise LinkEnded("not_connected") from None
        return reader, self._writer

    async def _keep(self, proved: Callable[[], None]) -> None:
        centre = self._centre
        answer = await self._request(
            "bind_transceiver", system_id=centre.system_id, password=centre.password, system_type=centre.system_type, address_range=""
        )
        if answer.status:
            raise LinkEnded(f"refused_{answer.status:#x}")
        while True:
            await asyncio.sleep(centre.enquire_link_s)
            await self._request("enquire_link")
            proved()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, deliver: Deliver, bound: Callable[[], None]) -> None:
        while True:
            head = await reader.readexactly(4)
            length = int.from_bytes(head)
            if not HEADER_BYTES <= length <= PDU_BYTES_MAX:
                raise LinkEnded("bad_pdu")
            pdu = smpp_pdus.read(head + await reader.readexactly(length - 4))
            if pdu.answers:
                waiting = self._pending.get(pdu.sequence)
                if waiting is not None and not waiting.done():
                    waiting.set_result(pdu)
                    if pdu.command == "bind_transceiver_resp" and not pdu.status:  # messages may follow in the same packet
                        self._bound = True
                        bound()
            elif pdu.command in {"deliver_sm", "data_sm"}:
                await self._take(pdu, writer, deliver)
            elif pdu.command == "enquire_link":
                await _write(writer, "enquire_link_resp", pdu.sequence)
            elif pdu.command == "unbind":
                self._bound = False
                await _write(writer, "unbind_resp", pdu.sequence)
                raise LinkEnded("unbound")
            elif pdu.command != "alert_notification":
                await _write(writer, "generic_nack", pdu.sequence, status=smpp_pdus.BAD_COMMAND)

    async def _take(self, pdu: Pdu, writer: asyncio.StreamWriter, deliver: Deliver) -> None:
        """Begin to take a message in; where too many are under way, what follows is left unread until one is done."""
        while len(self._delivering) >= _DELIVERING_MAX:
            await asyncio.wait(self._delivering, return_when=asyncio.FIRST_COMPLETED)
        if not self._bound:
            await _write(writer, f"{pdu.command}_resp", pdu.sequence, status=smpp_pdus.NOT_NOW)
            return
        task = asyncio.create_task(_answer(pdu, writer, deliver))
        self._delivering.add(task)
        task.add_done_callback(self._delivering.discard)

    async def _request(self, name: str, **fields: Any) -> Pdu:
        """Send a request and return its answer; raises `LinkEnded`."""
        sequence = next(self._sequences) % _SEQUENCE_MAX or next(self._sequences) % _SEQUENCE_MAX
        waiting = self._pending[sequence] = asyncio.get_running_loop().create_future()
        try:
            if self._writer is None:
                raise LinkEnded("closed")
            await _write(self._writer, name, sequence, **fields)
            async with asyncio.timeout(self._centre.timeout_s):
                answer: Pdu = await waiting
                return answer
        except TimeoutError:
            raise LinkEnded("silent") from None
        except OSError:
            raise LinkEnded("closed") from None
        finally:
            del self._pending[sequence]

    async def _pace(self) -> None:
        """Wait for the turn that the rate gives; raises `SendError` where that is too far away."""
        now = asyncio.get_running_loop().time()
        wait_s = self._free_at - now
        if wait_s > _QUEUE_MAX_S:
            raise SendError(SendErrorCode.THROTTLED, retryable=True, retry_after_s=wait_s, detail="our own rate")
        self._free_at = max(self._free_at, now) + 1 / self._centre.messages_per_s
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    def _drop(self) -> None:
        self._bound = False
        writer, self._writer = self._writer, None
        for waiting in self._pending.values():
            if not waiting.done():
                waiting.set_exception(LinkEnded("closed"))
        if writer is not None:
            writer.close()


async def _answer(pdu: Pdu, writer: asyncio.StreamWriter, deliver: Deliver) -> None:
    """Take a message in and answer it on the connection that it came by; if that is gone, the centre repeats the message."""
    status = await deliver(pdu)
    with suppress(LinkEnded, OSError):
        await _write(writer, f"{pdu.command}_resp", pdu.sequence, status=status)


async def _write(writer: asyncio.StreamWriter, name: str, sequence: int, **fields: Any) -> None:
    if writer.is_closing():
        raise LinkEnded("closed")
    writer.write(smpp_pdus.write(name, sequence, **fields))
    await writer.drain()


def refusal(status: int) -> SendError:
    """Return the error for a status with which the centre refuses a message; all of them mean that it was not taken."""
    code = f"{status:#04x}"
    if status in _THROTTLED:
        return SendError(SendErrorCode.THROTTLED, retryable=True, provider_code=code)
    if status in _DOWN:
        return SendError(SendErrorCode.PROVIDER_DOWN, retryable=True, provider_code=code)
    if status in _CREDENTIALS:
        return SendError(SendErrorCode.BAD_CREDENTIALS, retryable=False, ours=True, provider_code=code)
    if status in _BAD_ADDRESS:
        return SendError(SendErrorCode.BAD_ADDRESS, retryable=False, provider_code=code)
    if status in _TOO_LONG:
        return SendError(SendErrorCode.TOO_LONG, retryable=False, provider_code=code)
    return SendError(SendErrorCode.REFUSED, retryable=False, ours=status in _OURS, provider_code=code)
