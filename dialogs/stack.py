"""Frames: how flows are started, ended, cancelled and gone back in. It says nothing itself but through the patterns it starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.model.dialog import SetReason
from dialogs.model import END, Call, Flow, Next, Step
from dialogs.turn import Frame, Stuck, Turn

_NOTHING: Mapping[str, Any] = {}
_BREAKS_MAX = 2
VISIT_KEYS = ("asked", "fails", "noinput", "validated", "prepared", "told")
"""What a frame keeps only while it stays at one step."""


def push(turn: Turn, flow: Flow, kind: str, context: Mapping[str, Any] = _NOTHING) -> Frame:
    """Put a new frame of `flow` on the stack and return it."""
    if len(turn.stack) >= turn.project.limits.stack:
        raise Stuck("stack")
    frame: Frame = {
        "id": turn.number(),
        "flow": flow.id,
        "v": flow.version,
        "step": flow.steps[0].id,
        "kind": kind,
        "at": turn.context.now_ms,
    }
    if context:
        frame["context"] = dict(context)
    turn.stack.append(frame)
    turn.close_prompt()
    return frame


def push_pattern(turn: Turn, name: str, context: Mapping[str, Any] = _NOTHING) -> None:
    """Start a pattern on top of what is going on; one that is there already is not started twice."""
    if turn.stack and turn.frame["flow"] == name:
        pop(turn)
    push(turn, turn.project.flows[name], "pattern", context)


def start(turn: Turn, flow: Flow, entities: Mapping[str, Any] = _NOTHING) -> None:
    """Start a user flow: on an empty stack, as a digression, or by bringing an earlier frame of it to the top."""
    drop_patterns(turn)
    if turn.stack and user_frame(turn)["flow"] == flow.id:
        turn.close_prompt()
        if flow.id != turn.project.start_flow:
            turn.say("utter_already_there", {"flow_name": flow.name(turn.language)})
        return
    for place, frame in enumerate(turn.stack):
        if frame["flow"] == flow.id and frame["kind"] == "user":
            upper = next((at for at in range(place + 1, len(turn.stack)) if turn.stack[at]["kind"] == "user"), len(turn.stack))
            turn.stack[:] = [*turn.stack[:place], *turn.stack[upper:], *turn.stack[place:upper]]
            turn.close_prompt()
            return
    if turn.stack and user_frame(turn)["flow"] == turn.project.start_flow:
        cancel(turn)
    if turn.stack:
        below = user_frame(turn)
        below["breaks"] = below.get("breaks", 0) + 1
    if sum(frame["kind"] == "user" for frame in turn.stack) >= turn.project.limits.digressions:
        left = turn.flow(user_frame(turn))
        cancel(turn)
        turn.say("utter_flow_cancelled", {"flow_name": left.name(turn.language)})
    begin(turn, flow)
    given = [name for name in entities if name in turn.project.slots]
    for name in given:
        turn.set(name, entities[name])
    if given:
        turn.frame["given"] = given  # each counts as an answer once its step is reached


def begin(turn: Turn, flow: Flow) -> None:
    """Push a user frame and fill in what the person told before; the first real flow names the reason of the contact."""
    if flow.id != turn.project.start_flow:
        turn.state["reason"] = flow.id
        if not any(frame["kind"] == "user" for frame in turn.stack):
            turn.effects.append(SetReason(flow.id))
    push(turn, flow, "user")
    for name in turn.project.remember:
        fact = turn.context.facts.get(name)
        if fact is not None and name not in turn.slots and not turn.project.slots[name].sensitive:
            turn.set(name, fact.value)


def user_frame(turn: Turn) -> Frame:
    """Return the topmost user frame, or the frame at the bottom if there is none."""
    for frame in reversed(turn.stack):
        if frame["kind"] == "user":
            return frame
    return turn.stack[0]


def drop_patterns(turn: Turn) -> None:
    """Take patterns off the top."""
    while turn.stack and turn.frame["kind"] == "pattern":
        pop(turn)


def pop(turn: Turn, keep: tuple[str, ...] = ()) -> Frame:
    """Take the top frame off; unless it is a called one, its slots go back to their first values, except `keep`."""
    frame = turn.stack.pop()
    if frame["kind"] != "call":
        for name in turn.flow(frame).owned:
            if name not in keep:
                turn.slots.pop(name, None)
    turn.close_prompt()
    return frame


def cancel(turn: Turn) -> Frame | None:
    """Take the topmost user frame off with everything above it, and return it."""
    while turn.stack:
        frame = pop(turn)
        if frame["kind"] == "user":
            return frame
    return None


def clear(turn: Turn) -> None:
    """Take everything off."""
    while turn.stack:
        pop(turn)
    turn.close_prompt()
    for key in ("queue", "more", "misses"):
        turn.state.pop(key, None)


def leave(frame: Frame) -> None:
    """Forget what belongs to the visit of one step."""
    for key in VISIT_KEYS:
        frame.pop(key, None)


def forget_tries(frame: Frame) -> None:
    """Let a question that went unanswered be asked afresh."""
    frame.pop("fails", None)
    frame.pop("noinput", None)


def offered_here(turn: Turn, flow: Flow) -> bool:
    """Tell whether `flow` is for the channel in use."""
    return not flow.channels or turn.family in flow.channels


def startable(turn: Turn, flow: Flow) -> bool:
    """Tell whether the person may start `flow` here and now."""
    if flow.never or not offered_here(turn, flow):
        return False
    return flow.guard is None or flow.guard.test(turn.slots, _NOTHING)


def go(turn: Turn, frame: Frame, way: Next) -> bool:
    """Move `frame` on along `way`; False if the flow has come to its end."""
    if not isinstance(way, int):
        context = frame.get("context", _NOTHING)
        way = next((branch.then for branch in way if branch.when is None or branch.when.test(turn.slots, context)), END)
    if way == END:
        return False
    frame["step"] = turn.flow(frame).steps[way].id
    return True


def advance(turn: Turn, frame: Frame, step: Step) -> None:
    """Leave `step`, the current one of the top frame; at the end of the flow the frame below goes on."""
    leave(frame)
    if go(turn, frame, step.next):
        return
    ended = pop(turn)
    if ended["kind"] == "call":
        parent = turn.frame
        parent_flow = turn.flow(parent)
        if "order" in ended:
            parent["order"] = [*parent.get("order", ()), *ended["order"]]
        if ended.get("done"):
            parent["done"] = True
        index = parent_flow.index.get(parent["step"])
        call = parent_flow.steps[index] if index is not None else None
        if isinstance(call, Call):
            advance(turn, parent, call)
    elif ended["kind"] == "user":
        _return_below(turn, ended)


def _return_below(turn: Turn, ended: Frame) -> None:
    """Go on with the flow that `ended` had interrupted, or note that nothing is left."""
    if not turn.stack:
        turn.ended = ended["flow"]
        return
    frame = user_frame(turn)
    context = {"flow_name": turn.flow(frame).name(turn.language)}
    if frame.get("breaks", 0) > _BREAKS_MAX and not turn.one_shot:
        push_pattern(turn, "pattern_continue_interrupted", context)
    else:
        turn.say("utter_back_to", context)


def skip(turn: Turn, frame: Frame, step: Step) -> None:
    """Leave `step` without an answer; it is not asked again in this frame."""
    frame["skipped"] = [*frame.get("skipped", ()), step.id]
    advance(turn, frame, step)


def back(turn: Turn) -> bool:
    """Reopen the previous question of the top frame; False if there is none that may be asked again."""
    drop_patterns(turn)
    while turn.stack:
        frame = turn.frame
        order = list(frame.get("order", ()))
        if order:
            name, step_id = order.pop()
            frame["order"] = order
            turn.set(name, None)
            frame["step"] = step_id
            frame.pop("skipped", None)
            leave(frame)
            turn.close_prompt()
            return True
        if frame["kind"] != "call" or frame.get("done"):
            return False
        pop(turn)
    return False
