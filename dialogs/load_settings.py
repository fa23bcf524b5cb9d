"""Compiles `gateway.yml`, the words with a fixed meaning, and the examples of what people say.

The words of the package are the base; a project adds to them and cannot take a consent word away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dialogs.model import Example, Limits
from dialogs.normal import normal, words_of
from dialogs.source import Map, Problems, Seq
from dialogs.words import Words

SETTINGS_KEYS = {
    "start_flow", "auth_flow", "languages", "language_slot", "remember", "timezone", "channels", "flows", "slots", "words", "limits",
    "thresholds", "hours", "queues",
}  # fmt: skip
FLOW_SETTINGS = {"channels", "auth", "risk", "resume", "ttl", "steps", "queue", "hours"}
_WORD_KEYS = {
    "alarm",
    "consent",
    "navigation",
    "keys",
    "languages",
    "language_names",
    "yes",
    "no",
    "change",
    "numbers",
    "multiplied_after",
    "days",
    "weekdays",
}
_NAVIGATION = ("back", "menu", "repeat", "help", "agent", "language", "skip", "cancel", "restart", "more")
_ALARMS = ("risk", "abuse")
_ENTITY = re.compile(r"\[([^\]]+)\](?:\(([\w.-]+)\)|\{([^}]*)\})")
_ENTITY_NAME = re.compile(r"\"entity\"\s*:\s*\"([\w.-]+)\"")
_ENTITY_VALUE = re.compile(r"\"value\"\s*:\s*\"([^\"]*)\"")


def load_limits(settings: Map, problems: Problems) -> Limits:
    """Read `limits` and `thresholds`."""
    names = {field.name for field in fields(Limits)}
    found: dict[str, Any] = {}
    for key, allowed in (("limits", names - {"high", "low"}), ("thresholds", {"high", "low"})):
        node = problems.mapping(settings, key, "gateway.yml")
        problems.unknown(node, allowed, key)
        for name in node:
            value = problems.value(node, name, (int, float), key)
            if value is not None:
                found[name] = value
    return Limits(**{name: value for name, value in found.items() if name in names})


def load_zone(settings: Map, problems: Problems) -> ZoneInfo:
    """Return the time zone in which a person's "tomorrow" is meant."""
    name = problems.value(settings, "timezone", (str,), "gateway.yml", "UTC")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        problems.add(settings, f"'{name}' is no time zone", "timezone")
        return ZoneInfo("UTC")


def load_words(nodes: Iterable[Map], languages: Iterable[str], problems: Problems) -> Words:
    """Merge the word files in order into one table."""
    lists: dict[str, set[str]] = {}
    alarm: dict[tuple[str, ...], str] = {}
    pairs: dict[str, dict[str, Any]] = {}
    keys: dict[str, dict[str, str]] = {}
    names: dict[str, str] = {}
    for node in nodes:
        problems.unknown(node, _WORD_KEYS, "words")
        consent = problems.mapping(node, "consent", "words")
        problems.unknown(consent, {"stop", "stop_sms", "start", "start_if_out"}, "consent")
        for name in ("stop", "stop_sms", "start", "start_if_out"):
            lists.setdefault(name, set()).update(_words(consent, name, problems))
        calls = problems.mapping(node, "alarm", "words")
        problems.unknown(calls, _ALARMS, "alarm")
        for name in _ALARMS:
            alarm.update({words_of(phrase): f"words:{name}" for phrase in _words(calls, name, problems)})
        for name in ("yes", "no", "change", "multiplied_after"):
            lists.setdefault(name, set()).update(_words(node, name, problems))
        for name, table in (("navigation", _NAVIGATION), ("languages", tuple(languages))):
            group = problems.mapping(node, name, "words")
            if name == "navigation":
                problems.unknown(group, table, "navigation")
            target = pairs.setdefault(name, {})
            for meaning in group:
                if meaning in table:
                    target.update(dict.fromkeys(_words(group, meaning, problems), meaning))
        names.update({code: str(name) for code, name in problems.mapping(node, "language_names", "words").items()})
        for name in ("numbers", "days", "weekdays"):
            pairs.setdefault(name, {}).update({normal(word): number for word, number in problems.mapping(node, name, "words").items()})
        for family, table in problems.mapping(node, "keys", "words").items():
            keys.setdefault(family, {}).update({str(key): str(value) for key, value in table.items()})
    stop = frozenset(lists["stop"])
    short = stop | lists["stop_sms"]
    return Words(
        stop={"": stop, "sms": short, "whatsapp": short},
        start=frozenset(lists["start"]),
        start_if_out=frozenset(lists["start_if_out"]),
        navigation=pairs["navigation"],
        keys={family: keys.get("", {}) | table for family, table in keys.items()},
        alarm=_by_first(alarm),
        languages=pairs["languages"],
        language_names=names,
        yes=frozenset(lists["yes"]),
        no=frozenset(lists["no"]),
        change=tuple(sorted(lists["change"], key=lambda word: (-len(word), word))),
        numbers=pairs["numbers"],
        multiplied_after=frozenset(lists["multiplied_after"]),
        days=pairs["days"],
        weekdays=pairs["weekdays"],
    )


