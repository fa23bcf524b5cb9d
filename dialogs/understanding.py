"""Understands free words by the examples of a project: an exact example is certain, otherwise shared words are weighed by rarity.

Deterministic and without training. A classifier can take its place: anything that returns an `Understanding` may.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import log
from typing import Any

from dialogs.model import Project, Slot
from dialogs.normal import TEXT_MAX_CHARS, normal, words_of

_WORDS_MAX = 40
_UNKNOWN_WEIGHT = 0.6
_SENTENCE = re.compile(r"[.!?]+(?=\s|$)|[\n。！？؟।]+")
_SENTENCES_MAX = 8
_VALUE_WEIGHT = 0.1  # a number alone says nothing of what it is for


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a text may mean: intents with confidence from 0 to 1, best first, and the values found in it by entity."""

    intents: tuple[tuple[str, float], ...] = ()
    entities: Mapping[str, Any] | None = None


NOTHING = Understanding()
Read = Callable[[Slot, str], Any]
"""Reads the value of a typed slot from a word, None if it is none."""
Understand = Callable[[str, Read], Understanding]


class KeywordUnderstanding:
    """The examples of a project, indexed once by their words."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._examples = [example for example in project.examples if example.words]
        self._exact: dict[tuple[str, ...], dict[str, None]] = {}
        self._by_word: dict[str, list[int]] = {}
        for number, example in enumerate(self._examples):
            self._exact.setdefault(example.words, {})[example.intent] = None
            for word in dict.fromkeys(example.words):
                self._by_word.setdefault(word, []).append(number)
        count = len(self._examples) + 1
        self._weights = {word: log(count / len(places)) + 0.1 for word, places in self._by_word.items()}
        self._largest = log(count) + 0.1
        self._totals = [sum(self._weight(word) for word in dict.fromkeys(example.words)) for example in self._examples]
        self._entities = {name for example in self._examples for name, _ in example.entities}
        self._values = self._known_values()

    def _known_values(self) -> dict[str, dict[str, str]]:
        """Return, for entities that have no typed slot, the values that examples and synonyms name."""
        known: dict[str, dict[str, str]] = {}
        for example in self._examples:
            for name, value in example.entities:
                known.setdefault(name, {})[normal(value)] = self._project.synonyms.get(normal(value), value)
        return known

    def __call__(self, text: str, read: Read) -> Understanding:
        """Return what `text` may mean. Of several sentences one may say it, with politeness around it."""
        text = text[:TEXT_MAX_CHARS]
        whole = self._sentence(text, read)
        sentences = [part for part in _SENTENCE.split(text) if words_of(normal(part))][:_SENTENCES_MAX]
        if len(sentences) < 2 or (whole.intents and whole.intents[0][1] >= 1.0):
            return whole
        return _merged([whole, *(self._sentence(sentence, read) for sentence in sentences)])

    def _sentence(self, text: str, read: Read) -> Understanding:
        words = words_of(normal(text))[:_WORDS_MAX]
        if not words:
            return NOTHING
        if words in self._exact:
            return Understanding(tuple((intent, 1.0) for intent in self._exact[words]))
        entities: dict[str, Any] = {}
        marked: list[str] = []
        for word in words:
            name = self._entity(word, entities, read) if word not in self._by_word else None
            marked.append(f"{{{name}}}" if name else word)
        if entities and (exact := self._exact.get(tuple(marked))):
            return Understanding(tuple((intent, 1.0) for intent in exact), entities)
        return Understanding(self._ranked(tuple(dict.fromkeys(marked))), entities)

    def _entity(self, word: str, found: dict[str, Any], read: Read) -> str | None:
        for name in sorted(self._entities - found.keys()):
            slot = self._slot(name)
            if slot is not None and slot.parsed_as not in {"text", "choice", "yesno", "pin", "otp"}:
                value = read(slot, word)
            else:
                value = self._values.get(name, {}).get(word)
            if value is not None:
                found[name] = value
                return name
        return None

    def _slot(self, entity: str) -> Slot | None:
        slots = self._project.slots
        return slots.get(entity) or next((slot for slot in slots.values() if slot.entity == entity), None)

    def _weight(self, word: str) -> float:
        return _VALUE_WEIGHT if word[0] == "{" else self._weights.get(word, self._largest * _UNKNOWN_WEIGHT)

    def _ranked(self, words: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
        """Weigh every example that shares a word: twice the shared weight over the weight of both."""
        shared: dict[int, float] = {}
        total = 0.0
        for word in words:
            weight = self._weight(word)
            total += weight
            for number in self._by_word.get(word, ()):
                shared[number] = shared.get(number, 0.0) + weight
        best: dict[str, float] = {}
        for number, weight in shared.items():
            if weight <= _VALUE_WEIGHT:
                continue
            intent = self._examples[number].intent
            score = min(0.99, 2 * weight / (total + self._totals[number]))
            best[intent] = max(best.get(intent, 0.0), score)
        return _best_first(best)


def _merged(found: Iterable[Understanding]) -> Understanding:
    best: dict[str, float] = {}
    entities: dict[str, Any] = {}
    for understanding in found:
        for intent, confidence in understanding.intents:
            best[intent] = max(best.get(intent, 0.0), confidence)
        entities = dict(understanding.entities or {}) | entities
    return Understanding(_best_first(best), entities)


def _best_first(intents: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(intents.items(), key=lambda item: (-item[1], item[0])))
