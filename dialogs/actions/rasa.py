"""Runs rasa-sdk `Action` objects in this process through rasa-sdk's own executor.

Every call has its own copy of tracker and domain and its own event loop on one of the bounded threads: an action that blocks
inside `async def run`, keeps the slots it was handed, or changes the domain, harms nobody else. Imported only when a project
has such actions.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Mapping
from typing import Any

from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection

from core.model.dialog import RunAction
from dialogs.actions.context import ActionPerson, Refused

Result = tuple[tuple[Mapping[str, Any], ...], tuple[Mapping[str, Any], ...]]


class RasaActions:
    """The rasa-sdk actions of one project and the domain that they are shown."""

    def __init__(self, actions: Mapping[str, Any], domain: Mapping[str, Any]) -> None:
        self._executor = ActionExecutor()
        for name, action in actions.items():
            self._executor.register_function(name, action.run)
        self._domain = json.dumps({"actions": sorted(actions), **domain})

    def run(self, call: RunAction, person: ActionPerson) -> Result:
        """Run one action to its end on the calling thread; return its events and responses. Raises `Refused` and what the action raises."""
        executor = copy.copy(self._executor)  # it keeps the last domain that it saw
        payload = {"next_action": call.name, "tracker": _tracker(call, person), "domain": json.loads(self._domain)}
        try:
            result = asyncio.run(asyncio.wait_for(executor.run(payload), call.timeout_s))
        except ActionExecutionRejection as rejection:
            raise Refused("rejected") from rejection
        if result is None:
            return (), ()
        return tuple(result.events), tuple(_filled(response) for response in result.responses)


def _tracker(call: RunAction, person: ActionPerson) -> dict[str, Any]:
    tracker = {"sender_id": person.party_id, "slots": {}, "latest_message": {}, "events": [], **copy.deepcopy(dict(call.tracker))}
    known = {
        "key": call.key,
        "channel": str(person.family),
        "language": person.language,
        "trust": person.trust.name.lower(),
        "msisdn": person.msisdn,
        "customer_no": person.customer_no,
    }
    tracker["latest_message"] = {**(tracker["latest_message"] or {}), "metadata": known}
    return tracker


def _filled(response: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in response.items() if value not in (None, [], {})}
