"""Fetches what a provider could not deliver, from the provider's own list: after a gap, and every few minutes for single failures.

What is found goes the way of every message, as one that came late; what came after all is known by its id. Must not know a provider.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

from core.crash import point
from core.model.adapter import BackFills, Missed
from core.model.inbound import InboundEvent, InboundMessage, RawRequest, UnreadableRequest
from core.model.outbound import SendError
from core.store import journal, provider_cursors
from core.store.api import Tx
from core.store.provider_cursors import ProviderCursor
from gateway.loops import do_every, keep_running
from gateway.receive import keep_unreadable, take_in
from gateway.runtime import ConfiguredChannel, Gateway

EVERY_S = 300.0
SETTLE_MS = 60_000  # what is younger may still be on its way to us
OVERLAP_MS = 600_000  # for lists that are behind, and clocks that differ
_LOG = logging.getLogger(__name__)


def start(gateway: Gateway, stack: AsyncExitStack) -> None:
    """Fetch what was missed on every channel whose provider has a list, now and then again; leaving `stack` ends it."""
    for configured in gateway.channels.values():
        if isinstance(configured.adapter, BackFills):
            keep_running(do_every(gateway, "back_fill", EVERY_S, partial(fetch, gateway, configured)), stack)


async def fetch(gateway: Gateway, configured: ConfiguredChannel) -> int:
    """Take in what is new in the list of a channel's provider; returns how many requests. Raises `StoreUnavailable`."""
    channel_id, until = configured.channel.id, gateway.clock.now_ms() - SETTLE_MS
    cursor = await gateway.store.read(lambda tx: provider_cursors.find(tx, channel_id))
    if cursor is None:  # what came before there was this gateway is not its business
        await gateway.store.write(lambda tx: provider_cursors.move(tx, channel_id, ProviderCursor(until, "")))
        return 0
    missed = await _missed(gateway, configured, cursor)
    if missed is None:
        return 0
    point("backfill.read")
    settled = [request for request in missed.requests if request.received_at <= until]
    taken = 0
    for request in settled:
        taken += await _take(gateway, configured, request)
    point("backfill.taken")
    mark = missed.mark if len(settled) == len(missed.requests) else cursor.mark
    await gateway.store.write(lambda tx: provider_cursors.move(tx, channel_id, ProviderCursor(max(until, cursor.read_up_to), mark)))
    if taken:
        _LOG.warning("%s messages on %s had not reached the gateway and were fetched", taken, channel_id)
    return taken


async def _missed(gateway: Gateway, configured: ConfiguredChannel, cursor: ProviderCursor) -> Missed | None:
    adapter, channel_id = configured.adapter, configured.channel.id
    if not isinstance(adapter, BackFills):
        return None
    try:
        return await adapter.missed(cursor.read_up_to - OVERLAP_MS, cursor.mark)
    except SendError as error:
        code = error.code.value
    except Exception as error:  # noqa: BLE001 - a list that cannot be read must not end the others
        _LOG.error("the list of %s cannot be read", channel_id, exc_info=error)
        code = "internal"
    gateway.counters.add("back_fill_failures", channel=channel_id, code=code)
    _LOG.warning("the list of %s was not read: %s", channel_id, code)
    return None


async def _take(gateway: Gateway, configured: ConfiguredChannel, request: RawRequest) -> int:
    """Take in a request unless it is known; returns 1 if it was not."""
    try:
        events = configured.adapter.parse(request)
    except UnreadableRequest as unreadable:
        await keep_unreadable(gateway, configured, request, unreadable.code)
        return 0
    if await gateway.store.read(lambda tx: _known(tx, configured.channel.id, events)):
        return 0
    await take_in(gateway, configured, request, events, missed=True)
    gateway.counters.add("messages_missed", channel=configured.channel.id)
    return 1


def _known(tx: Tx, channel_id: str, events: Sequence[InboundEvent]) -> bool:
    messages = [event for event in events if isinstance(event, InboundMessage)]
    return all(journal.find(tx, channel_id, message.external_id) is not None for message in messages)
