"""The words that work everywhere: what each of them does to the dialog."""

from __future__ import annotations

from collections.abc import Callable

from dialogs import stack
from dialogs.built_in import reopen
from dialogs.interpret import broken_rule
from dialogs.meanings import Navigate
from dialogs.model import Collect
from dialogs.pages import turn_page
from dialogs.turn import Turn, Utterance

_REPEATS_MAX = 3


def navigate(turn: Turn, command: Navigate) -> None:
    """Do what the word says; the caller runs the steps that are then to be run."""
    if command.word != "repeat":
        turn.state.pop("repeats", None)
    if command.word == "language" and command.language is not None:
        turn.speak(command.language)
        turn.say("utter_language_set")
        return
    _COMMANDS[command.word](turn)


def _back(turn: Turn) -> None:
    menu = turn.project.start_flow
    if stack.back(turn):
        return
    if not turn.stack or turn.frame["flow"] == menu:
        _menu(turn)
    elif stack.user_frame(turn).get("done"):
        turn.say("utter_cannot_go_back")
    else:
        stack.cancel(turn)
        if not turn.stack:
            stack.begin(turn, turn.project.flows[menu])


def _menu(turn: Turn) -> None:
    stack.clear(turn)
    stack.begin(turn, turn.project.flows[turn.project.start_flow])


def _repeat(turn: Turn) -> None:
    repeats = turn.state.get("repeats", 0) + 1
    turn.state["repeats"] = repeats
    if repeats > _REPEATS_MAX:
        _help(turn)
        return
    if turn.prompt is not None and turn.prompt.get("page"):
        turn_page(turn, 0)
        return
    turn.said.extend(Utterance(text) for text in turn.state.get("said", ()))


def _help(turn: Turn) -> None:
    names = ["utter_help"]
    if turn.stack:
        names.insert(0, f"utter_help_{stack.user_frame(turn)['flow']}")
    step = turn.collect_step()
    if step is not None:
        names.insert(0, f"utter_help_{step.slot}")
    turn.say(next(name for name in names if name in turn.project.responses))


def _agent(turn: Turn) -> None:
    stack.drop_patterns(turn)
    stack.push_pattern(turn, "pattern_human_handoff", {"reason": "asked"})


def _language(turn: Turn) -> None:
    options = [{"title": turn.project.words.language_names.get(code, code), "value": code} for code in turn.project.languages]
    stack.push_pattern(turn, "pattern_change_language")
    turn.set("language_options", options)


def _skip(turn: Turn) -> None:
    step = turn.collect_step()
    if step is None or not step.optional:
        turn.say("utter_cannot_skip")
        return
    frame = turn.frame
    turn.close_prompt()
    stack.skip(turn, frame, step)


def _cancel(turn: Turn) -> None:
    stack.drop_patterns(turn)
    if not turn.stack or turn.frame["flow"] == turn.project.start_flow:
        turn.say("utter_nothing_to_cancel")
        return
    frame = stack.user_frame(turn)
    flow = turn.flow(frame)
    stack.push_pattern(
        turn, "pattern_cancel_flow", {"flow_name": flow.name(turn.language), "confirm": flow.risk != "none" and bool(frame.get("done"))}
    )


def _restart(turn: Turn) -> None:
    stack.drop_patterns(turn)
    stack.push_pattern(turn, "pattern_restart")


_COMMANDS: dict[str, Callable[[Turn], None]] = {
    "back": _back,
    "menu": _menu,
    "repeat": _repeat,
    "help": _help,
    "agent": _agent,
    "language": _language,
    "skip": _skip,
    "cancel": _cancel,
    "restart": _restart,
    "more": lambda turn: turn_page(turn, 1),
    "less": lambda turn: turn_page(turn, -1),
}


def correct(turn: Turn, name: str | None, value: object, step: Collect | None) -> None:
    """Change an earlier answer: with its new value, by asking it again, or by asking which one is meant."""
    if name is None:
        filled = dict.fromkeys(slot for frame in turn.stack for slot, _ in frame.get("order", ()))
        options = [{"title": label_of(turn, slot), "value": slot} for slot in filled if step is None or slot != step.slot]
        stack.push_pattern(turn, "pattern_correction")
        turn.set("change_options", options)
        return
    if value is None:
        reopen(turn, name)
        return
    place = next(((frame, at) for frame in reversed(turn.stack) for slot, at in frame.get("order", ()) if slot == name), None)
    if place is None:
        return
    frame, step_id = place
    flow = turn.flow(frame)
    corrected = flow.steps[flow.index[step_id]]
    broken = broken_rule(turn, corrected, value) if isinstance(corrected, Collect) else None
    if broken is not None:
        turn.say(broken.utter)
    elif reopen(turn, name):
        turn.set(name, value)
        frame["order"] = [*frame.get("order", ()), [name, step_id]]
        frame["asked"] = step_id
        frame["told"] = 1


def label_of(turn: Turn, name: str) -> str:
    """Return the readable name of a slot."""
    labels = turn.project.slots[name].labels
    return labels.get(turn.language) or labels.get("") or next(iter(labels.values()))
