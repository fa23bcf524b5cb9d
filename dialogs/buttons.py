"""Filling a button: its label and what it stands for, with the values of slots; None where one of them is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dialogs.model import Button, Slot
from dialogs.templates import Template


def filled(button: Button, slots: Mapping[str, Slot], values: Mapping[str, Any], context: Mapping[str, Any]) -> list[Any] | None:
    """Return the option that a button makes: label, kind, data; `slots` are the declared ones, `values` what they hold."""
    title = button.title.fill(values, context)
    text = button.text.fill(values, context)
    if not title or text is None:
        return None
    sets = {name: _value(slots.get(name), value.fill(values, context)) for name, value in button.values}
    data = sets if button.kind == "set" else [text, sets] if button.kind == "intent" else text
    return [title, button.kind, data]


def is_fixed(button: Button) -> bool:
    """Tell whether nothing in a button depends on slots."""
    templates: tuple[Template, ...] = (button.title, button.text, *(value for _, value in button.values))
    return all(template.literal is not None for template in templates)


def _value(slot: Slot | None, text: str | None) -> Any:
    if text is None or text == "null":
        return None
    if slot is not None and slot.type == "bool":
        return text.lower() == "true"
    if slot is not None and slot.type == "float":
        return float(text)
    return text
