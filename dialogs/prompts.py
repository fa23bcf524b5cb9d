"""Opens the prompt of a collect step: its text, its options, its timer; and says what happens when no answer fits.

It does not read answers; that is `dialogs.interpret`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.model.capabilities import Family
from core.model.dialog import SetTimer
from core.model.inbound import Media
from dialogs import stack
from dialogs.buttons import filled
from dialogs.handover import hand_over
from dialogs.interpret import read
from dialogs.model import Button, Collect, Flow
from dialogs.spoken import keys_wanted
from dialogs.templates import show
from dialogs.turn import Frame, Option, Turn, Utterance

_NOTHING: Mapping[str, Any] = {}
_PROMPT_TIMEOUT_S = {"web": 600.0}


def open_prompt(turn: Turn, frame: Frame, step: Collect, *, ask: bool = True, brief: bool = False) -> None:
    """Ask for the slot of `step` and wait; without saying anything unless `ask`; `brief`: the options alone, if there are any."""
    if step.sensitive and not turn.context.capabilities.secrets_allowed:
        turn.say("utter_secret_refused")
        stack.cancel(turn)
        return
    context = frame.get("context", _NOTHING)
    buttons: tuple[Button, ...] = ()
    if step.utter is not None:
        found = turn.candidate(step.utter, context)
        text = turn.text("utter_not_available") if found is None else found[1]
        if found is not None:
            buttons = found[0].buttons
        if ask:
            turn.said.append(Utterance(text, found[0].media if found else (), sensitive=bool(found and found[0].sensitive), asks=True))
    options = _options(turn, step, buttons, context) or frame.get("offered", [])
    if brief and options and turn.said and turn.said[-1].asks:
        turn.said[-1].text = ""
    set_prompt(turn, frame, step, options)


def set_prompt(turn: Turn, frame: Frame, step: Collect, options: list[Option]) -> None:
    """Remember that `step` waits for an answer, one of `options` perhaps."""
    if turn.prompt is not None:
        turn.close_prompt()
    turn.prompt = {"frame": frame["id"], "step": step.id, "nonce": turn.nonce()}
    if options:
        turn.prompt["opts"] = options
    frame["asked"] = step.id
    turn.waiting = True
    if turn.family == Family.VOICE:  # the call itself tells of silence
        return
    timeout_s = step.timeout_s.get(turn.family, step.timeout_s.get("", _PROMPT_TIMEOUT_S.get(turn.family, 0.0)))
    if timeout_s and frame.get("noinput", 0) < step.max_noinput:
        turn.timer = SetTimer("prompt", timeout_s, {"nonce": turn.prompt["nonce"]})


def offer(turn: Turn, buttons: tuple[Button, ...], context: Mapping[str, Any]) -> None:
    """Keep the options of a response that asks nothing, until the next prompt."""
    turn.close_prompt()
    turn.prompt = {"frame": 0, "nonce": turn.nonce(), "opts": options_of(turn, buttons, context)}


def options_of(turn: Turn, buttons: tuple[Button, ...], context: Mapping[str, Any]) -> list[Option]:
    """Fill the buttons of a response; one whose values are missing is left out."""
    options: list[Option] = []
    for button in buttons:
        option = button.fixed or filled(button, turn.project.slots, turn.slots, context)
        if option is not None:
            options.append(option)
    return options


def _options(turn: Turn, step: Collect, buttons: tuple[Button, ...], context: Mapping[str, Any]) -> list[Option]:
    if buttons:
        return [_resolved(turn, step, option) for option in options_of(turn, buttons, context)]
    if step.options_from is not None:
        items = turn.value(step.options_from)
        return [_item(step.slot, item) for item in items] if isinstance(items, list) else []
    if step.type == "yesno":
        return [[turn.text("utter_yes"), "set", {step.slot: True}], [turn.text("utter_no"), "set", {step.slot: False}]]
    return []


def _resolved(turn: Turn, step: Collect, option: Option) -> Option:
    """Read the words that a button stands for as an answer to `step`."""
    title, kind, data = option
    if kind != "text":
        return option
    value = read(turn, step.type, data, turn.project.slots[step.slot], step)
    return [title, "set", {step.slot: data if value is None else value}]


def _item(slot: str, item: Any) -> Option:
    """Make an option of one value of a list: itself, or a mapping with `title` and `value`."""
    if isinstance(item, Mapping):
        title = show(item.get("title", item.get("value", "")))
        return [title, "set", {slot: item.get("value", title)}]
    return [show(item), "set", {slot: item}]


def take_answer(turn: Turn, step: Collect, value: Any) -> None:
    """Give the slot of `step`, the open one of the frame on top, its value."""
    turn.set(step.slot, value)
    note_answer(turn, step)
    turn.conceal = turn.conceal or turn.project.slots[step.slot].sensitive
    turn.close_prompt()


def recorded(turn: Turn, media: Sequence[Media]) -> bool:
    """Take a spoken message as the answer to the open prompt; False if that asks for none."""
    step = turn.collect_step()
    if step is None or step.type != "recording" or all(item.kind != "audio" for item in media):
        return False
    take_answer(turn, step, turn.text("utter_spoken_message"))
    return True


def note_answer(turn: Turn, step: Collect) -> None:
    """Keep that the person answered `step` of the frame on top, and after what: for going back and for corrections."""
    frame = turn.frame
    frame["order"] = [*(item for item in frame.get("order", ()) if item[0] != step.slot), [step.slot, step.id]]
    frame["asked"] = step.id
    frame["told"] = 1


def refuse(turn: Turn, frame: Frame, step: Collect, utter: str | None = None, *, told: bool = False) -> None:
    """Count a failed attempt: say why (`utter`, or the step's own words, unless `told`) and ask again, or take the way out of the step."""
    fails = frame["fails"] = frame.get("fails", 0) + 1
    tries = turn.tries(frame)
    if tries >= step.max_attempts:
        exhausted(turn, frame, step)
        return
    frame["asked"] = step.id
    own = step.retry_utter[min(fails, len(step.retry_utter)) - 1] if step.retry_utter else None
    by_type = f"utter_no_match_{step.type}"
    if keys := keys_wanted(turn, step):
        by_type = "utter_use_keys" if keys == "one" else "utter_use_keys_and_hash"
    if not told:
        turn.say(utter or own or (by_type if by_type in turn.project.responses else "utter_no_match"), frame.get("context", _NOTHING))
    if step.ask_action is not None:
        frame.pop("prepared", None)  # the action asks again
        turn.close_prompt()
    else:
        open_prompt(turn, frame, step, ask=utter is None or step.reask, brief=turn.family == Family.VOICE and tries == 1)


def exhausted(turn: Turn, frame: Frame, step: Collect) -> None:
    """Take the way out of a step that got no valid answer."""
    way = step.on_fail
    turn.close_prompt()
    if isinstance(way, int):
        stack.leave(frame)
        frame["step"] = turn.flow(frame).steps[way].id
    elif way == "handoff":
        hand_over(turn, f"slot:{step.slot}:invalid", failed=step.slot)
    elif way == "skip":
        stack.skip(turn, frame, step)
    elif way == "cancel":
        if frame["kind"] == "pattern":
            stack.pop(turn)
        else:
            turn.say("utter_given_up")
            stack.cancel(turn)
    else:
        _instead(turn, turn.project.flows[way])


def _instead(turn: Turn, flow: Flow) -> None:
    stack.cancel(turn)
    if flow.pattern:
        stack.push_pattern(turn, flow.id)
    else:
        stack.begin(turn, flow)
