"""Runs the steps of the frame on top until something is awaited: an answer, an action, a person, or nothing is left to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dialogs import stack
from dialogs.built_in import BUILT_IN_ACTIONS, close_interaction
from dialogs.handover import facts
from dialogs.interpret import broken_rule
from dialogs.model import Action, Call, Collect, Flow, Link, SetSlots, Step
from dialogs.prompts import note_answer, offer, open_prompt, refuse
from dialogs.requests import request
from dialogs.templates import Template
from dialogs.turn import Frame, Stuck, Turn

_NOTHING: Mapping[str, Any] = {}


def run(turn: Turn) -> None:
    """Run steps until the dialog waits or the stack is empty. Raises `Stuck` if a loop guard trips."""
    limits = turn.project.limits
    while not (turn.waiting or turn.over) and (turn.stack or _more_to_do(turn)):
        frame = turn.frame
        flow = turn.flow(frame)
        index = flow.index.get(frame["step"])
        if index is None:
            _changed(turn, frame, flow)
            continue
        step = flow.steps[index]
        turn.steps += 1
        visit = (frame["id"], step.id)
        turn.visits[visit] = turn.visits.get(visit, 0) + 1
        if turn.steps > limits.steps_per_turn or turn.visits[visit] > limits.visits_per_turn:
            raise Stuck("steps")
        if flow.auth and frame["kind"] == "user" and flow.auth > turn.trust:
            _step_up(turn, frame)
            continue
        _execute(turn, frame, step)


def _more_to_do(turn: Turn) -> bool:
    """With the stack empty: ask whether there is more, or end the session; True if there is something to run."""
    ended, turn.ended = turn.ended, None
    if turn.late:
        return False
    if ended is None:
        if turn.one_shot:  # a screen without a question would leave the person nothing to press
            stack.begin(turn, turn.project.flows[turn.project.start_flow])
        return turn.one_shot
    flow = turn.project.flows[ended]
    if turn.one_shot:
        if not turn.said:
            turn.say("utter_goodbye")
        close_interaction(turn)
        return False
    if not flow.completed or turn.family == "email":
        return False
    stack.push_pattern(turn, "pattern_completed", {"previous_flow_name": flow.name(turn.language)})
    return True


def _changed(turn: Turn, frame: Frame, flow: Flow) -> None:
    """The step at which a frame waited is gone since the project was changed: begin that flow again with the answers that are left."""
    turn.say("utter_code_change", {"flow_name": flow.name(turn.language)})
    frame["v"] = flow.version
    frame["step"] = flow.steps[0].id
    frame.pop("order", None)
    stack.leave(frame)
    turn.close_prompt()


def _step_up(turn: Turn, frame: Frame) -> None:
    """Let the person prove who they are before a flow that needs it goes on; a second failure ends that flow."""
    name = turn.project.auth_flow
    if name is None or frame.get("auth") or frame["flow"] == name:
        turn.say("utter_auth_required", {"flow_name": turn.flow(frame).name(turn.language)})
        stack.cancel(turn)
        return
    if not stack.offered_here(turn, turn.project.flows[name]):
        _end_in(turn, frame, "pattern_human_handoff")
        return
    frame["auth"] = 1
    stack.push(turn, turn.project.flows[name], "user")


def _execute(turn: Turn, frame: Frame, step: Step) -> None:
    if isinstance(step, Collect):
        _collect(turn, frame, step)
    elif isinstance(step, Action):
        _act(turn, frame, step)
    elif isinstance(step, SetSlots):
        context = frame.get("context", _NOTHING)
        for name, value in step.values:
            turn.set(name, value.fill(turn.slots, context) if isinstance(value, Template) else value)
        stack.advance(turn, frame, step)
    elif isinstance(step, Link):
        _link(turn, frame, turn.project.flows[step.flow])
    elif isinstance(step, Call):
        called = turn.project.flows[step.flow]
        if stack.offered_here(turn, called):
            stack.push(turn, called, "call")
        else:
            _end_in(turn, frame, "pattern_human_handoff")  # what it needs cannot be had here
    else:
        stack.advance(turn, frame, step)


def _end_in(turn: Turn, frame: Frame, pattern: str) -> None:
    """End a flow in a pattern, which is told what the flow knows."""
    context: dict[str, Any] = {"reason": "asked"}
    if frame["kind"] != "pattern":
        context = {"reason": f"flow:{frame['flow']}", "known": {"step": frame["step"], "facts": facts(turn)}}
    stack.pop(turn)
    stack.push_pattern(turn, pattern, context)


def _link(turn: Turn, frame: Frame, flow: Flow) -> None:
    if flow.pattern:
        _end_in(turn, frame, flow.id)
        return
    if frame["kind"] == "call":
        stack.cancel(turn)
    else:
        stack.pop(turn, keep=flow.owned)
    stack.begin(turn, flow)


def _collect(turn: Turn, frame: Frame, step: Collect) -> None:
    value = turn.value(step.slot)
    if value is not None and step.ask_before_filling and frame.get("asked") != step.id:
        turn.set(step.slot, None)
        value = None
    if value is None and step.id in frame.get("skipped", ()):
        stack.advance(turn, frame, step)
    elif value is None:
        if step.ask_action is not None and frame.get("prepared") != step.id:
            request(turn, frame, Action(step.id, step.next, step.line, name=step.ask_action, idempotent=True), "ask")
        else:
            open_prompt(turn, frame, step)
    elif (broken := broken_rule(turn, step, value)) is not None:
        turn.set(step.slot, None)
        refuse(turn, frame, step, broken.utter)
    elif step.validate_action is not None and frame.get("validated") != step.id:
        request(turn, frame, Action(step.id, step.next, step.line, name=step.validate_action, idempotent=True), "validate")
    else:
        given = frame.get("given", ())
        if step.slot in given:
            frame["given"] = [name for name in given if name != step.slot]
            note_answer(turn, step)
        if frame.get("told"):
            turn.remember(step.slot)
        stack.advance(turn, frame, step)


def _act(turn: Turn, frame: Frame, step: Action) -> None:
    if step.name.startswith("utter_"):
        context = frame.get("context", _NOTHING)
        candidate = turn.say(step.name, context)
        stack.advance(turn, frame, step)
        if candidate is not None and candidate.buttons:
            offer(turn, candidate.buttons, context)
    elif step.name in BUILT_IN_ACTIONS:
        BUILT_IN_ACTIONS[step.name](turn, frame)
        if turn.stack and turn.frame is frame and not turn.waiting:
            stack.advance(turn, frame, step)
    else:
        request(turn, frame, step, "step")
