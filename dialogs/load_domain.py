"""Compiles slots and responses of a domain: types, first values, variations by channel and language, buttons and their payloads.

It must not choose among variations at random: the order is fixed when a project is loaded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.model.capabilities import Family
from core.model.inbound import Media
from dialogs.buttons import filled, is_fixed
from dialogs.conditions import Condition
from dialogs.model import Button, Candidate, PayloadKind, Response, Slot, Variation
from dialogs.source import Map, Problems
from dialogs.templates import Template, TemplateWrong, compile_template

_SLOT_TYPES = {"text": "text", "bool": "yesno", "float": "number", "categorical": "choice", "list": "text", "any": "text"}
_SLOT_KEYS = {
    "type", "initial_value", "values", "min_value", "max_value", "mappings", "validation", "shared_for_coexistence",
    "influence_conversation", "metadata",
}  # fmt: skip
_RESPONSE_KEYS = {
    "text", "id", "channel", "condition", "buttons", "image", "attachment", "custom", "elements", "metadata", "translation",
    "allow_interruptions",
}  # fmt: skip
_SET_SLOTS = re.compile(r"/SetSlots\((.*)\)\Z", re.DOTALL)
_INTENT = re.compile(r"/([\w.-]+)(\{.*\})?\Z", re.DOTALL)
_ALIASES = {"twilio": "sms", "twilio_voice": "ivr", "voice": "ivr", "socketio": "web", "rest": "web", "webchat": "web"}
_SLOTS_PER_BUTTON_MAX = 10


def load_slots(nodes: Iterable[Map], flows: Iterable[Map], settings: Map, problems: Problems) -> dict[str, Slot]:
    """Compile every `slots:` mapping; later ones replace earlier ones by name. `settings` is `gateway.yml`'s `slots`.

    A slot is parsed as, and is as secret as, the steps in `flows` that collect it say.
    """
    asked: dict[str, dict[str, Any]] = {}
    for step in _collects(list(flows)):
        metadata = step.get("metadata")
        gateway = metadata.get("gateway") if isinstance(metadata, Map) else None
        if isinstance(gateway, Map):
            asked.setdefault(str(step["collect"]), {}).update({key: gateway[key] for key in ("type", "sensitive") if key in gateway})
    found: dict[str, Slot] = {}
    for node in nodes:
        for name in node:
            own = problems.mapping(settings, name, "slots")
            found[name] = _slot(name, problems.mapping(node, name, "slots"), own, asked.get(name, {}) | own, problems)
    for name in settings:
        if name not in found:
            problems.add(settings, f"there is no slot '{name}'", name)
    return found


def _collects(node: Any) -> Iterable[Map]:
    """Yield every collect step in `node`, however deeply nested."""
    if isinstance(node, Map) and "collect" in node:
        yield node
    for value in node.values() if isinstance(node, Map) else node if isinstance(node, list) else ():
        yield from _collects(value)


def _slot(name: str, node: Map, own: Map, settings: Mapping[str, Any], problems: Problems) -> Slot:
    problems.unknown(node, _SLOT_KEYS, f"slot '{name}'")
    problems.unknown(own, {"type", "label", "sensitive", "proof"}, f"slot '{name}'")
    kind = node.get("type", "text")
    if kind not in _SLOT_TYPES:
        problems.add(node, f"slot '{name}': type '{kind}' is not one of {', '.join(_SLOT_TYPES)}", "type")
        kind = "any"
    mappings = [item for item in problems.sequence(node, "mappings", "slot") if isinstance(item, Map)]
    entity = next((str(item["entity"]) for item in mappings if item.get("type") == "from_entity" and "entity" in item), None)
    labels = settings.get("label")
    return Slot(
        name=name,
        type=str(kind),
        parsed_as=str(settings.get("type", _SLOT_TYPES[kind])),
        initial=node.get("initial_value"),
        values=tuple(str(value) for value in problems.sequence(node, "values", "slot") if value is not None),
        low=problems.value(node, "min_value", (int, float), "slot"),
        high=problems.value(node, "max_value", (int, float), "slot"),
        mappings=tuple(str(item.get("type", "")) for item in mappings),
        entity=entity,
        sensitive=bool(settings.get("sensitive", problems.mapping(node, "metadata", "slot").get("sensitive", False))),
        proof=problems.value(own, "proof", (bool,), f"slot '{name}'", default=False),
        labels=dict(labels) if isinstance(labels, Map) else {"": str(labels or name.replace("_", " "))},
        line=node.line,
        file=node.file,
    )


class ResponseCompiler:
    """Compiles responses for `languages`, the first of which is the one that texts without translation are in."""

    def __init__(self, slots: Mapping[str, Slot], languages: Sequence[str], channels: Mapping[str, str], problems: Problems) -> None:
        self.shapes = {name: (slot.initial, slot.parsed_as == "amount") for name, slot in slots.items()}
        self.slots = slots
        self.languages = languages
        self.channels = _ALIASES | {str(family): str(family) for family in Family} | dict(channels)
        self.problems = problems

    def load(self, nodes: Iterable[Map]) -> dict[str, Response]:
        """Compile every `responses:` mapping; later ones replace earlier ones by name."""
        found: dict[str, Response] = {}
        for node in nodes:
            for name in node:
                variations = self.problems.sequence(node, name, "responses")
                found[name] = self._response(name, [item for item in variations if isinstance(item, Map)], node)
        return found

    def _response(self, name: str, nodes: list[Map], owner: Map) -> Response:
        if not nodes:
            self.problems.add(owner, f"response '{name}' needs a list of variations", name)
        rows: list[tuple[str | None, bool, bool, Mapping[str, Candidate]]] = []
        written = []
        for node in nodes:
            self.problems.unknown(node, _RESPONSE_KEYS, f"response '{name}'")
            channel = self._channel(node)
            when = self._conditions(node)
            texts = self._texts(node)
            buttons = self._buttons(node)
            media = tuple(Media(kind, str(node[kind]) if kind in node else "") for kind in ("image", "attachment") if node.get(kind))
            candidates = {
                language: Candidate(
                    when,
                    texts.get(language) or texts[self.languages[0]],
                    tuple(button.get(language) or button[""] for button in buttons),
                    media,
                    self._sensitive(texts[""]),
                )
                for language in self.languages
            }
            rows.append((channel, when is not None, False, candidates))
            written.append(Variation(channel, texts, len(buttons), node.line, when is not None))
        return Response(name, self._order(rows, written), tuple(written), owner.file, owner.at(name))

    def _order(
        self, rows: list[tuple[str | None, bool, bool, Mapping[str, Candidate]]], written: list[Variation]
    ) -> dict[tuple[str, str], tuple[Candidate, ...]]:
        """Rank channel with condition, channel, condition, neither; among equals a text in the language itself, then the declared order."""
        found: dict[tuple[str, str], tuple[Candidate, ...]] = {}
        families = {row[0] for row in rows if row[0] is not None}
        for family in ["", *sorted(families)]:
            usable = [place for place, row in enumerate(rows) if row[0] is None or row[0] == family]
            for language in self.languages:
                ranked = sorted(
                    usable,
                    key=lambda place: (
                        rows[place][0] is None,
                        not rows[place][1],
                        language not in written[place].texts and language != self.languages[0],
                        place,
                    ),
                )
                found[family, language] = tuple(rows[place][3][language] for place in ranked)
        return found

    def _channel(self, node: Map) -> str | None:
        channel = node.get("channel")
        if channel is None:
            return None
        if channel not in self.channels:
            self.problems.add(node, f"channel '{channel}' is not known; name it under 'channels' in gateway.yml", "channel")
            return None
        return self.channels[channel]

    def _conditions(self, node: Map) -> Condition | None:
        """Compile a list of `type: slot, name, value`: all must hold."""
        tests: list[tuple[str, Any, Any]] = []
        for item in self.problems.sequence(node, "condition", "response"):
            if not isinstance(item, Map) or item.get("type") != "slot" or item.get("name") not in self.slots:
                self.problems.add(node, "a condition has 'type: slot', the 'name' of a slot, and a 'value'", "condition")
                continue
            name = str(item["name"])
            tests.append((name, self.slots[name].initial, item.get("value")))
        if not tests:
            return None

        def test(slots: Mapping[str, Any], _context: Mapping[str, Any]) -> bool:
            return all(slots.get(name, initial) == value for name, initial, value in tests)

        return Condition(test, "; ".join(f"{name} = {value}" for name, _, value in tests), tuple(f"slots.{name}" for name, _, _ in tests))

    def _texts(self, node: Map) -> dict[str, Template]:
        metadata = self.problems.mapping(node, "metadata", "response")
        jinja = metadata.get("template") == "jinja"
        texts = {"": self._template(node.get("text") or "", node, jinja=jinja)}
        for language, text in self.problems.mapping(node, "translation", "response").items():
            if language not in self.languages:
                if node.file.startswith("patterns/"):  # ours come in more languages than a project may have
                    continue
                self.problems.add(node, f"language '{language}' is not one of the project's: {', '.join(self.languages)}", "translation")
            texts[language] = self._template(text or "", node, jinja=jinja)
        texts.setdefault(self.languages[0], texts[""])
        return texts

    def _template(self, text: Any, node: Map, *, jinja: bool = False) -> Template:
        try:
            return compile_template(str(text), self.shapes, jinja=jinja)
        except TemplateWrong as error:
            self.problems.add(node, str(error), "text")
            return Template("")

    def _sensitive(self, text: Template) -> bool:
        return any(part.name in self.slots and self.slots[part.name].sensitive for part in text.variables)

    def _buttons(self, node: Map) -> list[dict[str, Button]]:
        found = []
        for item in self.problems.sequence(node, "buttons", "response"):
            if not isinstance(item, Map) or "title" not in item:
                self.problems.add(node, "a button has a 'title' and a 'payload'", "buttons")
                continue
            self.problems.unknown(item, {"title", "payload", "translation", "type"}, "a button")
            kind, text, values = self._payload(str(item.get("payload", item["title"])), item)
            titles = {"": item["title"]}
            for language, value in self.problems.mapping(item, "translation", "button").items():
                titles[language] = value.get("title", "") if isinstance(value, Map) else value
            found.append({lang: self._button(self._template(title, item), kind, text, values) for lang, title in titles.items()})
        return found

    def _button(self, title: Template, kind: PayloadKind, text: Template, values: tuple[tuple[str, Template], ...]) -> Button:
        button = Button(title, kind, text, values)
        return replace(button, fixed=filled(button, self.slots, {}, {})) if is_fixed(button) else button

    def _payload(self, payload: str, node: Map) -> tuple[Any, Template, tuple[tuple[str, Template], ...]]:
        empty = Template("")
        if (match := _SET_SLOTS.match(payload)) is not None:
            pairs = [pair.partition("=") for pair in match.group(1).split(",") if pair.strip()]
            if len(pairs) > _SLOTS_PER_BUTTON_MAX:
                self.problems.add(node, f"a button sets at most {_SLOTS_PER_BUTTON_MAX} slots", "payload")
            for name, _, _ in pairs:
                if name.strip() not in self.slots:
                    self.problems.add(node, f"there is no slot '{name.strip()}'", "payload")
            values = tuple((name.strip(), self._template(value.strip().strip("\"'"), node)) for name, _, value in pairs)
            return "set", empty, values
        if (match := _INTENT.match(payload)) is not None:
            return "intent", self._template(match.group(1), node), self._entities(match.group(2), node)
        return "text", self._template(payload, node), ()

    def _entities(self, text: str | None, node: Map) -> tuple[tuple[str, Template], ...]:
        try:
            values = json.loads(text) if text else {}
        except ValueError:
            self.problems.add(node, "the entities of a payload must be JSON", "payload")
            return ()
        return tuple((str(name), self._template(str(value), node)) for name, value in values.items())
