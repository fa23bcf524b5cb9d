"""The loops that do what the store says is due: send messages, fire timers, resume actions. Hints only make them look sooner."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial

from core.crash import point
from core.store import actions, timers
from core.store.api import StoreUnavailable
from gateway.loops import do_when_due
from gateway.runtime import Gateway
from gateway.sending.dispatcher import Dispatcher

_LOG = logging.getLogger(__name__)
BATCH = 100


class Workers:
    """The dispatcher and the timer loop of one process."""

    def __init__(self, gateway: Gateway, resume: Callable[[int], Awaitable[int]], unknown_wait_ms: int) -> None:
        self._gateway = gateway
        self._resume = resume
        self._dispatcher = Dispatcher(gateway, unknown_wait_ms)

    async def dispatch(self) -> None:
        """Send what is due, for ever."""
        await do_when_due(self._gateway, "outbox", self._dispatcher.next_due, self._dispatcher.send_due)

    async def fire_timers(self) -> None:
        """Fire timers that are due, for ever."""
        await do_when_due(self._gateway, "timers", lambda: timers.next_due, self._fire_due)

    async def resume_actions(self) -> None:
        """Run actions again whose process died, for ever."""
        await do_when_due(self._gateway, "actions", lambda: actions.next_due, self._resume)

    async def drain(self, timeout_s: float) -> None:
        """Wait for the sends under way; what does not end has an unknown outcome, as its row says."""
        await self._dispatcher.drain(timeout_s)

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
