"""One open page of the desk: its socket, how far it has read the log, what it looks at."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

from aiohttp import WSMsgType, web

from core.agents import TOUCH_EVERY_MS
from core.model.address import AddressKind
from core.routing import person, reach, speak
from core.routing.refused import Refused
from core.store.api import Tx
from gateway.bucket import Bucket
from gateway.desk.auth import Caller, Sessions
from gateway.runtime import Gateway
from gateway.webchat_typing import TYPING, Typing

Entry = tuple[dict[str, Any], bool]
FRAME_BYTES_MAX = 4_096
WAITING_MAX = 2_000
ALIVE_EVERY_S = 10.0
FRAMES_PER_S = 5.0
FRAMES_BURST = 20


class PageSocket:
    """A page's end of the feed. `read_to` is how far in the log it stands, whether or not the last entries were for it."""

    def __init__(
        self, gateway: Gateway, sessions: Sessions, caller: Caller, after: int, others: Callable[[], Collection[PageSocket]]
    ) -> None:
        self.caller = caller
        self.read_to = after
        self.viewing: str | None = None
        self.response = web.WebSocketResponse(heartbeat=20.0, max_msg_size=FRAME_BYTES_MAX, compress=False)
        self._gateway = gateway
        self._sessions = sessions
        self._others = others
        self._typing: Typing | None = None
        self._sent = after
        self._waiting: deque[dict[str, Any]] = deque()
        self._wake = asyncio.Event()
        self._visitors: dict[str, Callable[[], None]] = {}
        self._touched_at = 0

    async def prepare(self, request: web.Request) -> None:
        """Accept the socket."""
        self._typing = request.app[TYPING]
        await self.response.prepare(request)

    async def talk(self) -> None:
        """Send what is offered and take what the page says, until either end closes."""
        sender = asyncio.create_task(self._send())
        try:
            await self._listen()
        finally:
            sender.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await sender

    def offer(self, entry: dict[str, Any], *, for_all: bool) -> None:
        """Take the next entry of the log; it is sent if it concerns this page. Entries that were taken before are passed over."""
        if entry["cursor"] <= self.read_to:
            return
        self.read_to = entry["cursor"]
        if for_all or entry["conversation"] == self.viewing:
            self._queue({"type": "event", "after": self._sent, **entry})
            self._sent = entry["cursor"]

    def reset(self, cursor: int) -> None:
        """Tell the page to read everything anew, as what it missed is too much or of another log."""
        self.read_to = self._sent = cursor
        self._queue({"type": "reset", "cursor": cursor})

    def tell(self, frame: dict[str, Any]) -> None:
        """Send something that is not part of the log."""
        self._queue(frame)

    async def end(self, code: int, reason: str) -> None:
        """Close the socket."""
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(2.0):
                await self.response.close(code=code, message=reason.encode())

    async def leave(self) -> None:
        """Forget what the page looked at, and tell the others."""
        self._look_at(None, ())

    def _queue(self, frame: dict[str, Any]) -> None:
        self._waiting.append(frame)
        self._wake.set()

    async def _send(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._wake.wait(), ALIVE_EVERY_S)
            except TimeoutError:
                self._queue({"type": "alive", "after": self._sent})
            self._wake.clear()
            while self._waiting:
                if len(self._waiting) > WAITING_MAX:  # too slow a reader: it comes back and catches up
                    await self.end(1013, "too slow")
                    return
                await self.response.send_str(json.dumps(self._waiting.popleft(), ensure_ascii=False))

    async def _listen(self) -> None:
        bucket = Bucket(1 / FRAMES_PER_S, FRAMES_BURST)
        async for message in self.response:
            if message.type is not WSMsgType.TEXT or bucket.ask(time.monotonic()):
                await self.end(1008, "unexpected")
                return
            try:
                frame = json.loads(message.data)
                kind, conversation = frame.get("type"), frame.get("conversation")
            except (ValueError, RecursionError, AttributeError):
                await self.end(1007, "unreadable")
                return
            if kind == "viewing" and (conversation is None or isinstance(conversation, str)):
                await self._view(conversation)
            elif kind == "typing" and isinstance(conversation, str):
                await self._type(conversation)
            elif kind == "active":
                await self._touch()

    async def _touch(self) -> None:
        now = self._gateway.clock.now_ms()
        if now - self._touched_at >= TOUCH_EVERY_MS:
            self._touched_at = now
            await self._sessions.touch(self.caller.token)

    async def _view(self, conversation: str | None) -> None:
        """Follow a conversation from here on; the answer says from which place in the log."""
        visitors: list[str] = []
        if conversation is not None:
            wanted = conversation
            found = await self._gateway.store.read(lambda tx: _visitors(tx, self._gateway, wanted))
            if found is None:
                conversation = None
            visitors = found or []
        self._look_at(conversation, visitors)
        self.tell({"type": "viewing", "conversation": conversation, "cursor": self.read_to})

    def _look_at(self, conversation: str | None, visitors: Collection[str]) -> None:
        before, self.viewing = self.viewing, conversation
        for topic, call in self._visitors.items():
            self._gateway.hints.detach(call, topic)
        self._visitors = {f"typing:{address}": self._typing_call(address) for address in visitors}
        for topic, call in self._visitors.items():
            self._gateway.hints.attach(call, topic)
        for one in {before, conversation} - {None}:
            self._tell_viewers(str(one))

    def _tell_viewers(self, conversation: str) -> None:
        viewers = [socket for socket in self._others() if socket.viewing == conversation]
        names = {socket.caller.agent.id: socket.caller.agent.name for socket in viewers}
        for socket in viewers:
            others = sorted(name for agent_id, name in names.items() if agent_id != socket.caller.agent.id)
            socket.tell({"type": "presence", "conversation": conversation, "names": others})

    def _typing_call(self, address: str) -> Callable[[], None]:
        def call() -> None:
            if self._typing is not None:
                left = self._typing.left_ms(address, "customer")
                self.tell({"type": "typing", "conversation": self.viewing, "left_ms": left})

        return call

    async def _type(self, conversation: str) -> None:
        """Tell the visitors of a conversation that its agent writes."""
        agent = self.caller.agent

        def unit(tx: Tx) -> list[str]:
            try:
                speak.own_item(tx, conversation, agent)
            except Refused:
                return []
            return _visitors(tx, self._gateway, conversation) or []

        for address in await self._gateway.store.read(unit):
            if self._typing is not None:
                self._typing.note(address, "agent")


def _visitors(tx: Tx, gateway: Gateway, conversation_id: str) -> list[str] | None:
    """Return the web chat addresses of a conversation that was handed over; None if there is no such conversation."""
    if person.latest_item(tx, conversation_id) is None:
        return None
    ways = reach.targets(tx, gateway.core_channels(), conversation_id)
    return [way.address.value for way in ways if way.link is not None and way.address.kind is AddressKind.VISITOR]
