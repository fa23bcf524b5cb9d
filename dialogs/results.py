"""What the end of an action means: slots, words, the next step; or a failure, which is a branch, then a pattern, then a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.model.dialog import ActionDone, ActionLate
from dialogs import stack
from dialogs.built_in import BUILT_IN_ACTIONS
from dialogs.handover import hand_over
from dialogs.model import Action, Collect, Step
from dialogs.prompts import offer, open_prompt, refuse
from dialogs.requests import request
from dialogs.steps import run
from dialogs.turn import Frame, Turn, Utterance

_FAILURES_MAX = 2


def action_done(turn: Turn, done: ActionDone) -> None:
    """Take the end of the pending action in and go on; the end of any other action says nothing any more."""
    pending = turn.state.get("pending")
    if pending is None or pending["key"] != done.key:
        return
    del turn.state["pending"]
    turn.late = bool(pending.get("late"))
    turn.state["channel"], turn.state["family"] = turn.context.channel_id, turn.family
    frame = turn.frame_by_id(pending["frame"])
    flow = turn.flow(frame) if frame is not None else None
    step = flow.steps[flow.index[pending["step"]]] if flow is not None and pending["step"] in flow.index else None
    quiet = turn.context.owner != "bot"
    if done.error is not None:
        if frame is not None and not quiet:
            _failed(turn, frame, step, done)
            run(turn)
        return
    outcome = _apply(turn, done)
    if quiet:
        if frame is not None and step is not None and turn.stack and turn.frame is frame:
            stack.advance(turn, frame, step)
        return
    for response in done.responses:
        _say(turn, response)
    if outcome.get("pause"):
        hand_over(turn, "action", failed=done.name)
        run(turn)
    elif frame is not None and step is not None:
        turn.state["errors"] = {flow_id: count for flow_id, count in turn.state.get("errors", {}).items() if flow_id != frame["flow"]}
        _go_on(turn, frame, step, pending["use"], outcome.get("followup"))
        run(turn)


def _apply(turn: Turn, done: ActionDone) -> dict[str, Any]:
    """Carry out the events of an action in their order; return what they ask for beyond slots."""
    asked: dict[str, Any] = {}
    for event in done.events:
        kind = event.get("event")
        if kind == "slot" and event.get("name") in turn.project.slots:
            turn.set(event["name"], event.get("value"))
        elif kind == "reset_slots":
            turn.slots.clear()
        elif kind == "followup":
            asked["followup"] = event.get("name")
        elif kind == "pause":
            asked["pause"] = True
    return asked


def _say(turn: Turn, response: Mapping[str, Any]) -> None:
    """Say a response in the form of rasa-sdk: the name of a response with values, or a text."""
    name = response.get("response") or response.get("template")
    if isinstance(name, str) and name in turn.project.responses:
        candidate = turn.say(name, response)
        if candidate is not None and candidate.buttons:
            offer(turn, candidate.buttons, response)
    elif isinstance(text := response.get("text"), str) and text:
        turn.said.append(Utterance(text))


def _go_on(turn: Turn, frame: Frame, step: Step, use: str, followup: Any) -> None:
    if isinstance(followup, str) and followup != step.id:
        if followup in turn.project.responses:
            turn.say(followup)
        elif followup in BUILT_IN_ACTIONS:
            BUILT_IN_ACTIONS[followup](turn, frame)
            if turn.waiting or not turn.stack or turn.frame is not frame:
                return
        elif followup in turn.project.actions:
            request(turn, frame, Action(step.id, step.next, step.line, name=followup), use)
            return
    if isinstance(step, Collect) and use == "ask":
        frame["prepared"] = step.id
        offered = turn.prompt
        open_prompt(turn, frame, step)
        if offered is not None and turn.prompt is not None:
            turn.prompt["opts"] = offered["opts"]
    elif isinstance(step, Collect):
        if turn.value(step.slot) is None:
            refuse(turn, frame, step, told=bool(turn.said))
        else:
            frame["validated"] = step.id
    else:
        if isinstance(step, Action) and not step.idempotent:
            frame["order"] = []  # nothing before a step with effects may be gone back to
            frame["done"] = True
        stack.advance(turn, frame, step)


def _failed(turn: Turn, frame: Frame, step: Step | None, done: ActionDone) -> None:
    errors = dict(turn.state.get("errors", {}))
    count = errors[frame["flow"]] = errors.get(frame["flow"], 0) + 1
    turn.state["errors"] = errors
    if count >= _FAILURES_MAX:
        hand_over(turn, "action_failed", failed=done.name)
    elif isinstance(step, Action) and step.on_error is not None:
        stack.leave(frame)
        if not stack.go(turn, frame, step.on_error):
            stack.cancel(turn)
    else:
        flow = turn.flow(frame)
        again = flow.risk == "none" and not frame.get("done")
        if not again:
            stack.cancel(turn)  # whether it took effect is not known: it is not run again
        stack.push_pattern(turn, "pattern_internal_error", {"error_type": done.error, "can_retry": again})


def action_late(turn: Turn, late: ActionLate) -> None:
    """The channel can wait no longer: end the screen and say how the result follows."""
    pending = turn.state.get("pending")
    if pending is None or pending["key"] != late.key or pending.get("late"):
        return
    turn.state["pending"] = pending | {"late": True}
    turn.say("utter_action_late", _named(turn, pending))
    turn.ends = turn.one_shot


def still_pending(turn: Turn) -> None:
    """Say that an action still runs; nothing is started meanwhile."""
    turn.say("utter_action_pending", _named(turn, turn.state["pending"]))
    turn.ends = turn.one_shot
    if turn.one_shot:
        turn.state["pending"] = turn.state["pending"] | {"late": True}


def _named(turn: Turn, pending: Mapping[str, Any]) -> dict[str, str]:
    frame = turn.frame_by_id(pending["frame"])
    return {"flow_name": turn.flow(frame).name(turn.language)} if frame is not None else {}
