"""The loop that reads what was kept: each request is taken apart in a child process, and what it means is taken in like any other.

One that cannot be read is an interaction too: a person gets it. None holds up the others for longer than its limits allow. Several are
read side by side, and taken in in the order of arrival where they are of one sender. Must not look into a body itself.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial

from channels.email_events import author_of, handed_on
from core.crash import point
from core.model.inbound import InboundEvent, InboundMessage, Letter, RawRequest, UnreadableRequest
from core.record import MASK
from core.store import journal, kept_requests
from core.store.api import StoreUnavailable, Tx
from core.store.kept_requests import Kept
from gateway.loops import UNAVAILABLE_S, do_when_due, keep_running
from gateway.mail.kept import TOPIC, restored
from gateway.mail_parsing import MailParsers, UnreadableMail
from gateway.receive import keep_unreadable, take_in
from gateway.runtime import ConfiguredChannel, Gateway

_LOG = logging.getLogger(__name__)
BATCH = 16  # what their files take is in memory at once
POOL_MIN, POOL_MAX = 2, 4  # children; at least two, since one of them may have to do with a hostile mail
TRIES_MAX = 5  # of a request during which the process itself ended
CHILDREN_MAX = 2  # for one try
NO_CHANNEL_MS = 3_600_000
UNREADABLE = "This mail could not be read."


async def start(gateway: Gateway, stack: AsyncExitStack) -> None:
    """Read what was kept, for as long as `stack` lasts; nothing happens without a channel that is parsed later."""
    if not any(configured.channel.capabilities.parsed_later for configured in gateway.channels.values()):
        return
    now = gateway.clock.now_ms()
    await gateway.store.write(lambda tx: kept_requests.abandon(tx, now))
    size = min(max(len(os.sched_getaffinity(0)), POOL_MIN), POOL_MAX)
    reader = _Reader(gateway, await stack.enter_async_context(MailParsers(size)), size)
    keep_running(do_when_due(gateway, TOPIC, lambda: kept_requests.next_due, reader.read_due), stack)


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A request without its content, why it could not be read, and what it means; `whose` tells of which channel and sender."""

    configured: ConfiguredChannel
    request: RawRequest
    code: str | None
    events: Sequence[InboundEvent]

    @property
    def whose(self) -> tuple[str, str]:
        author = next((event.sender.value for event in self.events if isinstance(event, InboundMessage)), "")
        return self.configured.channel.id, author


class _Reader:
    """Reads requests, some at a time."""

    def __init__(self, gateway: Gateway, parsers: MailParsers, size: int) -> None:
        self._gateway = gateway
        self._parsers = parsers
        self._contents = asyncio.Semaphore(2 * size)  # so many contents in memory: for each child one, and the next

    async def read_due(self, now: int) -> int:
        """Read what is due; returns how many requests."""
        due = await self._gateway.store.write(lambda tx: kept_requests.claim(tx, now, BATCH))
        parsing = [asyncio.create_task(self._parse(kept)) for kept in due]
        taking: list[asyncio.Task[None]] = []
        try:
            last: dict[tuple[str, str], asyncio.Task[None]] = {}
            for kept, task in zip(due, parsing, strict=True):
                await asyncio.wait({task})
                if task.exception() is None and (parsed := task.result()) is not None:
                    last[parsed.whose] = taken = asyncio.create_task(self._take(kept, parsed, last.get(parsed.whose)))
                    taking.append(taken)
            for ended in await asyncio.gather(*parsing, *taking, return_exceptions=True):
                if isinstance(ended, BaseException):
                    raise ended
        finally:
            for task in (*parsing, *taking):
                task.cancel()
            await asyncio.gather(*parsing, *taking, return_exceptions=True)
        return len(due)

    async def _parse(self, kept: Kept) -> _Parsed | None:
        """Return what a request means; None where its channel is not there, which may come back."""
        gateway = self._gateway
        configured = gateway.channels.get(kept.channel_id)
        if configured is None:
            later = gateway.clock.now_ms() + NO_CHANNEL_MS
            await gateway.store.write(lambda tx: kept_requests.postpone(tx, kept.id, later))
            return None
        async with self._contents:
            point("kept.claimed")
            request, code, events = await self._parsed(kept, configured)
            raw = replace(request, body=f"kept:{kept.body}".encode())  # the content itself is stored once
        point("kept.parsed")
        return _Parsed(configured, raw, code, [_unreadable(configured, kept, raw)] if events is None else events)

    async def _take(self, kept: Kept, parsed: _Parsed, before: asyncio.Task[None] | None) -> None:
        """Take a request in, after the one `before` it."""
        if before is not None:
            await asyncio.wait({before})
        await self._patiently(lambda: take_in(self._gateway, parsed.configured, parsed.request, parsed.events))
        point("kept.taken")
        await self._patiently(lambda: self._gateway.store.write(lambda tx: _end(tx, kept, parsed.code, parsed.events)))

    async def _parsed(self, kept: Kept, configured: ConfiguredChannel) -> tuple[RawRequest, str | None, Sequence[InboundEvent] | None]:
        """Return the request, why it could not be read, and its events; None for one that a person must look at."""
        gateway, kind, region = self._gateway, configured.channel.kind, self._gateway.settings.operator.country
        try:
            request = restored(kept.request, await asyncio.to_thread(gateway.blobs.read, kept.body))
        except KeyError:
            _LOG.error("the content of kept request %s is gone", kept.id)
            return restored(kept.request, b""), "content_gone", None
        if kept.attempts > TRIES_MAX:
            return request, "ends_the_process", None
        for _ in range(CHILDREN_MAX):
            try:
                meant = await self._parsers.events_in_child(kind, request, region)
                ours = (configured.channel.address.value, *configured.settings.aliases)
                return request, None, [handed_on(event, ours) for event in meant]
            except UnreadableRequest as unreadable:
                await self._patiently(partial(keep_unreadable, gateway, configured, request, unreadable.code))
                return request, unreadable.code, []
            except UnreadableMail as unreadable:
                _LOG.warning("kept request %s could not be read: %s", kept.id, unreadable)
                if unreadable.certain:
                    break
        gateway.counters.add("unreadable", channel=kept.channel_id, code="over_limits")
        return request, "over_limits", None

    async def _patiently(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do something however long the store takes: a request must not count tries because the disk is full."""
        while True:
            try:
                await work()
            except StoreUnavailable as unavailable:
                _LOG.warning("a kept request waits for the store: %s", unavailable.code)
                if unavailable.code == "closed":
                    raise
                await asyncio.sleep(UNAVAILABLE_S)
            else:
                return


def _end(tx: Tx, kept: Kept, code: str | None, meant: Sequence[InboundEvent]) -> None:
    """Say that a request was read; one in which somebody told a secret is not kept any longer."""
    kept_requests.end(tx, kept.id, code)
    said = (event.external_id for event in meant if isinstance(event, InboundMessage))
    if any(journal.raw_of(tx, kept.channel_id, external_id) == MASK for external_id in said):
        kept_requests.forget(tx, kept.id)


def _unreadable(configured: ConfiguredChannel, kept: Kept, request: RawRequest) -> InboundMessage:
    """Return what stands for a mail that nobody could read, from whom its envelope names."""
    sender = author_of(request.headers.get("mail-from", ""), kept.body.encode())
    return InboundMessage(f"unreadable:{kept.body}", sender, configured.channel.address, UNREADABLE, letter=Letter(automatic="unreadable"))
