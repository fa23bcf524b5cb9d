"""Texts with variables, split once when a project is loaded and joined in a single pass for each use.

A value is inserted as it is: braces in it mean nothing, so a customer's text can never act as a template.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_PLAIN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_JINJA = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_NAME = re.compile(r"[A-Za-z_][\w.-]*\Z")


class TemplateWrong(ValueError):
    """A text has a variable that cannot be one."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One place for a value: `name` in the slots, or in the frame's context if `of_context`; `money` shows fractions with two digits."""

    name: str
    of_context: bool = False
    money: bool = False
    initial: Any = None


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled text: `literal` if it has no variables, else `parts` of text and variables in order."""

    literal: str | None
    parts: tuple[str | Variable, ...] = ()

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables in order of appearance."""
        return tuple(part for part in self.parts if isinstance(part, Variable))

    def fill(self, slots: Mapping[str, Any], context: Mapping[str, Any]) -> str | None:
        """Return the text with its values, or None if one of them is missing. What `context` names wins over a slot."""
        if self.literal is not None:
            return self.literal
        out = []
        for part in self.parts:
            if isinstance(part, str):
                out.append(part)
                continue
            value = context.get(part.name)
            if value is None and not part.of_context:
                value = slots.get(part.name, part.initial)
            if value is None:
                return None
            out.append(value if isinstance(value, str) else show(value, money=part.money))
        return "".join(out)


def show(value: Any, *, money: bool = False) -> str:
    """Return a slot value as people read it: yes or no, whole floats without a point, lists with commas; `money` has two digits or none."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if value.is_integer():
            return str(int(value))
        return f"{value:.2f}" if money else repr(value)
    if isinstance(value, list | tuple):
        return ", ".join(show(item) for item in value)
    if isinstance(value, Mapping):
        return show(value.get("title", ""))
    return str(value)


def compile_template(text: str, slots: Mapping[str, tuple[Any, bool]], *, jinja: bool = False) -> Template:
    """Split `text` at its variables: `{slot}` and `{context.name}`, or the same in double braces with `slots.` before slots if `jinja`.

    `slots` gives each declared slot's initial value and whether it is money. Raises `TemplateWrong`.
    """
    parts: list[str | Variable] = []
    last = 0
    for match in (_JINJA if jinja else _PLAIN).finditer(text):
        parts.append(text[last : match.start()])
        last = match.end()
        if match.group(1) is None:
            parts.append(match.group(0)[0])
            continue
        name = match.group(1).strip()
        if not _NAME.match(name):
            raise TemplateWrong(f"'{match.group(0)}' is no variable; write {{{{ and }}}} for braces")
        name = name.removeprefix("slots.") if jinja else name
        initial, money = slots.get(name, (None, False))
        parts.append(Variable(name.removeprefix("context."), name.startswith("context."), money, initial))
    parts.append(text[last:])
    merged = _merge(parts)
    if all(isinstance(part, str) for part in merged):
        return Template("".join(str(part) for part in merged))
    return Template(None, tuple(merged))


def _merge(parts: list[str | Variable]) -> list[str | Variable]:
    merged: list[str | Variable] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    return merged
