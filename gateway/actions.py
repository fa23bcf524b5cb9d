"""Runs the actions that flows ask for, after the commit of the turn that asked, and gives their results back as the next turn."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
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
_RUNS_MAX = 10  # of one action; one that ends its process each time must not do so for ever
UNAVAILABLE_S = 1.0


class Actions:
    """The actions that run now. One whose process died is found by `resume_due` and run again with the same key."""

    def __init__(self, gateway: Gateway, runner: ActionRunner) -> None:
        self._gateway = gateway
        self._runner = runner
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self, run: RunAction, opened: OpenRequest | None) -> None:
        """Run an action in the background; `opened` is the request that waits for it, if one does."""
        self._begin(run, self._run(run, opened))

    def _begin(self, run: RunAction, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._running[run.key] = task
        task.add_done_callback(lambda _: self._running.pop(run.key, None))

    async def drain(self, timeout_s: float) -> None:
        """Wait for what runs; what does not end is run again after the next start."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._running:  # one that ends may start the next
                    await asyncio.wait(set(self._running.values()))
        for task in set(self._running.values()):
            task.cancel()

    async def resume_due(self, now: int) -> int:
        """Run what an earlier life of the process left unfinished; returns how many."""
        gateway = self._gateway
        claim = partial(actions.claim, now=now, lease=gateway.lease, lease_until=now + _LEASE_MS, limit=_CLAIM)
        rows = await gateway.store.write(claim)
        for row in rows:
            if row.id in self._running:  # a clock that jumped ended its lease, not the action
                continue
            gateway.counters.add("actions_resumed")
            try:
                run = row.run
            except (ValueError, TypeError):  # it cannot be read, which must not hold up the others
                run = RunAction(row.name, row.id, {})
                self._begin(run, self._give_up(run))
                continue
            if row.attempts > _RUNS_MAX:
                self._begin(run, self._give_up(run))
            else:
                self.start(run, None)
        return len(rows)

    async def _run(self, run: RunAction, opened: OpenRequest | None) -> None:
        try:
            done = await self._carried_out(run)
            outcome = await self._recorded(run, done, opened)
        except StoreUnavailable as unavailable:
            _LOG.warning("action %s is left to the next start: %s", run.name, unavailable.code)
            return
        except Exception as error:  # noqa: BLE001 - the action's row stays, and it is run again after its lease
            _LOG.error("concluding action %s failed", run.name, exc_info=error)
            return
        point("action.recorded")
        self._gateway.counters.add("actions", action=run.name, error=done.error or "none")
        self._gateway.hints.wake(*outcome.wake)
        if outcome.answers is not None and outcome.answer is not None:
            self._gateway.requests.settle(outcome.answers, outcome.answer)
        if outcome.action is not None:
            if opened is not None:
                opened.action_id = outcome.action.key
            self.start(outcome.action, opened)

    async def _give_up(self, run: RunAction) -> None:
        _LOG.error("action %s is given up", run.name)
        outcome = await self._recorded(run, ActionDone(run.key, run.name, error="failed"), None)
        self._gateway.hints.wake(*outcome.wake)
        if outcome.action is not None:
            self.start(outcome.action, None)

    async def _carried_out(self, run: RunAction) -> ActionDone:
        try:
            person = await self._person(run)
        except KeyError:  # the address has another owner by now, or its channel is gone: it is nobody's wish any more
            return ActionDone(run.key, run.name, error="failed")
        point("action.before")
        done = await self._runner.run(run, person)
        point("action.after")
        return done

    async def _recorded(self, run: RunAction, done: ActionDone, opened: OpenRequest | None) -> Outcome:
        """Give a result back, however long the store takes: an action that was carried out must not be for lack of a record."""
        while True:
            try:
                return await self._conclude(run, done, opened)
            except StoreUnavailable as unavailable:
                if unavailable.code == "closed":
                    raise
                _LOG.warning("the result of action %s waits for the store: %s", run.name, unavailable.code)
                await asyncio.sleep(UNAVAILABLE_S)

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
