"""Runs the actions that flows ask for: by name, in bounded time, with a closed set of outcomes.

No outcome carries text of an exception, and no log record carries values: both may hold what a customer said.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from core.model.dialog import ActionDone, RunAction
from dialogs.actions.context import ActionContext, ActionPerson, Backend, BackendUnavailable, Refused
from dialogs.actions.loading import LoadedActions, PlainAction
from dialogs.actions.threads import Threads

log = logging.getLogger("parley.action")

Result = tuple[tuple[Mapping[str, Any], ...], tuple[Mapping[str, Any], ...]]
Route = Callable[[RunAction, ActionPerson], Awaitable[Result]]
_REPEATABLE = frozenset({"timeout", "unavailable"})


class ActionRunner:
    """The actions of one project. `threads` bounds the blocking ones; `retry_pause_s` doubles with each repetition of an idempotent one."""

    def __init__(
        self,
        actions: LoadedActions,
        backend: Backend,
        domain: Mapping[str, Any] | None = None,
        *,
        currency: str = "",
        threads: int = 8,
        retry_pause_s: float = 0.2,
    ) -> None:
        self._backend = backend
        self._currency = currency
        self._threads = Threads(threads)
        self._retry_pause_s = retry_pause_s
        self._routes: dict[str, Route] = {name: self._plain(action) for name, action in actions.plain.items()}
        if actions.rasa:
            from dialogs.actions.rasa import RasaActions  # noqa: PLC0415 - a third of a second that only such projects should pay

            bridge = RasaActions(actions.rasa, domain or {})
            self._routes |= dict.fromkeys(actions.rasa, lambda call, person: self._threads.run(lambda: bridge.run(call, person)))

    async def run(self, call: RunAction, person: ActionPerson) -> ActionDone:
        """Run one action; never raises for what the action does.

        `error` is None, or timeout, unavailable, refused:<code>, failed, unknown_action. Each try has `call.timeout_s` seconds;
        a timeout or an unavailable system is tried again `call.retries` times if the action is idempotent.
        """
        route = self._routes.get(call.name)
        if route is None:
            log.error("flow asks for an action that nobody provides: %s", call.name)
            return ActionDone(call.key, call.name, error="unknown_action")
        tries = 1 + (call.retries if call.idempotent else 0)
        done = await self._try(route, call, person)
        for again in range(1, tries):
            if done.error not in _REPEATABLE:
                break
            await asyncio.sleep(self._retry_pause_s * 2 ** (again - 1))
            done = await self._try(route, call, person)
        return done

    def close(self) -> None:
        """Stop taking work; blocking actions that still run end with the process."""
        self._threads.close()

    async def _try(self, route: Route, call: RunAction, person: ActionPerson) -> ActionDone:
        try:
            async with asyncio.timeout(call.timeout_s):
                events, responses = await route(call, person)
            json.dumps((events, responses), allow_nan=False)  # what comes back is kept as a document
            return ActionDone(call.key, call.name, events, responses)
        except TimeoutError:
            error = "timeout"
        except BackendUnavailable as unavailable:
            error = "timeout" if unavailable.code == "timeout" else "unavailable"
        except Refused as refused:
            error = f"refused:{refused.code}"
        except Exception as defect:  # noqa: BLE001 - project code; the outcome is a code, the log says where
            error = "failed"
            log.error("action %s failed: %s at %s", call.name, type(defect).__name__, _place(defect))  # noqa: TRY400 - no values in logs
        return ActionDone(call.key, call.name, error=error)

    def _plain(self, action: PlainAction) -> Route:
        asynchronous = inspect.iscoroutinefunction(action)

        async def run(call: RunAction, person: ActionPerson) -> Result:
            slots = json.loads(json.dumps(call.tracker.get("slots", {})))  # a copy: the action may change it
            context = ActionContext(call.name, call.key, slots, person, self._backend, self._currency, call.timeout_s)
            filled = await action(context) if asynchronous else await self._threads.run(functools.partial(action, context))
            return tuple({"event": "slot", "name": name, "value": value} for name, value in (filled or {}).items()), ()

        return run


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "unknown place"
