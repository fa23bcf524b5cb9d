"""A bot as the simulated Telegram knows it: where its updates go, those that wait, and how they are handed over.

Updates are confirmed one after the other: by a 2xx of the webhook, or by asking for those behind them. Must not know what is in them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from core.clock import Clock
from gateway.simulator.telegram_wire import Refusal

WEBHOOK_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=5)
_HEADER = "X-Telegram-Bot-Api-Secret-Token"
_ACTIVE = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
_TERMINATED = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"


@dataclass(frozen=True, slots=True)
class Pushed:
    """One call of a webhook: what was sent, and the status and text of the answer (0: nobody answered)."""

    update: dict[str, Any]
    headers: Mapping[str, str]
    status: int
    answer: str


@dataclass
class Bot:
    """One bot; `pending` are the updates that nobody has confirmed, by number."""

    token: str
    id: int
    clock: Clock
    url: str = ""
    secret: str = field(default="", repr=False)
    allowed: tuple[str, ...] = ()
    pending: dict[int, dict[str, Any]] = field(default_factory=dict)
    _last: int = 0  # number of the latest update; begins beyond those of an earlier life
    _failed_at: int = 0
    _failure: str = ""
    _poll: asyncio.Event | None = None  # set when another call wants the updates
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _pushing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def hook(self, url: str, secret: str, allowed: Sequence[str]) -> None:
        """Say where updates go from now on; to nowhere, until they are asked for, if `url` is empty."""
        self.url, self.secret, self.allowed = url, secret, tuple(allowed)
        self._failure = ""

    def info(self) -> dict[str, Any]:
        """Return what getWebhookInfo says."""
        info: dict[str, Any] = {"url": self.url, "has_custom_certificate": False, "pending_update_count": len(self.pending)}
        if self._failure:
            info |= {"last_error_date": self._failed_at // 1000, "last_error_message": self._failure}
        return info | ({"allowed_updates": list(self.allowed)} if self.allowed else {})

    def queue(self, update: Mapping[str, Any]) -> int:
        """Keep an update until it is confirmed, and return its number; one of a kind that the bot does not want is dropped."""
        self._last = max(self._last + 1, self.clock.now_ms())
        if not self.allowed or not set(self.allowed).isdisjoint(update):
            self.pending[self._last] = {"update_id": self._last, **update}
            self._arrived.set()
        return self._last

    async def push(self, http: aiohttp.ClientSession) -> AsyncIterator[Pushed]:
        """Call the webhook with what waits, in order, until it does not take one."""
        async with self._pushing:
            while self.pending:
                number = min(self.pending)
                pushed = await self._post(http, self.pending[number])
                if 200 <= pushed.status < 300:
                    self.pending.pop(number)
                yield pushed
                if number in self.pending:
                    break

    async def waiting(self, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return what getUpdates gives, and wait for the first of them; raises `Refusal`."""
        if self.url:
            raise Refusal(409, _ACTIVE)
        self.let_go()
        mine = self._poll = asyncio.Event()
        for number in [number for number in self.pending if number < values.get("offset", 0)]:
            del self.pending[number]
        if not self.pending and values.get("timeout"):
            self._arrived.clear()
            waits = [asyncio.ensure_future(event.wait()) for event in (self._arrived, mine)]
            await asyncio.wait(waits, timeout=values["timeout"], return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        if mine.is_set():
            raise Refusal(409, _TERMINATED)
        self._poll = None
        return list(self.pending.values())[: values.get("limit", 100)]

    def let_go(self) -> None:
        """End a call that waits for updates."""
        if self._poll is not None:
            self._poll.set()

    async def _post(self, http: aiohttp.ClientSession, update: dict[str, Any]) -> Pushed:
        headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip, deflate"}
        secret = {_HEADER: self.secret} if self.secret else {}
        seen = headers | ({_HEADER: "(hidden)"} if self.secret else {})
        try:
            async with http.post(self.url, data=json.dumps(update), headers=headers | secret, timeout=WEBHOOK_TIMEOUT) as answer:
                status, text = answer.status, await answer.text(errors="replace")
        except (aiohttp.ClientError, TimeoutError) as error:
            status, text = 0, type(error).__name__
        if not 200 <= status < 300:
            self._failed_at = self.clock.now_ms()
            self._failure = f"Wrong response from the webhook: {status}" if status else f"Connection failed: {text}"
        return Pushed(update, seen, status, text)
