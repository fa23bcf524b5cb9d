"""Rules about values: what does not fit the type of its slot, patterns that take too long, secrets that would be kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dialogs.conditions import Condition
from dialogs.linter_findings import Findings
from dialogs.model import Button, Collect, Project, SetSlots, Slot
from dialogs.templates import Template

_COMPARED = re.compile(
    r"""slots\.(?P<name>[\w.-]+)\s*
        (?P<op>is\s+not|is|<=|>=|!=|==|[<>=])\s*
        (?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<number>-?\d+(?:\.\d+)?)\b|(?P<word>true|false|null|undefined|empty)\b)""",
    re.VERBOSE | re.IGNORECASE,
)
_PATTERN = re.compile(r"matches\s+(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_NESTED = re.compile(r"\((?:[^()\\]|\\.)*[+*](?:[^()\\]|\\.)*\)\s*[+*{]")


def lint(project: Project, found: Findings) -> None:
    """Note what does not fit in conditions, set_slots steps and buttons."""
    for file, line, condition in _conditions(project):
        for name in condition.names:
            if name.startswith("slots.") and name.removeprefix("slots.") not in project.slots:
                found.error("unknown-slot", file, line, f"condition '{condition.source}': there is no slot '{name.removeprefix('slots.')}'")
            elif not name.startswith(("slots.", "context.")):
                found.error("bad-name", file, line, f"condition '{condition.source}': '{name}' must begin with slots. or context.")
        for match in _COMPARED.finditer(condition.source):
            slot = project.slots.get(match["name"])
            if slot is not None and (why := _misfit(slot, match)) is not None:
                found.error("condition-type", file, line, f"condition '{condition.source}': {why}")
        for match in _PATTERN.finditer(condition.source):
            if _NESTED.search(match[1] or match[2] or ""):
                text = f"condition '{condition.source}': a repetition inside a repetition can take for ever"
                found.error("slow-pattern", file, line, text)
    for flow in project.flows.values():
        for step in flow.steps:
            if isinstance(step, SetSlots):
                for name, value in step.values:
                    if name in project.slots and not isinstance(value, Template) and not fits(project.slots[name], value):
                        text = f"slot '{name}' is of type {project.slots[name].type}; it cannot be {value!r}"
                        found.error("value-type", flow.file, step.line, text)
    _secrets(project, found)
    for file, line, button in _buttons(project):
        for name, value in button.values:
            slot = project.slots.get(name)
            if button.kind == "set" and slot is not None and value.literal is not None and not fits(slot, _literal(slot, value.literal)):
                found.error("value-type", file, line, f"slot '{name}' is of type {slot.type}; a button cannot set it to '{value.literal}'")


def _secrets(project: Project, found: Findings) -> None:
    for flow in project.flows.values():
        for step in flow.steps:
            if not isinstance(step, Collect):
                continue
            if step.type == "pin" and not step.sensitive:
                text = f"slot '{step.slot}' takes a PIN and is not marked sensitive: it would stand in the record"
                found.error("plain-secret", flow.file, step.line, text)
            if step.sensitive and (step.slot in flow.persisted or step.slot in project.remember):
                text = f"slot '{step.slot}' is sensitive, so it may be neither persisted nor remembered"
                found.error("kept-secret", flow.file, step.line, text)


def fits(slot: Slot, value: Any) -> bool:
    """Tell whether a literal may be the value of a slot."""
    if value is None or slot.type == "any":
        return True
    match slot.type:
        case "bool":
            return isinstance(value, bool)
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "categorical":
            return str(value).lower() in {known.lower() for known in slot.values}
        case "list":
            return isinstance(value, list)
        case _:
            return isinstance(value, str)


def _literal(slot: Slot, text: str) -> Any:
    """Read the text of a button's payload as the engine will: by the type of the slot."""
    if text == "null":
        return None
    if slot.type == "bool":
        return {"true": True, "false": False}.get(text.lower(), text)
    if slot.type == "float":
        try:
            return float(text)
        except ValueError:
            return text
    return [text] if slot.type == "list" else text


def _misfit(slot: Slot, match: re.Match[str]) -> str | None:
    ordered = match["op"] in {"<", "<=", ">", ">="}
    if match["word"] is not None:
        word = match["word"].lower()
        if ordered:
            return f"nothing is greater or less than {word}"
        return (
            f"slot '{slot.name}' is of type {slot.type}, never {word}"
            if word in {"true", "false"} and slot.type not in {"bool", "any"}
            else None
        )
    if match["number"] is not None:
        return f"slot '{slot.name}' is of type {slot.type}, not a number" if slot.type not in {"float", "any"} else None
    text = match["double"] if match["double"] is not None else match["single"]
    if slot.type == "categorical" and text.lower() not in {known.lower() for known in slot.values}:
        return f"slot '{slot.name}' is never '{text}'"
    return f"slot '{slot.name}' is of type {slot.type}, not a text" if slot.type in {"bool", "float"} else None


def _conditions(project: Project) -> Iterator[tuple[str, int, Condition]]:
    for flow in project.flows.values():
        if flow.guard is not None:
            yield flow.file, flow.line, flow.guard
        for step in flow.steps:
            if isinstance(step.next, tuple):
                yield from ((flow.file, step.line, branch.when) for branch in step.next if branch.when is not None)
            if isinstance(step, Collect):
                yield from ((flow.file, step.line, rejection.when) for rejection in step.rejections)
    for slot in project.slots.values():
        yield from ((slot.file, slot.line, rejection.when) for rejection in slot.rejections)


def _buttons(project: Project) -> Iterator[tuple[str, int, Button]]:
    for response in project.responses.values():
        for candidates in response.candidates.values():
            for candidate in candidates:
                yield from ((response.file, response.line, button) for button in candidate.buttons)
