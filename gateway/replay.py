"""Reads requests again that could not be read when they came, once somebody asks for it: by today's adapter, as if they came late.

What it makes of them is the turn's business; one that cannot be read today either stays a dead letter.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any

from core.model.inbound import RawRequest, UnreadableRequest
from core.store import dead_letters
from core.store.api import StoreUnavailable, Tx
from gateway.loops import do_when_due
from gateway.mail.kept import TOPIC as KEPT
from gateway.mail.kept import restored
from gateway.receive import take_in
from gateway.runtime import Gateway

TOPIC = "dead_letters"
_LOG = logging.getLogger(__name__)
_FORM = {"content-type": "application/x-www-form-urlencoded"}


async def run(gateway: Gateway) -> None:
    """Read again what is to be read again, for ever."""
    await do_when_due(gateway, TOPIC, lambda: dead_letters.next_again, partial(_read_all, gateway))


async def _read_all(gateway: Gateway, now: int) -> int:
    rows = await gateway.store.read(dead_letters.to_read_again)
    for entry_id, channel_id, received_at, raw, described, by in rows:
        code = await _read(gateway, channel_id, _request(described, bytes(raw), received_at))
        await gateway.store.write(partial(_settle, entry_id=entry_id, code=code, by=by or "", now=now))
        if code:
            _LOG.warning("request %s on %s cannot be read: %s", entry_id, channel_id, code)
    gateway.hints.wake("events")
    return len(rows)


async def _read(gateway: Gateway, channel_id: str, request: RawRequest) -> str:
    """Take a request in; returns the code of why it cannot be read, empty if it could."""
    configured = gateway.channels.get(channel_id)
    if configured is None:
        return "no_channel"
    if configured.channel.capabilities.parsed_later:
        digest, now = await asyncio.to_thread(gateway.blobs.keep, request.body), gateway.clock.now_ms()
        found = await gateway.store.write(lambda tx: dead_letters.keep_waiting(tx, channel_id, digest, now))
        gateway.hints.wake(KEPT)
        return "" if found else "content_gone"
    try:
        await take_in(gateway, configured, request, configured.adapter.parse(request), missed=True)
    except UnreadableRequest as unreadable:
        return unreadable.code
    except StoreUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not hold up those behind it
        _LOG.error("request on %s could not be taken in", channel_id, exc_info=error)
        return "failed"
    return ""


def _settle(tx: Tx, *, entry_id: str, code: str, by: str, now: int) -> None:
    if code:
        dead_letters.still_unread(tx, entry_id, code)
    else:
        dead_letters.was_read(tx, entry_id, now, by)


def _request(described: Any, raw: bytes, received_at: int) -> RawRequest:
    return restored(described, raw) if described else RawRequest("POST", "", _FORM, raw, received_at)
