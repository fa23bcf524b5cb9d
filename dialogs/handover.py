"""Gives the conversation to people, with a card of what is known: what was wanted, tried, failed, and the facts; secrets masked.

While nobody is at work it says when they are back, and offers that they get in touch.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.model.capabilities import Family
from core.model.dialog import HandOver
from dialogs import stack
from dialogs.model import Flow
from dialogs.templates import show
from dialogs.turn import Frame, Turn

MASK = "****"
_TRIED_MAX = 10
_WEEK_DAYS = 7


def hand_over(turn: Turn, reason: str, *, failed: str | None = None, known: Mapping[str, Any] | None = None, offer: bool = True) -> None:
    """Ask for a person and fall silent; the stack stays, so that the flow can go on when the conversation comes back.

    `known` has step and facts of a flow that has just ended in order to hand over. Outside hours a pattern starts that offers to be
    contacted, unless `offer` is false; the caller runs it.
    """
    frame, flow = _open_flow(turn)
    opens = away_until(turn)
    queue = turn.context.queue if flow is None or flow.queue is None or turn.context.waits_since is not None else flow.queue
    put_through = offer and opens is None and can_put_through(turn, queue)
    if offer and turn.context.capabilities.records and (opens is not None or not (put_through or turn.context.attended)):
        nobody_free(turn, opens)
        return
    if opens is not None and offer and turn.family != Family.EMAIL:
        turn.state.pop("queue", None)
        for below in turn.stack:
            stack.forget_tries(below)
        asked = reason == "asked" or reason.startswith("flow:")
        stack.push_pattern(turn, "pattern_out_of_hours", {"opens": _opening(turn, opens), "asked": asked})
        return
    card = _card(turn, reason, frame, flow, failed) | dict(known or {})
    if put_through:
        card |= put_to(turn, queue, card["wanted"])
    turn.say("utter_putting_through" if put_through else "utter_human_handoff")
    if opens is not None:
        turn.say("utter_people_back", {"opens": _opening(turn, opens)})
    turn.close_prompt()
    turn.effects.append(HandOver(reason, card, flow.queue if flow is not None else None))
    turn.state.pop("queue", None)
    turn.state.pop("errors", None)
    turn.waiting = True
    turn.over = True
    turn.ends = turn.one_shot and not put_through


def _card(turn: Turn, reason: str, frame: Frame | None, flow: Flow | None, failed: str | None) -> dict[str, Any]:
    """Return what is known of a conversation, for whoever takes it."""
    wanted = turn.project.flows.get(turn.state.get("reason", ""), flow)
    return {
        "wanted": wanted.name(turn.language) if wanted is not None else None,
        "reason": reason,
        "flow": flow.id if flow is not None else None,
        "step": frame["step"] if frame is not None else None,
        "tried": list(turn.state.get("tried", ()))[-_TRIED_MAX:],
        "failed": failed,
        "facts": facts(turn),
        "language": turn.language,
    }


def can_put_through(turn: Turn, queue: str) -> bool:
    """Tell whether this call can be put through to people of a queue."""
    return turn.context.capabilities.through(queue, attended=turn.context.attended)


def put_to(turn: Turn, queue: str, wanted: str | None) -> dict[str, Any]:
    """Put this call through, and return what the card says of that: what people hear who are called for it, and how the call stands."""
    known = {"caller": turn.context.name, "wanted": wanted}
    turn.transfer = queue
    return {"whisper": turn.text("utter_whisper", {name: value for name, value in known.items() if value}), "call": {"status": "ringing"}}


def nobody_free(turn: Turn, opens: datetime | None) -> None:
    """Offer a caller to leave a message or to be called back, since nobody can come to the phone."""
    turn.state.pop("queue", None)
    for below in turn.stack:
        stack.forget_tries(below)
    stack.push_pattern(turn, "pattern_nobody_free", {} if opens is None else {"opens": _opening(turn, opens)})


def _open_flow(turn: Turn) -> tuple[Frame | None, Flow | None]:
    """Return the user frame on top and its flow; without one, the flow that the contact was about."""
    frame = stack.user_frame(turn) if turn.stack else None
    if frame is not None and frame["kind"] == "pattern":
        frame = None
    return frame, turn.flow(frame) if frame is not None else turn.project.flows.get(turn.state.get("reason", ""))


def away_until(turn: Turn) -> datetime | None:
    """Return when the people for what is open now are back, in local time; None if they are at work."""
    _, flow = _open_flow(turn)
    project = turn.project
    hours = (flow.hours or project.queue_hours.get(flow.queue or "") if flow is not None else None) or project.hours
    if hours is None:
        return None
    return hours.opens_next(datetime.fromtimestamp(turn.context.now_ms / 1000, project.zone))


def _opening(turn: Turn, opens: datetime) -> str:
    """Return `opens` in words."""
    time = f"{opens:%H:%M}"
    ahead = (opens.date() - datetime.fromtimestamp(turn.context.now_ms / 1000, turn.project.zone).date()).days
    if ahead < 2:
        return turn.text("utter_opens_tomorrow" if ahead else "utter_opens_today", {"time": time})
    if ahead < _WEEK_DAYS:
        return turn.text("utter_opens_weekday", {"day": turn.text(f"utter_weekday_{opens.isoweekday()}"), "time": time})
    return turn.text("utter_opens_date", {"day": f"{opens:%d/%m}", "time": time})


def about(turn: Turn) -> str:
    """Return in a sentence what the person wants people for, with what they told."""
    _, flow = _open_flow(turn)
    context = {"flow_name": flow.name(turn.language)} if flow is not None and flow.id != turn.project.start_flow else {}
    owned = flow.owned if flow is not None else ()
    told = "; ".join(f"{name}: {value}" for name, value in facts(turn).items() if name in owned)
    return turn.text("utter_callback_about", context) + (f" ({told})" if told else "")


def facts(turn: Turn) -> dict[str, str]:
    """Return what the person was asked for and told, as text, secrets masked."""
    slots, asked = turn.project.slots, turn.project.asked
    return {
        name: MASK if slots[name].sensitive else show(value)
        for name, value in turn.slots.items()
        if name in asked and not isinstance(value, list)
    }
