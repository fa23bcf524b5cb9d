"""One open chat window: what the visitor sends goes into the record, what the record has for the visitor goes out, numbered.

The record is the only source of what is shown, so a window that was away simply reads on from the last number it has. Must not
keep messages: a window holds a number, not a thread, so a slow reader costs no memory.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from channels import tokens
from core import media
from core.model.inbound import AuthenticationFailed, RawRequest
from core.store import threads, tickets
from core.store.api import StoreUnavailable, Tx
from gateway.bucket import Bucket
from gateway.receive import receive
from gateway.runtime import ConfiguredChannel, Gateway
from gateway.webchat_limits import Limits
from gateway.webchat_typing import Typing

PAGE = 50
HISTORY = 200
VISITOR_LIFE_MS = 180 * 24 * 3_600_000
_CLOSE_S = 3.0
_WORKING_S = 15.0
_RESET = struct.pack("ii", 1, 0)
_RECEIVED = frozenset({"message", "choice", "read", "joined"})


class Window:
    """A visitor's open socket, after its hello."""

    def __init__(self, gateway: Gateway, channel: ConfiguredChannel, typing: Typing, limits: Limits, request: web.Request) -> None:
        self._gateway = gateway
        self._channel = channel
        self._typing = typing
        self._limits = limits
        self._socket = web.WebSocketResponse(max_msg_size=limits.frame_bytes + 1, compress=False, heartbeat=limits.ping_s, timeout=_CLOSE_S)
        self._bucket = Bucket(1 / limits.frames_per_s, limits.frames_burst)
        self._refused = 0
        self._visitor = ""
        self._headers = {"origin": request.headers.get("Origin", "")}
        self._remote = request.remote or ""
        self._transport = request.transport
        self._lost = False
        self._leaving = False
        self._sent = 0
        self._behind = False
        self._typing_due = False
        self._typing_shown = False
        self._push: asyncio.Task[None] | None = None

    async def run(self, request: web.Request) -> web.WebSocketResponse:
        """Serve the window until it is closed."""
        await self._socket.prepare(request)
        if self._leaving:
            await self._leave(1.0)
        try:
            hello = await self._hello()
        except StoreUnavailable:
            await self._socket.close(code=WSCloseCode.TRY_AGAIN_LATER)
            return self._socket
        if hello is None:
            await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"hello")
            return self._socket
        self._visitor, after = hello
        self._headers["x-parley-visitor"] = visitor_token(self._channel, self._visitor, self._gateway.clock.now_ms())
        message, typing = f"address:{self._visitor}", f"typing:{self._visitor}"
        hints = self._gateway.hints
        hints.attach(self._wake, message)
        hints.attach(self._wake_typing, typing)
        try:
            last = await self._gateway.store.read(lambda tx: threads.last_number(tx, self._visitor))
            self._sent = after if 0 < after <= last else max(0, last - HISTORY)
            await self._send({"type": "ready", "last": last, "after": self._sent})
            self._wake()
            await self._read()
        finally:
            hints.detach(self._wake, message)
            hints.detach(self._wake_typing, typing)
            if self._push is not None:
                self._push.cancel()
        return self._socket

    async def restart(self, in_s: float) -> None:
        """Tell the window to come back, and close it, at the latest when it is open."""
        self._leaving = True
        if self._socket.prepared:
            await self._leave(in_s)

    async def _leave(self, in_s: float) -> None:
        await self._send({"type": "reconnect", "in_s": round(in_s, 1)})
        await self._socket.close(code=WSCloseCode.SERVICE_RESTART)

    async def _send(self, frame: Mapping[str, Any]) -> None:
        """Send a frame; a client that does not read for too long, or leaves too much unread, is cut off."""
        if self._gone():
            return
        try:
            async with asyncio.timeout(self._limits.send_s):
                await self._socket.send_str(json.dumps(frame, ensure_ascii=False))
        except TimeoutError:
            self._cut("slow_reader")
        except ConnectionError:
            self._lost = True
        else:
            if self._unsent() > self._limits.unsent_bytes:
                self._cut("slow_reader")

    # ── from the visitor ────────────────────────────────────────────────────────────────────────────────────────────

    async def _hello(self) -> tuple[str, int] | None:
        """Return visitor id and last number of a hello with a good ticket, else None."""
        try:
            frame = _object(await self._socket.receive_str(timeout=self._limits.hello_s))
        except (TimeoutError, TypeError):
            return None
        ticket, after = frame.get("ticket"), frame.get("after")
        if frame.get("type") != "hello" or not isinstance(ticket, str) or type(after) is not int:
            return None
        now = self._gateway.clock.now_ms()
        kind = ticket_kind(self._channel)
        visitor = await self._gateway.store.write(lambda tx: tickets.redeem(tx, ticket, kind, now))
        if visitor is None:
            self._gateway.counters.add("webchat_refused", code="ticket")
            return None
        return visitor, after

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                await self._socket.close(code=WSCloseCode.UNSUPPORTED_DATA)
            elif wait_s := self._bucket.ask(time.monotonic()):
                await self._refuse(wait_s)
            else:
                await self._frame(message.data)

    async def _refuse(self, wait_s: float) -> None:
        """Ask a client that sends too fast to wait; one that goes on is closed."""
        self._refused += 1
        if self._refused == 1:
            text = "Too many messages at once; the rest is sent in a moment."
            await self._send({"type": "error", "code": "too_fast", "text": text, "retry_in_s": round(wait_s, 1)})
        elif self._refused > self._limits.frames_refused:
            self._gateway.counters.add("webchat_refused", code="flood")
            await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"too fast")

    async def _frame(self, text: str) -> None:
        self._refused = 0
        frame = _object(text)
        kind, own_id = frame.get("type"), frame.get("id")
        if kind == "typing":
            self._typing.note(self._visitor, "customer")
            return
        if kind not in _RECEIVED:
            await self._error(own_id, "unknown_frame", "This gateway does not know such a frame.")
            return
        now = self._gateway.clock.now_ms()
        raw = RawRequest("WS", self._channel.webhook_url, self._headers, text.encode("utf-8", "surrogatepass"), now, self._remote)
        try:
            await receive(self._gateway, self._channel, raw)
        except AuthenticationFailed:
            await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"token")
            return
        except StoreUnavailable:
            await self._error(own_id, "unavailable", "The message could not be stored; it will be sent again.")
            return
        if kind in {"message", "choice"}:
            self._typing.stop(self._visitor, "customer")
        if isinstance(own_id, str):
            await self._send({"type": "ack", "id": own_id})

    async def _error(self, own_id: object, code: str, text: str) -> None:
        await self._send({"type": "error", "code": code, "text": text, **({"id": own_id} if isinstance(own_id, str) else {})})

    # ── to the visitor ──────────────────────────────────────────────────────────────────────────────────────────────

    def _wake(self) -> None:
        """Read on from the record, in a task that lives only for as long as there is something to send."""
        self._behind = True
        self._start()

    def _wake_typing(self) -> None:
        self._typing_due = True
        self._start()

    def _start(self) -> None:
        if self._push is None or self._push.done():
            self._push = asyncio.create_task(self._push_on())

    async def _push_on(self) -> None:
        while (self._behind or self._typing_due) and not self._gone():
            if self._behind:
                self._behind = False
                await self._push_news()
            if self._typing_due:
                self._typing_due = False
                await self._push_typing()

    async def _push_typing(self) -> None:
        left_ms = self._typing.left_ms(self._visitor, "agent")
        if left_ms or self._typing_shown:  # the visitor's own typing wakes us too
            self._typing_shown = left_ms > 0
            await self._send({"type": "typing", "who": "agent", "for_s": left_ms / 1000})

    async def _push_news(self) -> None:
        try:
            entries, working = await self._gateway.store.read(self._news)
        except StoreUnavailable:
            return  # the client has its number; the next wake-up or reconnection reads on from there
        for entry in entries:
            await self._send(self._message(entry))
            if self._gone():
                return
            self._sent = entry.number
        if working:
            await self._send({"type": "typing", "who": "bot", "for_s": _WORKING_S})
        self._behind |= len(entries) == PAGE

    def _news(self, tx: Tx) -> tuple[list[threads.Entry], bool]:
        entries = threads.after(tx, self._visitor, self._sent, PAGE)
        return entries, bool(entries) and threads.is_working(tx, entries[-1].conversation_id)

    def _message(self, entry: threads.Entry) -> dict[str, Any]:
        frame: dict[str, Any] = {
            "type": "message",
            "number": entry.number,
            "after": entry.number - 1,
            "direction": entry.direction,
            "author": entry.author,
            "text": entry.text,
            "at": entry.at,
            "status": entry.status,
        }
        if entry.choices:
            frame["choices"] = [{"token": token, "label": label} for token, label in entry.choices]
        if entry.media:
            frame["files"] = media.of_thread(entry.id, entry.media)
        if entry.direction == "inbound":
            frame["id"] = entry.cause_id.removeprefix(f"{self._visitor}:")
        return frame

    def _gone(self) -> bool:
        return self._lost or self._socket.closed

    def _unsent(self) -> int:
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def _cut(self, code: str) -> None:
        """Drop the connection and what it still holds: a closing handshake, or the kernel, would wait for the reader."""
        self._lost = True
        self._gateway.counters.add("webchat_refused", code=code)
        if self._transport is not None:
            if (tcp := self._transport.get_extra_info("socket")) is not None:
                tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._transport.abort()


def ticket_kind(channel: ConfiguredChannel) -> str:
    """Return the kind of ticket that opens a window of this channel and of no other."""
    return f"webchat:{channel.channel.id}"


def visitor_token(channel: ConfiguredChannel, visitor: str, now: int) -> str:
    """Return a fresh token of a visitor, as the channel's adapter checks it."""
    return tokens.make(channel.settings.keys[0], visitor, now + VISITOR_LIFE_MS)


async def restart_all(windows: Collection[Window], random: Callable[[int], bytes]) -> None:
    """Send every window away, to come back spread over some seconds."""
    spread_s = min(30.0, 1.0 + len(windows) / 200)
    sent = [window.restart(0.2 + spread_s * random(1)[0] / 255) for window in windows]
    await asyncio.gather(*sent, return_exceptions=True)


def _object(text: str) -> dict[str, Any]:
    """Return the JSON object in `text`, or an empty one: the adapter says exactly what is wrong with a frame."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
