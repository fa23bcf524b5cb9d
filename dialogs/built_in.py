"""The actions that the engine carries out itself. Patterns are made of them; a flow may name them like any other action."""

from __future__ import annotations

from collections.abc import Callable

from core.model.dialog import CloseInteraction
from dialogs import stack
from dialogs.handover import about, hand_over
from dialogs.model import Action, Collect
from dialogs.prompts import take_answer
from dialogs.redial import line_dropped
from dialogs.requests import request
from dialogs.turn import Frame, Turn


def _hand_over(turn: Turn, frame: Frame) -> None:
    context = frame.get("context", {})
    if frame["kind"] == "pattern":
        stack.pop(turn)
    hand_over(turn, context.get("reason", "asked"), known=context.get("known"))


def _close(turn: Turn, frame: Frame) -> None:
    if frame["kind"] == "pattern":
        stack.pop(turn)
    close_interaction(turn)


def close_interaction(turn: Turn) -> None:
    """Both sides agree that the matter is settled; a one-shot channel hangs up."""
    turn.effects.append(CloseInteraction("agreed"))
    turn.over = True
    turn.ends = turn.one_shot


def _hang_up(turn: Turn, frame: Frame) -> None:
    """End the session only: what is open waits for the person to call again."""
    if frame["kind"] == "pattern":
        stack.pop(turn)
    line_dropped(turn)
    turn.over = True
    turn.ends = turn.one_shot


def _menu(turn: Turn, _frame: Frame) -> None:
    stack.clear(turn)
    stack.begin(turn, turn.project.flows[turn.project.start_flow])


def _restart(turn: Turn, _frame: Frame) -> None:
    stack.clear(turn)
    turn.slots.clear()
    turn.say("utter_restarted")
    stack.begin(turn, turn.project.flows[turn.project.start_flow])


def _cancel(turn: Turn, frame: Frame) -> None:
    """Take the flow below the pattern off, and leave the pattern on top to say so."""
    own = turn.stack.pop() if frame["kind"] == "pattern" else None
    stack.cancel(turn)
    if own is not None:
        turn.stack.append(own)


def _continue(turn: Turn, _frame: Frame) -> None:
    stack.pop(turn)
    for frame in turn.stack:
        frame.pop("fails", None)


def _start_again(turn: Turn, frame: Frame) -> None:
    _menu(turn, frame)


def _start_chosen(turn: Turn, _frame: Frame) -> None:
    choice = turn.value("flow_choice")
    stack.pop(turn)
    if choice == "agent":
        hand_over(turn, "asked")
    elif choice in turn.project.flows:
        stack.start(turn, turn.project.flows[choice])
    else:
        turn.say("utter_rephrase")


def _correct_chosen(turn: Turn, _frame: Frame) -> None:
    name = turn.value("change_choice")
    stack.pop(turn)
    reopen(turn, name)


def reopen(turn: Turn, name: str) -> bool:
    """Go back to the step that filled slot `name` in the flow on top, keeping later answers; False if it did not."""
    for frame in reversed(turn.stack):
        order = list(frame.get("order", ()))
        for place, (slot, step_id) in enumerate(order):
            if slot == name:
                while turn.frame is not frame:
                    stack.pop(turn)
                frame["order"] = [*order[:place], *order[place + 1 :]]
                frame["step"] = step_id
                stack.leave(frame)
                turn.set(name, None)
                turn.close_prompt()
                return True
        if frame["kind"] == "user":
            return False
    return False


def _take_answer(turn: Turn, frame: Frame) -> None:
    value = frame.get("context", {}).get("value")
    stack.pop(turn)
    flow = turn.flow(turn.frame)
    step = flow.steps[flow.index[turn.frame["step"]]]
    if isinstance(step, Collect):
        take_answer(turn, step, value)


def _set_language(turn: Turn, _frame: Frame) -> None:
    chosen = turn.value("language_choice")
    if chosen in turn.project.languages:
        turn.speak(chosen)


def _request_callback(turn: Turn, frame: Frame) -> None:
    """Open a case for people to take up when they are back."""
    told = {"case_kind": "callback", "case_description": about(turn)}
    step = turn.flow(frame).steps[turn.flow(frame).index[frame["step"]]]
    request(turn, frame, Action(step.id, step.next, step.line, name="action_open_case"), "step", told)


def _leave(reason: str) -> Callable[[Turn, Frame], None]:
    """Return the action that leaves the matter to people who are not there now."""

    def leave(turn: Turn, frame: Frame) -> None:
        if frame["kind"] == "pattern":
            stack.pop(turn)
        hand_over(turn, reason, offer=False)

    return leave


def _wait(turn: Turn, frame: Frame) -> None:
    """Say no more until the person does; what is open below stays open."""
    if frame["kind"] == "pattern":
        stack.pop(turn)
    turn.over = True
    turn.ends = turn.one_shot


BUILT_IN_ACTIONS: dict[str, Callable[[Turn, Frame], None]] = {
    "action_hand_over": _hand_over,
    "action_close_interaction": _close,
    "action_hang_up": _hang_up,
    "action_start_menu": _menu,
    "action_restart": _restart,
    "action_cancel_flow": _cancel,
    "action_continue_flow": _continue,
    "action_start_again": _start_again,
    "action_start_chosen": _start_chosen,
    "action_correct_chosen": _correct_chosen,
    "action_take_answer": _take_answer,
    "action_set_language": _set_language,
    "action_request_callback": _request_callback,
    "action_leave_message": _leave("voicemail"),
    "action_leave_callback": _leave("callback"),
    "action_wait": _wait,
}
