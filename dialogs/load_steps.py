"""Compiles the steps of one flow: nested lists become one flat tuple, names of steps become indices, conditions become closures.

It reports what it cannot compile and goes on; whether a flow makes sense is the linter's question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from dialogs.conditions import Condition, ConditionWrong, compile_condition
from dialogs.model import END, Action, Branch, Call, Collect, Link, Next, Noop, Rejection, SetSlots, Slot, Step
from dialogs.source import Map, Problems, Seq
from dialogs.templates import TemplateWrong, compile_template

KINDS = ("action", "collect", "set_slots", "link", "call", "noop")
_COMMON = {"id", "next", "metadata"}
_KEYS = {
    "action": {"action"},
    "collect": {
        "collect",
        "description",
        "utter",
        "ask_before_filling",
        "rejections",
        "force_slot_filling",
        "silence_timeout",
        "dtmf",
        "reset_after_flow_ends",
    },
    "set_slots": {"set_slots"},
    "link": {"link"},
    "call": {"call"},
    "noop": {"noop"},
}
ACTION_METADATA = {"timeout", "retries", "idempotent", "slow", "on_error"}
COLLECT_METADATA = {
    "type", "optional", "max_attempts", "max_noinput", "on_fail", "timeout", "on_timeout", "confirm", "sensitive", "allow", "options_from",
    "retry_utter", "reask", "length",
}  # fmt: skip
TYPES = (
    "amount", "number", "integer", "msisdn", "date", "time", "pin", "otp", "digits", "yesno", "text", "email", "iccid", "luhn", "choice",
    "recording",
)  # fmt: skip
ALLOW = ("cancel", "agent", "back", "help", "digress")


@dataclass(slots=True)
class _Entry:
    node: Map
    kind: str
    id: str
    after: int = END
    loose: bool = False
    inline: dict[int, int] = field(default_factory=dict)  # id() of a nested list -> index of its first step


class StepCompiler:
    """Compiles one flow's steps; `extras` are the settings that `gateway.yml` keeps under step ids."""

    def __init__(self, flow_id: str, slots: Mapping[str, Slot], extras: Map, problems: Problems) -> None:
        self.flow_id = flow_id
        self.slots = slots
        self.shapes = {name: (slot.type, slot.initial) for name, slot in slots.items()}
        self.money = {name: (slot.initial, slot.parsed_as == "amount") for name, slot in slots.items()}
        self.extras = extras
        self.problems = problems
        self.entries: list[_Entry] = []
        self.index: dict[str, int] = {}

    def compile(self, steps: Seq) -> tuple[Step, ...]:
        """Return the flat steps; `index` has the place of each id afterwards."""
        self._flatten(steps, nested=False)
        for step_id in self.extras:
            if step_id not in self.index:
                self.problems.add(self.extras, f"flow '{self.flow_id}' has no step '{step_id}'", step_id)
        return tuple(self._step(entry) for entry in self.entries)

    def condition(self, source: Any, node: Map, key: str) -> Condition | None:
        """Compile a condition; None with the mistake noted if it is none."""
        try:
            return compile_condition(str(source).lower() if isinstance(source, bool) else str(source), self.shapes)
        except ConditionWrong as error:
            self.problems.add(node, f"condition '{source}': {error}", key)
            return None

    def rejections(self, node: Map) -> tuple[Rejection, ...]:
        """Compile the list under `rejections`."""
        found = []
        for item in self.problems.sequence(node, "rejections", "collect"):
            if not isinstance(item, Map) or set(item) != {"if", "utter"}:
                self.problems.add(node, "a rejection has the keys 'if' and 'utter'", "rejections")
            elif (when := self.condition(item["if"], item, "if")) is not None:
                found.append(Rejection(when, str(item["utter"])))
        return tuple(found)

    def _flatten(self, steps: Seq, *, nested: bool) -> int:
        first = len(self.entries)
        own: list[tuple[int, _Entry]] = []
        for place, node in enumerate(steps):
            if not isinstance(node, Map):
                self.problems.at(steps.file, steps.item_lines[place], "a step must be a mapping")
                continue
            kinds = [kind for kind in KINDS if kind in node]
            if len(kinds) != 1:
                self.problems.add(node, f"a step has exactly one of {', '.join(KINDS)}")
                continue
            number = len(self.entries)
            named = node[kinds[0]] if kinds[0] in {"action", "collect", "link", "call"} else ""
            entry = _Entry(node, kinds[0], str(node.get("id") or f"{number}_{kinds[0]}_{named}".rstrip("_")))
            self.problems.unknown(node, _KEYS[entry.kind] | _COMMON, f"step kind '{entry.kind}'")
            if entry.id in self.index:
                self.problems.add(node, f"two steps have the id '{entry.id}'", "id")
            self.index[entry.id] = number
            self.entries.append(entry)
            own.append((number, entry))
            self._flatten_next(entry)
        for (_, entry), (number, _) in pairwise(own):
            entry.after = number
        if own and nested and "next" not in own[-1][1].node and own[-1][1].kind != "link":
            own[-1][1].loose = True
        return first if own else END

    def _flatten_next(self, entry: _Entry) -> None:
        way = entry.node.get("next")
        if not isinstance(way, Seq):
            return
        if not any(isinstance(item, Map) and ("if" in item or "else" in item) for item in way):
            entry.inline[id(way)] = self._flatten(way, nested=True)
            return
        for item in way:
            for key in ("then", "else"):
                if isinstance(item, Map) and isinstance(item.get(key), Seq):
                    entry.inline[id(item[key])] = self._flatten(item[key], nested=True)

    def _target(self, value: Any, entry: _Entry, node: Map, key: str) -> int:
        if isinstance(value, Seq):
            return entry.inline.get(id(value), END)
        if value == "END":
            return END
        if isinstance(value, str) and value in self.index:
            return self.index[value]
        self.problems.add(node, f"flow '{self.flow_id}' has no step '{value}'", key)
        return END

    def _next(self, entry: _Entry) -> Next:
        way = entry.node.get("next")
        if way is None:
            if entry.kind == "noop":
                self.problems.add(entry.node, "a noop step needs 'next'")
            return entry.after
        if entry.kind == "link":
            self.problems.add(entry.node, "a link step has no 'next'", "next")
            return END
        if not isinstance(way, Seq) or id(way) in entry.inline:
            return self._target(way, entry, entry.node, "next")
        branches: list[Branch] = []
        for place, item in enumerate(way):
            if not isinstance(item, Map) or set(item) not in ({"if", "then"}, {"else"}):
                self.problems.at(way.file, way.item_lines[place], "a branch is 'if' with 'then', or 'else'")
            elif "else" in item:
                branches.append(Branch(None, self._target(item["else"], entry, item, "else")))
            else:
                when = self.condition(item["if"], item, "if")
                branches.append(Branch(when, self._target(item["then"], entry, item, "then")))
        return tuple(branches)

    def _step(self, entry: _Entry) -> Step:
        node = entry.node
        common: dict[str, Any] = {"id": entry.id, "next": self._next(entry), "line": node.line, "loose": entry.loose}
        if entry.kind == "action":
            return Action(**common, name=str(node["action"]), **self._action(entry))
        if entry.kind == "collect":
            return Collect(**common, slot=str(node["collect"]), **self._collect(entry))
        if entry.kind == "set_slots":
            return SetSlots(**common, values=self._values(node))
        if entry.kind == "link":
            return Link(**common, flow=str(node["link"]))
        if entry.kind == "call":
            return Call(**common, flow=str(node["call"]))
        return Noop(**common)

    def _settings(self, entry: _Entry, allowed: set[str]) -> Map:
        """Merge `metadata.gateway` with what `gateway.yml` has for the step; the latter wins."""
        metadata = self.problems.mapping(entry.node, "metadata", "a step")
        found = self.problems.mapping(metadata, "gateway", "metadata")
        extra = self.problems.mapping(self.extras, entry.id, "steps")
        for node in (found, extra):
            self.problems.unknown(node, allowed, "metadata.gateway")
        if not extra:
            return found
        merged = Map(extra.file, extra.line)
        merged.update(found)
        merged.update(extra)
        merged.key_lines.update(extra.key_lines)
        return merged

    def _action(self, entry: _Entry) -> dict[str, Any]:
        settings = self._settings(entry, ACTION_METADATA)
        value = self.problems.value
        found: dict[str, Any] = {
            "timeout_s": float(value(settings, "timeout", (int, float), "timeout", 10.0)),
            "retries": value(settings, "retries", (int,), "retries", 0),
            "idempotent": value(settings, "idempotent", (bool,), "idempotent", default=False),
            "slow": value(settings, "slow", (bool,), "slow", default=False),
        }
        if "on_error" in settings:
            found["on_error"] = self._target(settings["on_error"], entry, settings, "on_error")
        return found

    def _collect(self, entry: _Entry) -> dict[str, Any]:
        node = entry.node
        settings = self._settings(entry, COLLECT_METADATA)
        value = self.problems.value
        slot = self.slots.get(str(node["collect"]))
        kind = value(settings, "type", (str,), "type", slot.parsed_as if slot else "text")
        if kind not in TYPES:
            self.problems.add(settings, f"type '{kind}' is not one of {', '.join(TYPES)}", "type")
        allow = self.problems.mapping(settings, "allow", "metadata.gateway")
        self.problems.unknown(allow, ALLOW, "allow")
        retry = settings.get("retry_utter") or ()
        return {
            "type": kind,
            "utter": value(node, "utter", (str,), "collect"),
            "ask_before_filling": value(node, "ask_before_filling", (bool,), "collect", default=False),
            "force": value(node, "force_slot_filling", (bool,), "collect", default=False),
            "rejections": self.rejections(node),
            "optional": value(settings, "optional", (bool,), "optional", default=False),
            "max_attempts": value(settings, "max_attempts", (int,), "max_attempts", 3),
            "max_noinput": value(settings, "max_noinput", (int,), "max_noinput", 2),
            "on_fail": self._way_out(settings, "on_fail", "handoff"),
            "timeout_s": self._timeouts(settings, node),
            "on_timeout": self._way_out(settings, "on_timeout", "remind_once"),
            "confirm": self._one_of(settings, "confirm", ("never", "low_confidence", "always")),
            "sensitive": bool(settings.get("sensitive", slot.sensitive if slot else False)),
            "refuse": frozenset(key for key, allowed in allow.items() if allowed is False),
            "options_from": value(settings, "options_from", (str,), "options_from"),
            "retry_utter": (retry,) if isinstance(retry, str) else tuple(str(name) for name in retry),
            "reask": value(settings, "reask", (bool,), "reask", default=True),
            "digits": self._digits(settings, node),
        }

    def _one_of(self, settings: Map, key: str, allowed: tuple[str, ...]) -> str:
        found = settings.get(key, allowed[0])
        if found not in allowed:
            self.problems.add(settings, f"'{key}' is one of {', '.join(allowed)}", key)
        return str(found)

    def _way_out(self, settings: Map, key: str, default: str) -> str | int:
        text = str(settings.get(key, default))
        return self.index.get(text, text)

    def _timeouts(self, settings: Map, node: Map) -> dict[str, float]:
        found: dict[str, float] = {}
        for where, key in ((node, "silence_timeout"), (settings, "timeout")):
            value = where.get(key)
            silence = key == "silence_timeout"
            entries = value if isinstance(value, Map) else {"ivr" if silence else "": value} if value is not None else {}
            for family, seconds in entries.items():
                if seconds == "off" or (isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0):
                    found[family] = 0.0 if seconds == "off" else float(seconds)
                else:
                    self.problems.add(where, f"'{key}' must be seconds or off", key)
        return found

    def _digits(self, settings: Map, node: Map) -> tuple[int, int] | None:
        dtmf = self.problems.mapping(node, "dtmf", "collect")
        length = settings.get("length", dtmf.get("length"))
        if length is None:
            return None
        if isinstance(length, int) and not isinstance(length, bool):
            return (length, length)
        if isinstance(length, Seq) and len(length) == 2 and all(isinstance(item, int) for item in length):
            return (length[0], length[1])
        self.problems.add(settings, "'length' must be a whole number or two of them, shortest and longest", "length")
        return None

    def _values(self, node: Map) -> tuple[tuple[str, Any], ...]:
        found: list[tuple[str, Any]] = []
        for item in self.problems.sequence(node, "set_slots", "set_slots"):
            for name, value in item.items() if isinstance(item, Map) else ():
                if not isinstance(value, str) or "{" not in value:
                    found.append((name, list(value) if isinstance(value, Seq) else value))
                    continue
                try:
                    found.append((name, compile_template(value, self.money)))
                except TemplateWrong as error:
                    self.problems.add(item, str(error), name)
        return tuple(found)
