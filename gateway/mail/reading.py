"""The loop that reads what was kept: each request is taken apart in a child process, and what it means is taken in like any other.

One that cannot be read is an interaction too: a person gets it. None holds up the others for longer than its limits allow. Must not
look into a body itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial

from channels.email_events import author_of
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
BATCH = 10
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
    reader = _Reader(gateway, await stack.enter_async_context(MailParsers()))
    keep_running(do_when_due(gateway, TOPIC, lambda: kept_requests.next_due, reader.read_due), stack)


class _Reader:
    """Reads requests, one after the other."""

    def __init__(self, gateway: Gateway, parsers: MailParsers) -> None:
        self._gateway = gateway
        self._parsers = parsers

    async def read_due(self, now: int) -> int:
        """Read what is due; returns how many requests."""
        due = await self._gateway.store.write(lambda tx: kept_requests.claim(tx, now, BATCH))
        for kept in due:
            await self._read(kept)
        return len(due)

    async def _read(self, kept: Kept) -> None:
        gateway = self._gateway
        configured = gateway.channels.get(kept.channel_id)
        if configured is None:  # it may come back; until then nobody can say what its requests mean
            later = gateway.clock.now_ms() + NO_CHANNEL_MS
            await gateway.store.write(lambda tx: kept_requests.postpone(tx, kept.id, later))
            return
        point("kept.claimed")
        request, code, events = await self._parsed(kept, configured)
        point("kept.parsed")
        raw = replace(request, body=f"kept:{kept.body}".encode())  # the content itself is stored once
        meant = [_unreadable(configured, kept, request)] if events is None else events
        await self._patiently(lambda: take_in(gateway, configured, raw, meant))
        point("kept.taken")
        await self._patiently(lambda: gateway.store.write(lambda tx: _end(tx, kept, code, meant)))

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
                return request, None, await self._parsers.events_in_child(kind, request, region)
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
