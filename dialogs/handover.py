"""Gives the conversation to people, with a card of what is known: what was wanted, tried, failed, and the facts; secrets masked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.model.dialog import HandOver
from dialogs.stack import user_frame
from dialogs.templates import show
from dialogs.turn import Turn

MASK = "****"
_TRIED_MAX = 10


def hand_over(turn: Turn, reason: str, *, failed: str | None = None, known: Mapping[str, Any] | None = None) -> None:
    """Ask for a person and fall silent; the stack stays, so that the flow can go on when the conversation comes back.

    `known` has step and facts of a flow that has just ended in order to hand over.
    """
    frame = user_frame(turn) if turn.stack else None
    if frame is not None and frame["kind"] == "pattern":
        frame = None
    flow = turn.flow(frame) if frame is not None else turn.project.flows.get(turn.state.get("reason", ""))
    wanted = turn.project.flows.get(turn.state.get("reason", ""), flow)
    card: dict[str, Any] = {
        "wanted": wanted.name(turn.language) if wanted is not None else None,
        "reason": reason,
        "flow": flow.id if flow is not None else None,
        "step": frame["step"] if frame is not None else None,
        "tried": list(turn.state.get("tried", ()))[-_TRIED_MAX:],
        "failed": failed,
        "facts": facts(turn),
        "language": turn.language,
    } | dict(known or {})
    turn.say("utter_human_handoff")
    turn.close_prompt()
    turn.effects.append(HandOver(reason, card, flow.queue if flow is not None else None))
    turn.state.pop("queue", None)
    turn.state.pop("errors", None)
    turn.waiting = True
    turn.over = True
    turn.ends = turn.one_shot


def facts(turn: Turn) -> dict[str, str]:
    """Return what the person was asked for and told, as text, secrets masked."""
    slots, asked = turn.project.slots, turn.project.asked
    return {
        name: MASK if slots[name].sensitive else show(value)
        for name, value in turn.slots.items()
        if name in asked and not isinstance(value, list)
    }