def _by_first(phrases: Mapping[tuple[str, ...], str]) -> dict[str, tuple[tuple[tuple[str, ...], str], ...]]:
    found: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = {}
    for phrase, reason in phrases.items():
        if phrase:
            found[phrase[0]] = (*found.get(phrase[0], ()), (phrase, reason))
    return found


def _words(node: Map, key: str, problems: Problems) -> list[str]:
    return [normal(str(word)) for word in problems.sequence(node, key, "words")]


def load_examples(nodes: Iterable[Seq], problems: Problems) -> tuple[tuple[Example, ...], dict[str, str]]:
    """Compile `nlu:` lists to examples by intent, and synonyms to a table of normalised words."""
    examples: dict[Example, None] = {}
    synonyms: dict[str, str] = {}
    for node in nodes:
        for place, item in enumerate(node):
            line = node.item_lines[place]
            if not isinstance(item, Map):
                problems.at(node.file, line, "an entry under nlu must be a mapping")
            elif "intent" in item:
                for text in _lines(item, problems):
                    examples[_example(str(item["intent"]), text)] = None
            elif "synonym" in item:
                synonyms.update({normal(text): str(item["synonym"]) for text in _lines(item, problems)})
            elif not {"regex", "lookup"} & set(item):
                problems.at(node.file, line, "an entry under nlu is an intent, a synonym, a regex or a lookup")
    return tuple(examples), synonyms


def _lines(item: Map, problems: Problems) -> list[str]:
    text = problems.value(item, "examples", (str,), "nlu", "")
    return [line.strip()[1:].strip() for line in text.splitlines() if line.strip().startswith("-")]


def _example(intent: str, text: str) -> Example:
    entities: list[tuple[str, str]] = []

    def mark(match: re.Match[str]) -> str:
        value, name, details = match.groups()
        if details is not None:
            found = _ENTITY_NAME.search(details)
            name = found.group(1) if found else "value"
            replaced = _ENTITY_VALUE.search(details)
            value = replaced.group(1) if replaced else value
        entities.append((name, value))
        return f" \x00{name} "

    words = [word for part in _ENTITY.sub(mark, text).split() for word in ([part] if part[0] == "\x00" else words_of(normal(part)))]
    return Example(intent, tuple(f"{{{word[1:]}}}" if word[0] == "\x00" else word for word in words), tuple(entities))


def known_families(settings: Map, problems: Problems) -> Mapping[str, str]:
    """Return the project's own names of channels with the family each stands for."""
    return {name: str(family) for name, family in problems.mapping(settings, "channels", "gateway.yml").items()}
