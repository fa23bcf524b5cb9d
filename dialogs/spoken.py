"""Makes what is said on the phone: one text for the ear, each option with its key, and how the call waits for the answer.

There are at most five options before "for more"; the digits begin anew on each page, since a keypad has few keys.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal
from unicodedata import category

from core.model.capabilities import Family
from core.model.dialog import InLine
from core.model.outbound import Listen, Reply
from core.text.split import split
from dialogs.model import KEYS_MORE_LESS, Collect
from dialogs.pages import keep_pages
from dialogs.templates import Template
from dialogs.turn import Option, Turn

OPTIONS_MAX = 5
LABEL_MAX_CHARS = 80
_TIMEOUT_S = 7.0
_RECORD_S = 120
_SILENCE_ENDS_S = 5.0  # a spoken message
_TRIES_BY_VOICE = 2
_BY_KEYS = frozenset({"amount", "number", "integer", "msisdn", "pin", "otp", "digits", "luhn", "iccid", "yesno"})
_SECRET = frozenset({"pin", "otp"})

_SENTENCE_ENDS = (".", "!", "?", ":", ";", ",", "…")
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?]) ")
_PLAIN = re.compile(r"[A-Za-z0-9 .,:;!?'%&+-]*[.!?:;,]")
_PAUSE = re.compile(r" [-–—|/] |(?<!\d)/(?!\d)|\s*\((?=.)|\)(?=\s*\w)")
_SILENT = re.compile(r"[*#_~^|\\<>\[\]{}()•·→«»“”\"]")
_GAPS = re.compile(r"\s+(?=[,.\s])|(?<=,),+")
_UNSPOKEN_CATEGORIES = frozenset({"So", "Sk", "Cs", "Co", "Cn", "Cc", "Cf"})


def for_the_ear(text: str) -> str:
    """Return `text` as one line without signs that a voice would spell out; digits, money, dates and phone numbers stay as they are."""
    if _PLAIN.fullmatch(text) and " - " not in text and "  " not in text:
        return text.strip(" ,")
    lines = [line.strip() for line in text.split("\n")]
    text = " ".join(line if line.endswith(_SENTENCE_ENDS) else f"{line}." for line in lines if line)
    if not text.isascii():
        text = "".join(" " if category(character) in _UNSPOKEN_CATEGORIES else character for character in text)
    text = _SILENT.sub(" ", _PAUSE.sub(", ", text))
    return _GAPS.sub("", text).strip(" ,")


def spoken_reply(turn: Turn, options: Sequence[Option]) -> Reply:
    """Return all that is said in this turn as one reply, and remember in the state what follows it."""
    sensitive = any(item.sensitive for item in turn.said)
    goodbye = turn.text("utter_goodbye") if turn.ends else ""
    texts = [item.text for item in turn.said if item.text != goodbye]
    text = for_the_ear("\n".join(filter(None, (*texts, goodbye))))
    menus, parts = _menus(turn, [] if turn.ends else options)
    text = text or ("" if menus[0] else turn.text("utter_not_available"))
    more = turn.text("utter_press_more", {"key": KEYS_MORE_LESS[Family.VOICE][0]})
    room = turn.context.capabilities.text_max_chars - max(map(len, menus)) - len(more) - 2
    pieces = _pieces(text, room) if len(text) > room else [text]
    pages = [*pieces[:-1], " ".join(filter(None, (pieces[-1], menus[0]))), *menus[1:]]
    shown = pages[0]
    if len(pages) > 1:
        shown = f"{shown} {more}"
        if len(pieces) == 1:  # whoever comes back to it hears the question alone
            asked = for_the_ear("\n".join(item.text for item in turn.said if item.asks))
            pages[0] = f"{asked} {menus[0]}".strip()
        keep_pages(turn, [*(f"{page} {more}" for page in pages[:-1]), pages[-1]], [[0, 0]] * (len(pieces) - 1) + parts, sensitive=sensitive)
    return Reply(shown, ends_session=turn.ends, language=turn.language, sensitive=sensitive, listen=listening(turn), transfer=turn.transfer)


def _pieces(text: str, room: int) -> list[str]:
    """Return `text` in pieces of at most `room` characters, cut between sentences where that is possible."""
    pieces = [""]
    for sentence in _BETWEEN_SENTENCES.split(text):
        for part in map(str.strip, split(sentence, room)):
            joined = f"{pieces[-1]} {part}".strip()
            if len(joined) <= room:
                pieces[-1] = joined
            else:
                pieces.append(part)
    return pieces


def _menus(turn: Turn, options: Sequence[Option]) -> tuple[list[str], list[list[int]]]:
    """Return the options in sentences, a page each, and the places of the options on each page."""
    found = turn.candidate("utter_press", {"label": "", "key": ""}) if options else None
    if found is None:
        return [""], [[0, 0]]
    parts = [[first, min(first + OPTIONS_MAX, len(options))] for first in range(0, len(options), OPTIONS_MAX)]
    return [_menu(found[0].text, tuple(option[0] for option in options[first:last])) for first, last in parts], parts


@lru_cache(maxsize=1024)
def _menu(sentence: Template, labels: tuple[str, ...]) -> str:
    """Fill `sentence` for each label; kept for the next time, since menus are few."""
    filled = (sentence.fill({}, {"label": _label(label), "key": str(key)}) for key, label in enumerate(labels, 1))
    return " ".join(text for text in filled if text)


def _label(label: str) -> str:
    spoken = for_the_ear(label).rstrip(" .:;,!?") or label
    return spoken if len(spoken) <= LABEL_MAX_CHARS else split(spoken, LABEL_MAX_CHARS)[0]


def asked_to_wait(turn: Turn, *, again: bool) -> Reply:
    """Return what a caller hears while a result takes its time."""
    text = turn.text("utter_still_working" if again else "utter_one_moment")
    return Reply(for_the_ear(text), language=turn.language, holds=True)


def in_line(turn: Turn, where: InLine) -> Reply:
    """Return what a caller hears who waits in a line for people, or whom one of them takes."""
    name = "utter_taking_caller" if where.fetched else "utter_in_line"
    text = turn.text(name, {} if where.place is None else {"place": str(where.place)})
    return Reply(for_the_ear(text), language=turn.language)


def listening(turn: Turn) -> Listen | None:
    """Return how the call waits for an answer, None where there is no call or it ends."""
    if turn.family != Family.VOICE or turn.ends:
        return None
    step = turn.collect_step()
    if step is None:
        return Listen(_TIMEOUT_S)
    if step.type == "recording":
        return Listen(_SILENCE_ENDS_S, record_s=_RECORD_S)
    secret = step.sensitive or step.type in _SECRET
    timeout_s = step.timeout_s.get(Family.VOICE, step.timeout_s.get("")) or _TIMEOUT_S
    digits = step.digits[1] if step.digits else 1 if _has_options(turn) else None  # one key chooses, without waiting for another
    return Listen(timeout_s, digits, secret or keys_wanted(turn, step) is not None)


def _has_options(turn: Turn) -> bool:
    return turn.prompt is not None and bool(turn.prompt.get("opts"))


def keys_wanted(turn: Turn, step: Collect) -> Literal["one", "many"] | None:
    """Return how `step`, the open one, is answered once it failed so often that only keys count: one for an option, many for a value."""
    if turn.family != Family.VOICE or turn.tries(turn.frame) < _TRIES_BY_VOICE:
        return None
    return "one" if _has_options(turn) else "many" if step.type in _BY_KEYS else None
