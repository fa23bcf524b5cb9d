"""The loop that fetches attachments from providers: claimed with a lease, a few at once, tried for a day, then refused with a reason.

A message never waits for its attachments, and one slow provider holds up only its own. Must not know how a provider is asked: its
adapter says from where, and `fetch` asks.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import MISSING, fields, replace
from functools import partial

from core import media
from core.crash import point
from core.model.adapter import HasMedia, MediaSource
from core.model.outbound import SendError, SendErrorCode
from core.store import media as rows
from core.store.api import StoreUnavailable, Unit
from core.store.media import Item
from gateway.loops import do_when_due, keep_running
from gateway.media.contents import KEPT, PASSING, ContentRefused, Kept
from gateway.media.fetch import Fetcher, FetchFailed, origin_of
from gateway.runtime import ConfiguredChannel, Gateway

AT_ONCE = 8
AT_ONCE_ON_CHANNEL = 4
DRAIN_S = 2.0  # what is not done by then is claimed again in the next life
TOPIC = "media"
_LOG = logging.getLogger(__name__)


class MediaJob:
    """The fetching of one process."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._fetcher = Fetcher(gateway.settings.media.max_bytes)
        self._fetching: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()
        self._jitter = random.Random()  # noqa: S311 - spreads tries, protects nothing

    async def run(self) -> None:
        """Fetch what is due, for ever."""
        await do_when_due(self._gateway, TOPIC, self._next_due, self._fetch_due)

    async def close(self) -> None:
        """Give those under way a moment, and end all connections."""
        if self._fetching:
            await asyncio.wait(set(self._fetching), timeout=DRAIN_S)
        for task in tuple(self._fetching):
            task.cancel()
        for task in tuple(self._fetching):
            with suppress(asyncio.CancelledError):
                await task
        await self._fetcher.close()

    def _next_due(self) -> Unit[int | None]:
        full = self._full()
        return (lambda _: None) if self._busy.total() >= AT_ONCE else (lambda tx: rows.next_due(tx, full))

    def _full(self) -> frozenset[str]:
        return frozenset(channel for channel, busy in self._busy.items() if busy >= AT_ONCE_ON_CHANNEL)

    async def _fetch_due(self, now: int) -> int:
        gateway, full = self._gateway, self._full()
        left = AT_ONCE_ON_CHANNEL - max((busy for channel, busy in self._busy.items() if channel not in full), default=0)
        limit = min(left, AT_ONCE - self._busy.total())
        items = await gateway.store.write(lambda tx: rows.claim(tx, now, gateway.lease, limit, full))
        point("media.claimed")
        for item in items:
            self._busy[item.channel_id] += 1
            task = asyncio.create_task(self._take(item))
            self._fetching.add(task)
            task.add_done_callback(self._fetching.discard)
        return len(items)

    async def _take(self, item: Item) -> None:
        try:
            await self._try(item)
        finally:
            self._busy[item.channel_id] -= 1
            self._gateway.hints.wake(TOPIC)  # there may be more, which was left while this one was busy

    async def _try(self, item: Item) -> None:
        gateway = self._gateway
        failure: FetchFailed
        try:
            kept = await self._content(item)
        except FetchFailed as failed:
            failure = failed
        except ContentRefused as refused:
            failure = FetchFailed(refused.code, final=refused.code not in PASSING)
        except OSError:
            failure = FetchFailed("io_error", final=False)
        except StoreUnavailable:
            return  # its lease ends, and it is tried again
        except Exception as error:  # noqa: BLE001 - an adapter or an answer may fail in any way
            _LOG.error("fetching an attachment on %s failed", item.channel_id, exc_info=error)
            failure = FetchFailed("failed", final=False)
        else:
            point("media.kept")
            await self._record_stored(item, kept)
            return
        gateway.counters.add("media_failures", channel=item.channel_id, code=failure.code)
        await self._record_failed(item, failure)

    async def _content(self, item: Item) -> Kept:
        digest = media.reference(item).values.get(KEPT)
        if digest is not None:
            return await self._kept(digest)
        configured = self._gateway.channels.get(item.channel_id)
        if configured is None:
            raise FetchFailed("no_channel", final=False)
        source = await _source(configured, item)
        hosts = (*source.hosts, *self._gateway.settings.media.hosts)
        content = await self._fetcher.fetch(replace(source, hosts=hosts), _own_origins(configured))
        point("media.fetched")
        return await self._gateway.contents.keep(content)

    async def _kept(self, digest: str) -> Kept:
        """Return a content that came with its message and could not be scanned then."""
        try:
            content = await asyncio.to_thread(self._gateway.blobs.read, digest)
        except KeyError:
            raise FetchFailed("gone", final=True) from None
        return await self._gateway.contents.keep(content)

    async def _record_stored(self, item: Item, kept: Kept) -> None:
        at = self._gateway.clock.now_ms()
        if await self._recorded(
            partial(media.stored, item=item, content_type=kept.content_type, digest=kept.digest, size=kept.size, at=at)
        ):
            self._gateway.counters.add("media_stored", channel=item.channel_id)

    async def _record_failed(self, item: Item, failure: FetchFailed) -> None:
        at, jitter = self._gateway.clock.now_ms(), self._jitter.random()
        if await self._recorded(
            partial(
                media.failed, item=item, code=failure.code, final=failure.final, at=at, retry_after_s=failure.retry_after_s, jitter=jitter
            )
        ):
            self._gateway.counters.add("media_refused", channel=item.channel_id, code=failure.code)

    async def _recorded(self, unit: Unit[bool]) -> bool:
        """Record how a try ended; where the store does not take it, the lease ends and the attachment is fetched once more."""
        try:
            changed = await self._gateway.store.write(unit)
        except StoreUnavailable as unavailable:
            _LOG.warning("the outcome of fetching an attachment was not recorded: %s", unavailable.code)
            return False
        except Exception as error:  # noqa: BLE001 - as above: the row stays, and is claimed again
            _LOG.error("the outcome of fetching an attachment was not recorded", exc_info=error)
            return False
        self._gateway.hints.wake("events")
        return changed


async def _source(configured: ConfiguredChannel, item: Item) -> MediaSource:
    """Return from where to fetch; raises `FetchFailed`. An adapter that says nothing of that has references of no known host."""
    what = media.reference(item)
    if not isinstance(configured.adapter, HasMedia):
        return MediaSource(what.url, ())
    try:
        return await configured.adapter.media_source(what)
    except SendError as error:
        code = "too_large" if error.code is SendErrorCode.TOO_LONG else error.code.value
        raise FetchFailed(code, final=not (error.retryable or error.ours), retry_after_s=error.retry_after_s) from None
    except ValueError:  # a reference that is no address
        raise FetchFailed("bad_url", final=True) from None


def _own_origins(configured: ConfiguredChannel) -> tuple[str, ...]:
    """Return the origin of the provider's API where the operator has chosen it, since it may then be in a network of their own."""
    base = getattr(configured.settings, "api_base", "")
    usual = next((one.default for one in fields(configured.settings) if one.name == "api_base"), MISSING)
    return () if not base or base == usual else (origin_of(base),)


async def start(gateway: Gateway, stack: AsyncExitStack) -> None:
    """Start fetching, which goes on until `stack` is left."""
    now = gateway.clock.now_ms()
    await gateway.store.write(lambda tx: rows.abandon(tx, gateway.lease, now))
    job = MediaJob(gateway)
    stack.push_async_callback(job.close)
    keep_running(job.run(), stack)
