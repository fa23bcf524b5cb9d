"""The loops that do what the store says is due: send messages, fire timers, resume actions. Hints only make them look sooner."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

from core import dispatch
from core.crash import point
from core.dispatch import Sending
from core.model.outbound import SendError, SendErrorCode
from core.store import actions, outbox, timers
from core.store.api import StoreUnavailable, Tx
from gateway.loops import UNAVAILABLE_S, do_when_due
from gateway.runtime import Gateway

_LOG = logging.getLogger(__name__)
SEND_TIMEOUT_S = 35.0
BATCH = 100
SENDING_MAX = 32  # at once on one channel, so that a slow provider neither fills the memory nor holds up the others


class Workers:
    """The dispatcher and the timer loop of one process."""

    def __init__(self, gateway: Gateway, resume: Callable[[int], Awaitable[int]], unknown_wait_ms: int) -> None:
        self._gateway = gateway
        self._resume = resume
        self._unknown_wait_ms = unknown_wait_ms
        self._sending: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()
        self._jitter = random.Random()  # noqa: S311 - spreads retries, protects nothing

    async def dispatch(self) -> None:
        """Send what is due, for ever."""
        await do_when_due(self._gateway, "outbox", lambda: partial(outbox.next_due, without=self._full()), self._dispatch_due)

    async def fire_timers(self) -> None:
        """Fire timers that are due, for ever."""
        await do_when_due(self._gateway, "timers", lambda: timers.next_due, self._fire_due)

    async def resume_actions(self) -> None:
        """Run actions again whose process died, for ever."""
        await do_when_due(self._gateway, "actions", lambda: actions.next_due, self._resume)

    async def drain(self, timeout_s: float) -> None:
        """Wait for the sends under way; what does not end has an unknown outcome, as its row says."""
        if self._sending:
            await asyncio.wait(set(self._sending), timeout=timeout_s)

    async def _dispatch_due(self, now: int) -> int:
        gateway = self._gateway
        channels = gateway.core_channels()
        point("dispatch.before_claim")
        full = self._full()
        limit = SENDING_MAX - max((busy for busy in self._busy.values() if busy < SENDING_MAX), default=0)
        sendings = await gateway.store.write(
            lambda tx: dispatch.claim(tx, channels, now, gateway.lease, limit, self._unknown_wait_ms, full)
        )
        point("dispatch.claimed")
        for sending in sendings:
            self._busy[sending.channel_id] += 1
            task = asyncio.create_task(self._send(sending))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return len(sendings)

    def _full(self) -> frozenset[str]:
        return frozenset(channel for channel, busy in self._busy.items() if busy >= SENDING_MAX)

    async def _send(self, sending: Sending) -> None:
        gateway = self._gateway
        error: SendError | None = None
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                result = await gateway.channels[sending.channel_id].adapter.send(sending.message)
        except SendError as failure:
            error = failure
        except TimeoutError:
            error = SendError(SendErrorCode.TIMEOUT, retryable=True, unknown=True)
        except Exception as failure:  # noqa: BLE001 - the attempt was made, so its outcome is unknown
            _LOG.error("the adapter of %s failed", sending.channel_id, exc_info=failure)
            error = SendError(SendErrorCode.UNREADABLE_ANSWER, retryable=True, unknown=True)
        point("dispatch.answered")
        now = gateway.clock.now_ms()
        if error is None:
            await self._record(lambda tx: dispatch.sent(tx, sending, result, now))
            gateway.counters.add("messages_out", channel=sending.channel_id)
        else:
            failed, jitter = error, self._jitter.random()
            await self._record(lambda tx: dispatch.failed(tx, sending, failed, now, self._unknown_wait_ms, jitter))
            gateway.counters.add("send_failures", channel=sending.channel_id, code=error.code.value)
        self._busy[sending.channel_id] -= 1
        gateway.hints.wake("outbox", "events")

    async def _record(self, unit: Callable[[Tx], None]) -> None:
        """Write down what an attempt came to, however long the store takes: what is known must not become an unknown outcome."""
        while True:
            try:
                await self._gateway.store.write(unit)
            except StoreUnavailable as unavailable:
                _LOG.warning("the outcome of a send waits for the store: %s", unavailable.code)
                if unavailable.code == "closed":
                    return
                await asyncio.sleep(UNAVAILABLE_S)
            except Exception as error:  # noqa: BLE001 - its row stays, and is treated as one of unknown outcome when its lease ends
                _LOG.error("the outcome of a send was not recorded", exc_info=error)
                return
            else:
                return

    async def _fire_due(self, now: int) -> int:
        gateway = self._gateway
        due = await gateway.store.read(lambda tx: timers.due(tx, now, BATCH))
        for conversation_id, kind in due:
            point("timer.due")
            try:
                outcome = await gateway.store.write(partial(gateway.turns.timer, conversation_id=conversation_id, kind=kind, at=now))
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - a flow may fail in any way; a timer that fails is dropped
                _LOG.error("the flow for timer %s failed", kind, exc_info=error)
                gateway.counters.add("flow_failures", channel="timer")
                await gateway.store.write(partial(timers.cancel, conversation_id=conversation_id, kind=kind))
                continue
            gateway.hints.wake(*outcome.wake)
            if outcome.action is not None:
                gateway.start_action(outcome.action, None)
        return len(due)
