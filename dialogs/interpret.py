"""What a person means by a text: a fixed order of readings, of which the first that fits counts.

Words of consent come first and are compared exactly; similarity is asked last and never for them. It changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

from core.model.capabilities import Family
from dialogs import stack
from dialogs.meanings import Alarm, Begin, Choose, Clarify, Correct, Give, Meaning, Navigate, Unclear
from dialogs.model import Collect, Rejection, Slot
from dialogs.normal import normal, normal_label, words_of
from dialogs.pages import option_at, turned_by
from dialogs.turn import Option, Turn
from dialogs.understanding import NOTHING, Understand
from dialogs.values import Reading, parse_value

_PREFIX_MIN = 3
_SIMILAR = 85.0
_SIMILAR_GAP = 10.0
_CANDIDATES_MAX = 3
_CLOSE = 0.1
_FREE_TEXT_WORDS_MAX = 6
_FREE_TEXT_CERTAIN = 0.9
_NEVER_FROM_START = frozenset({"pin", "otp"})


def consent(turn: Turn, word: str) -> bool | None:
    """Tell whether `word`, normalised, opts in (True) or out (False); None if it is neither."""
    words = turn.project.words
    if word in (words.stop.get(turn.family) or words.stop[""]):
        return False
    if word in words.start or (turn.context.opted_out and word in words.start_if_out):
        return True
    return None


def interpret(turn: Turn, text: str, understand: Understand) -> Meaning:
    """Return what `text` means here and now."""
    word = normal(text)
    step = turn.collect_step()
    options: list[Option] = turn.prompt.get("opts", []) if turn.prompt else []
    chosen = option_at(turn.prompt, _number(turn, word))
    if chosen is not None:
        return Choose(chosen)
    value = _expected(turn, step, text, exact=True)
    found = _navigation(turn, word, step, value)
    if found is not None:
        return found
    if step is not None or options:
        if value is not None:
            return Give(value)
        near = _near(turn, step, options, word)
        if near is not None:
            return near
    if step is not None and not step.force:
        corrected = _correction(turn, step, text, word)
        if corrected is not None:
            return corrected
    return _understood(turn, step, text, word, understand)


def _number(turn: Turn, word: str) -> int:
    """Return the number of an option that `word` may be, 0 if it is none; on the phone it may be spoken."""
    if word.isdigit() and word.isascii():
        return int(word) if len(word) < 4 and word[0] != "0" else 0
    return turn.project.words.numbers.get(word, 0) if turn.family == Family.VOICE else 0


def _navigation(turn: Turn, word: str, step: Collect | None, value: Any) -> Navigate | None:
    """Words that work everywhere, where they are no answer to the open question; a forced one leaves only agent and cancel."""
    words = turn.project.words
    meaning = turned_by(turn, word) or words.navigation.get(word) or words.keys.get(turn.family, words.keys[""]).get(word)
    if meaning == "more" and "pages" not in (turn.prompt or ()):
        meaning = None
    language = words.languages.get(word) if meaning is None else None
    if (meaning is None and language is None) or _is_label(turn, word):
        return None
    if step is not None:
        if value is not None and is_legal(turn, step, value):
            return None
        if meaning in step.refuse or (step.force and meaning not in {"agent", "cancel"}):
            return None
    return Navigate(meaning or "language", language)


def is_legal(turn: Turn, step: Collect, value: Any) -> bool:
    """Tell whether no rejection of `step` applies to `value`."""
    return broken_rule(turn, step, value) is None


def broken_rule(turn: Turn, step: Collect, value: Any) -> Rejection | None:
    """Return the first rejection of `step` that applies to `value`."""
    rules = (*turn.project.slots[step.slot].rejections, *step.rejections)
    if not rules:
        return None
    slots = turn.slots | {step.slot: value}
    return next((rule for rule in rules if rule.when.test(slots, {})), None)


def _is_label(turn: Turn, word: str) -> bool:
    """Tell whether `word` is an option of the open prompt as it is written there."""
    return turn.prompt is not None and any(normal_label(option[0]) == word for option in turn.prompt.get("opts", ()))


def read(turn: Turn, kind: str, text: str, slot: Slot, step: Collect | None = None) -> Any:
    """Return the value of `kind` that `text` is for `slot`, None if it is none."""
    context = turn.context
    digits = step.digits if step is not None else None
    return parse_value(
        kind, Reading(text, normal(text), turn.project.words, context.country, context.now_ms, turn.project.zone, slot, digits)
    )


def _expected(turn: Turn, step: Collect | None, text: str, *, exact: bool) -> Any:
    """Read `text` as the type of the open question; free text only if not `exact`, and only where there are no options."""
    if step is None or (step.type == "text" and exact):
        return None
    if step.options_from is not None and step.type in {"text", "choice"}:
        return None
    return read(turn, step.type, text, turn.project.slots[step.slot], step)


def _near(turn: Turn, step: Collect | None, options: list[Option], word: str) -> Meaning | None:
    """Match what is written against labels and values: exactly, by synonym, by a unique beginning, then by similarity."""
    table: dict[str, Option] = {}
    for option in options:
        table.setdefault(normal_label(option[0]), option)
        for known in _values(option):
            table.setdefault(known, option)
    slot = turn.project.slots[step.slot] if step is not None else None
    if slot is not None and not options:
        for known in slot.values:
            table.setdefault(normal_label(known), [known, "set", {slot.name: known}])
    if not table:
        return None
    word = normal(turn.project.synonyms.get(word, word))
    if word in table:
        return Choose(table[word])
    if len(word) < _PREFIX_MIN:
        return None
    part = f" {word}" if turn.family == Family.VOICE else None  # who speaks names an option by a word of it
    begun = _distinct([option for label, option in table.items() if label.startswith(word) or (part is not None and part in label)])
    if len(begun) == 1:
        return Choose(begun[0])
    scores = sorted(((SequenceMatcher(None, word, label).ratio() * 100, label) for label in table), reverse=True)
    others = [score for score, label in scores if table[label] is not table[scores[0][1]]]
    if scores[0][0] >= _SIMILAR and (not others or scores[0][0] - others[0] >= _SIMILAR_GAP):
        return Choose(table[scores[0][1]], sure=False)
    return None


def _values(option: Option) -> list[str]:
    if option[1] == "text":
        return [normal_label(option[2])]
    return [normal_label(value) for value in option[2].values() if isinstance(value, str)] if option[1] == "set" else []


def _distinct(options: list[Option]) -> list[Option]:
    return [option for place, option in enumerate(options) if not any(option is other for other in options[:place])]


def _correction(turn: Turn, step: Collect, text: str, word: str) -> Meaning | None:
    """At a confirmation: "no, 50", or a value that fits exactly one earlier answer; anywhere: "change" with the name of an answer."""
    filled = [name for frame in turn.stack for name, _ in frame.get("order", ()) if frame["kind"] != "pattern"]
    for begin in turn.project.words.change:
        if word == begin and filled and step.type == "yesno" and word not in turn.project.words.no:
            return Correct(None)
        if word.startswith(begin + " "):
            label, _, rest = word[len(begin) + 1 :].partition(" to ")
            for name in filled:
                slot = turn.project.slots[name]
                if label in {normal_label(text) for text in slot.labels.values()} | {name}:
                    return Correct(name, _read(turn, slot, rest or ""))
    if step.type != "yesno" or not filled:
        return None
    bare = text.strip()
    for no in turn.project.words.no:
        if word.startswith((no + " ", no + ",")):
            bare = word[len(no) :].lstrip(" ,.;")
            break
    fitting = []
    for name in dict.fromkeys(filled):
        value = _read(turn, turn.project.slots[name], bare)
        if value is not None:
            fitting.append((name, value))
    return Correct(*fitting[0]) if len(fitting) == 1 else None


def _read(turn: Turn, slot: Slot, text: str) -> Any:
    """Read a value of a typed slot; free text is no correction."""
    if not text or slot.parsed_as == "text":
        return None
    return read(turn, slot.parsed_as, text, slot)


def _understood(turn: Turn, step: Collect | None, text: str, word: str, understand: Understand) -> Meaning:
    """Free words: a flow that is meant for sure, then the free text that is asked for, then a guess, then nothing."""
    limits = turn.project.limits
    allowed = step is None or not (step.force or "digress" in step.refuse)
    found = understand(text, lambda slot, part: read(turn, slot.parsed_as, part, slot)) if allowed else NOTHING
    alarm = _alarm(turn, word)
    if alarm is not None and not (found.intents and found.intents[0][1] >= 1.0):
        return alarm
    flows: dict[str, tuple[float, float]] = {}
    for intent, confidence in found.intents:
        for flow_id, threshold in turn.project.intents.get(intent, ()):
            if stack.startable(turn, turn.project.flows[flow_id]) and confidence > flows.get(flow_id, (0.0,))[0]:
                flows[flow_id] = (confidence, threshold if threshold is not None else limits.high)
    if len(flows) > 1:
        flows.pop(turn.project.start_flow, None)  # a greeting before what is wanted
    ranked = sorted(flows.items(), key=lambda item: (-item[1][0], item[0]))
    free = step is not None and step.type == "text" and step.options_from is None and not (turn.prompt or {}).get("opts")
    if ranked:
        flow_id, (confidence, high) = ranked[0]
        certain = confidence >= (max(high, _FREE_TEXT_CERTAIN) if free else high)
        alone = len(ranked) == 1 or confidence - ranked[1][1][0] > _CLOSE or ranked[1][1][0] < high
        if certain and free and len(word.split()) > _FREE_TEXT_WORDS_MAX:
            certain = False
        if certain and alone:
            return Begin(flow_id, _startable_slots(turn, found.entities or {}))
    if free:
        value = _expected(turn, step, text, exact=False)
        if value is not None:
            return Give(value)
    near = [flow_id for flow_id, (confidence, _) in ranked if confidence >= limits.low and ranked[0][1][0] - confidence <= _CLOSE]
    if near and not free:
        return Clarify(tuple(near[:_CANDIDATES_MAX]))
    return Unclear()


def _alarm(turn: Turn, text: str) -> Alarm | None:
    """Find a phrase that calls for a person among the words of a normalised text."""
    known = turn.project.words.alarm
    words = words_of(text)
    for place, word in enumerate(words):
        for phrase, reason in known.get(word, ()):
            if words[place : place + len(phrase)] == phrase:
                return Alarm(reason)
    return None


def _startable_slots(turn: Turn, entities: Mapping[str, Any]) -> dict[str, Any]:
    """Return the slots that entities fill; codes are never taken from a sentence."""
    slots = turn.project.slots
    found = {}
    for name, value in entities.items():
        slot = slots.get(name) or next((slot for slot in slots.values() if slot.entity == name), None)
        if slot is not None and slot.parsed_as not in _NEVER_FROM_START and not slot.sensitive:
            found[slot.name] = value
    return found
