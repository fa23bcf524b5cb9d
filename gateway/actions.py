"""Runs the actions that flows ask for, after the commit of the turn that asked, and gives their results back as the next turn."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from core.acting import Acting, acting_for
from core.advance import Outcome
from core.crash import point
from core.model.dialog import ActionDone, RunAction
from core.store import actions
from core.store.api import StoreUnavailable, Tx
from dialogs.actions import ActionPerson, ActionRunner
from gateway.requests import OpenRequest
from gateway.runtime import Gateway

_LOG = logging.getLogger(__name__)
_CLAIM = 50
_LEASE_MS = 60_000


class Actions:
    """The actions that run now. One whose process died is found by `resume_due` and run again with the same key."""

    def __init__(self, gateway: Gateway, runner: ActionRunner) -> None:
        self._gateway = gateway
        self._runner = runner
        self._running: set[asyncio.Task[None]] = set()

    def start(self, run: RunAction, opened: OpenRequest | None) -> None:
        """Run an action in the background; `opened` is the request that waits for it, if one does."""
        task = asyncio.create_task(self._run(run, opened))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def drain(self, timeout_s: float) -> None:
        """Wait for what runs; what does not end is run again after the next start."""
        if self._running:
            await asyncio.wait(set(self._running), timeout=timeout_s)
        for task in set(self._running):
            task.cancel()

    async def resume_due(self, now: int) -> int:
        """Run what an earlier life of the process left unfinished; returns how many."""
        gateway = self._gateway
        claim = partial(actions.claim, now=now, lease=gateway.lease, lease_until=now + _LEASE_MS, limit=_CLAIM)
        rows = await gateway.store.write(claim)
        for row in rows:
            gateway.counters.add("actions_resumed")
            self.start(row.run, None)
        return len(rows)

    async def _run(self, run: RunAction, opened: OpenRequest | None) -> None:
        try:
            person = await self._person(run)
            point("action.before")
            done = await self._runner.run(run, person)
            point("action.after")
            outcome = await self._conclude(run, done, opened)
        except StoreUnavailable as unavailable:
            _LOG.warning("the result of action %s waits for the store: %s", run.name, unavailable.code)
            return
        except Exception as error:  # noqa: BLE001 - the action's row stays, and it is run again after its lease
            _LOG.error("concluding action %s failed", run.name, exc_info=error)
            return
        point("action.recorded")
        self._gateway.counters.add("actions", action=run.name, error=done.error or "none")
        self._gateway.hints.wake(*outcome.wake)
        if opened is not None and not opened.late and outcome.answer is not None:
            opened.settle(outcome.answer)
        if outcome.action is not None:
            if opened is not None:
                opened.action_id = outcome.action.key
            self.start(outcome.action, opened)

    async def _conclude(self, run: RunAction, done: ActionDone, opened: OpenRequest | None) -> Outcome:
        gateway = self._gateway
        waiting = opened is not None and not opened.late
        try:
            return await gateway.store.write(
                lambda tx: gateway.turns.action_done(tx, run.key, done, gateway.clock.now_ms(), waiting=waiting)
            )
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - a flow may fail in any way
            _LOG.error("the flow that takes in action %s failed", run.name, exc_info=error)
            gateway.counters.add("flow_failures", channel="action")
            return await gateway.store.write(
                lambda tx: gateway.turns.action_done(tx, run.key, done, gateway.clock.now_ms(), waiting=waiting, sorry=True)
            )

    async def _person(self, run: RunAction) -> ActionPerson:
        gateway = self._gateway
        acting = await gateway.store.read(lambda tx: _acting(tx, gateway, run.key))
        return ActionPerson(
            party_id=acting.party_id,
            family=acting.family,
            language=acting.language,
            trust=acting.trust,
            msisdn=acting.msisdn,
            customer_no=acting.customer_no,
        )


def _acting(tx: Tx, gateway: Gateway, action_id: str) -> Acting:
    row = actions.find(tx, action_id)
    if row is None:
        raise KeyError(action_id)
    return acting_for(tx, row.interaction_id, gateway.core_channels(), gateway.settings.operator.default_language)
