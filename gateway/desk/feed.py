"""The live feed of the desk: the event log, followed once for all open pages and sent to each as numbered frames.

Each frame names the one before it, so a page knows that it missed nothing, and after a drop it resumes from the last that it has.
Viewing and typing ride along; they are in memory only, and losing them loses nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from aiohttp import web

from core import agents
from core.routing import thread
from core.store import events
from core.store.api import StoreUnavailable, Tx
from gateway.desk.auth import Caller, Problem, Sessions
from gateway.desk.page_socket import Entry, PageSocket
from gateway.runtime import Gateway

BATCH = 500
BEHIND_MAX = 20_000  # a page that missed more reads everything anew
PAUSE_S = 0.05  # at most so many reads of the log a second, however busy it is
RETRY_S = 1.0
CHECK_EVERY_S = 2.0  # how soon an open page notices that its session has ended
SOCKETS_MAX = 2_000
REVOKED = 4401
_LOG = logging.getLogger(__name__)


class Feed:
    """Everything that is open at the desk in one process."""

    def __init__(self, gateway: Gateway, sessions: Sessions) -> None:
        self._gateway = gateway
        self._sessions = sessions
        self._open: set[PageSocket] = set()
        self._cursor = 0
        self._check = asyncio.Event()

    async def run(self, _: web.Application) -> AsyncIterator[None]:
        """Follow the log and watch the sessions while the application runs."""
        tasks = [asyncio.create_task(self._lasting(loop)) for loop in (self._follow, self._watch)]
        yield
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def close(self, _: web.Application) -> None:
        """Ask every page to come back in a moment."""
        for socket in tuple(self._open):
            await socket.end(1012, "restart")

    def check_sessions(self) -> None:
        """Look now whether a session has ended."""
        self._check.set()

    async def connect(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Open the feed of one page, from the cursor `after` on."""
        self._sessions.check_origin(request, required=True)
        after = request.query.get("after", "")
        if not (after.isascii() and after.isdigit() and len(after) <= 18):
            raise Problem(400, "bad_request", "after must be a number.")
        if len(self._open) >= SOCKETS_MAX:
            raise Problem(503, "busy", "Too many pages are open.")
        socket = PageSocket(self._gateway, self._sessions, caller, int(after), self._others)
        await socket.prepare(request)
        try:
            await self._catch_up(socket)
            self._open.add(socket)
            self._gateway.hints.wake("events")  # for what was written between the last look and now
            await socket.talk()
        finally:
            self._open.discard(socket)
            await socket.leave()
        return socket.response

    def _others(self) -> set[PageSocket]:
        return self._open

    async def _catch_up(self, socket: PageSocket) -> None:
        """Send what the page missed; afterwards it stands where this process does."""
        head = await self._gateway.store.read(events.head)
        if socket.read_to > head or head - socket.read_to > BEHIND_MAX:
            socket.reset(head)
        while True:
            start = socket.read_to
            batch = await self._read(start)
            for entry, for_all in batch:
                socket.offer(entry, for_all=for_all)
            if not self._open:
                self._cursor = socket.read_to
            if len(batch) < BATCH and socket.read_to >= self._cursor:
                return

    async def _read(self, cursor: int) -> list[Entry]:
        def unit(tx: Tx) -> list[Entry]:
            return thread.feed(tx, cursor, BATCH)

        return await self._gateway.store.read(unit)

    async def _lasting(self, loop: Callable[[], Awaitable[None]]) -> None:
        """Run a loop for ever; after a failure every page is told to come back, as what it was sent may have a hole."""
        while True:
            try:
                await loop()
            except StoreUnavailable as unavailable:
                _LOG.warning("the feed of the desk waits for the store: %s", unavailable.code)
            except Exception:  # noqa: BLE001 - the pages are told, and the loop goes on
                _LOG.exception("the feed of the desk failed")
            for socket in tuple(self._open):
                await socket.end(1012, "restart")
            await asyncio.sleep(RETRY_S)

    async def _follow(self) -> None:
        with self._gateway.hints.listen("events") as listener:
            while True:
                await listener.wait(10.0)
                while self._open and await self._step():
                    continue

    async def _step(self) -> bool:
        """Send one batch of the log to every page; False when there was none."""
        batch = await self._read(self._cursor)
        if not batch:
            return False
        self._cursor = batch[-1][0]["cursor"]
        for socket in tuple(self._open):
            for entry, for_all in batch:
                socket.offer(entry, for_all=for_all)
        await asyncio.sleep(PAUSE_S)
        return True

    async def _watch(self) -> None:
        """Close the pages whose session is over or whose agent may not be here any more."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._check.wait(), CHECK_EVERY_S)
            self._check.clear()
            if self._open:
                await self._close_ended()

    async def _close_ended(self) -> None:
        at, limits = self._gateway.clock.now_ms(), self._sessions.limits
        callers = {socket.caller.token: socket.caller.agent.role for socket in self._open}

        def unit(tx: Tx) -> set[str]:
            ended = set()
            for token, role in callers.items():
                session = agents.live_session(tx, token, at, limits)
                if session is None or session.agent.role is not role:
                    ended.add(token)
            return ended

        ended = await self._gateway.store.read(unit)
        for socket in tuple(self._open):
            if socket.caller.token in ended:
                await socket.end(REVOKED, "signed out")
