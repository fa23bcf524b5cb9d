"""Asks for a custom action and waits for its end, which is another turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.model.dialog import RunAction
from core.model.ids import derive
from dialogs.model import Action
from dialogs.turn import Frame, Turn

_TRIED_MAX = 10


def request(turn: Turn, frame: Frame, step: Action, use: str, told: Mapping[str, Any] | None = None) -> None:
    """Ask for the action of `step`; `use` says what its end means: step, ask or validate. `told` goes with the slots, for this once."""
    key = derive(turn.context.cause, f"action:{turn.number()}:{frame['id']}:{step.id}")
    turn.close_prompt()
    turn.state["pending"] = {"key": key, "name": step.name, "frame": frame["id"], "step": step.id, "use": use}
    tried = turn.state.get("tried", ())
    turn.state["tried"] = [*(name for name in tried if name != step.name), step.name][-_TRIED_MAX:]
    slots = {name: slot.initial for name, slot in turn.project.slots.items()} | turn.slots | dict(told or {})
    tracker = {
        "sender_id": turn.context.conversation_id,
        "slots": slots,
        "latest_message": {"text": turn.text_in, "intent": {"name": None, "confidence": 0.0}, "entities": []},
        "latest_input_channel": turn.family,
        "events": [],
        "paused": False,
        "followup_action": None,
        "active_loop": {},
        "latest_action_name": None,
    }
    turn.effects.append(RunAction(step.name, key, tracker, step.timeout_s, step.retries, step.idempotent, step.slow))
    turn.waiting = True
