"""Removes contents that no row names: uploads that were never sent, and what a crash left between a file and its row, or half written.

Only what was last kept a day ago, so that nothing is in the way of somebody who has kept a content and is about to name it. What was put
aside as malicious stays for a month, for whoever looks into it.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from core.store import media as rows
from gateway.loops import do_every, keep_running
from gateway.runtime import Gateway

AGE_S = 24 * 3_600.0
FIRST_S = 600.0  # after the start, when there is more to do
ASIDE_AGE_S = 30 * 24 * 3_600.0
EVERY_S = 24 * 3_600.0
_BATCH = 200


async def sweep(gateway: Gateway) -> int:
    """Remove what is not named, and return how many contents that were; raises OSError and `StoreUnavailable`."""
    now_s = gateway.clock.now_ms() / 1_000
    before_s = now_s - AGE_S
    removed = await asyncio.to_thread(gateway.blobs.sweep_drafts, before_s)
    removed += await asyncio.to_thread(gateway.contents.sweep_aside, now_s - ASIDE_AGE_S)
    folders = gateway.blobs.aged(before_s)
    while (aged := await asyncio.to_thread(next, folders, None)) is not None:
        for start_at in range(0, len(aged), _BATCH):
            removed += await _swept(gateway, aged[start_at : start_at + _BATCH], before_s)
    if removed:
        gateway.counters.add("contents_swept", removed)
    return removed


async def _swept(gateway: Gateway, digests: list[str], before_s: float) -> int:
    named = await gateway.store.read(lambda tx: rows.named(tx, digests))
    return await asyncio.to_thread(gateway.blobs.sweep, [one for one in digests if one not in named], before_s)


async def _keep_sweeping(gateway: Gateway) -> None:
    await asyncio.sleep(FIRST_S)
    await do_every(gateway, "contents", EVERY_S, partial(sweep, gateway))


def start(gateway: Gateway, stack: AsyncExitStack) -> None:
    """Start sweeping, some time from now and then once a day, until `stack` is left."""
    keep_running(_keep_sweeping(gateway), stack)
