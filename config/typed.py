"""Turns a table of a TOML file into a frozen dataclass, and reports every mistake in it at once.

The class is the specification: its annotations are the types, its defaults the defaults, `metadata` of a field its text and
limits (`doc`, `least`, `most`, `pattern`), and a field with `repr=False` is a secret, which a file may give by reference only.
Knows no setting by name, reads no file but those that secrets name, and must not print a secret.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from config.problems import ConfigWrong, Problem, Where

T = TypeVar("T")
Resolve = Callable[[Any, str], str]  # a reference and the dotted key it stands at; raises ValueError with a sentence


def doc(text: str, *, least: float | None = None, most: float | None = None, pattern: str | None = None) -> Mapping[str, Any]:
    """Return the `metadata` of a field: what it means, and what it may be."""
    given = {"doc": text, "least": least, "most": most, "pattern": pattern}
    return {key: value for key, value in given.items() if value is not None}


@cache
def hints(cls: type) -> Mapping[str, Any]:
    """Return the resolved annotations of a settings class."""
    return get_type_hints(cls)


def read(cls: type[T], table: Mapping[str, Any], where: Where, resolve: Resolve) -> T:
    """Return `cls` filled from `table`; raises `ConfigWrong` with all mistakes. `resolve` turns a reference into the secret."""
    reading = _Reading(resolve)
    value = reading.table(cls, table, where)
    if reading.problems:
        raise ConfigWrong(reading.problems)
    return value  # type: ignore[no-any-return]


def nearest(word: str, known: list[str]) -> str:
    """Return ` (did you mean …?)` for the known word that is most like `word`, or nothing."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


@dataclass(slots=True)
class _Wrong(Exception):
    text: str


class _Reading:
    """One pass over a table: values on the way down, problems on the side."""

    def __init__(self, resolve: Resolve) -> None:
        self.resolve = resolve
        self.problems: list[Problem] = []

    def wrong(self, where: Where, text: str) -> None:
        self.problems.append(Problem(where, text))

    def table(self, cls: Any, table: Any, where: Where) -> Any:
        """Return an instance of the dataclass `cls`, or None when something was wrong."""
        if not isinstance(table, Mapping):
            self.wrong(where, "must be a table")
            return None
        fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
        before = len(self.problems)
        for key in table:
            if key not in fields:
                self.wrong(where / key, f"unknown setting{nearest(key, list(fields))}")
        values: dict[str, Any] = {}
        for name, field in fields.items():
            if name in table:
                values[name] = self.field(field, hints(cls)[name], table[name], where / name)
            elif field.default is MISSING and field.default_factory is MISSING:
                self.wrong(where / name, "is missing" + (f": {field.metadata['doc']}" if "doc" in field.metadata else ""))
        if len(self.problems) > before:
            return None
        try:
            return cls(**values)
        except ValueError as error:  # a class may check what concerns several fields in __post_init__
            self.wrong(where, str(error))
            return None

    def field(self, field: dataclasses.Field[Any], kind: Any, value: Any, where: Where) -> Any:
        """Return the value of one field, checked against its limits."""
        try:
            result = self.value(kind, value, where, secret=not field.repr)
            if field.repr:  # a limit that fails is shown with the value
                _limits(field.metadata, result)
        except _Wrong as wrong:
            self.wrong(where, wrong.text)
            return None
        return result

    def value(self, kind: Any, value: Any, where: Where, *, secret: bool = False) -> Any:
        """Return `value` as the annotated type `kind`; raises `_Wrong`."""
        origin, args = get_origin(kind), get_args(kind)
        if origin in {Union, types.UnionType}:
            return self.value(next(arg for arg in args if arg is not type(None)), value, where, secret=secret)
        if origin is tuple:
            return self.sequence(args[0], value, where, secret=secret)
        if origin is not None and _is_mapping(origin):
            return self.mapping(args[1], value, where)
        if secret:
            return self.secret(value, where)
        if dataclasses.is_dataclass(kind):
            return self.table(kind, value, where)
        if origin is Literal:
            return _one_of([str(arg) for arg in args], value)
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return kind(_one_of([member.value for member in kind], value))
        return _plain(kind, value)

    def sequence(self, kind: Any, value: Any, where: Where, *, secret: bool) -> tuple[Any, ...]:
        if secret and not isinstance(value, list):
            value = [value]  # one secret today, two while it is being changed
        if not isinstance(value, list):
            raise _Wrong(f"must be a list, not {_shown(value)}")
        return tuple(self.value(kind, item, where / str(index), secret=secret) for index, item in enumerate(value))

    def mapping(self, kind: Any, value: Any, where: Where) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _Wrong("must be a table")
        result = {}
        for key, item in value.items():
            try:
                result[key] = item if kind is Any else self.value(kind, item, where / key)
            except _Wrong as wrong:
                self.wrong(where / key, wrong.text)
        return result

    def secret(self, value: Any, where: Where) -> str:
        try:
            return self.resolve(value, where.key)
        except ValueError as error:
            raise _Wrong(str(error)) from None


def _is_mapping(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _plain(kind: Any, value: Any) -> Any:
    if kind is Any:
        return value
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise _Wrong(f"must be {_NAMES[kind]}, not {_shown(value)}")
    return value


_NAMES = {str: "text in quotes", int: "a whole number", float: "a number", bool: "true or false"}


def _one_of(allowed: list[str], value: Any) -> str:
    if value not in allowed:
        raise _Wrong(f"must be one of {', '.join(allowed)}, not {_shown(value)}")
    return str(value)


def _limits(limits: Mapping[str, Any], value: Any) -> None:
    for item in value if isinstance(value, tuple) else (value,):
        if isinstance(item, int | float) and not isinstance(item, bool):
            least, most = limits.get("least", -math.inf), limits.get("most", math.inf)
            if not least <= item <= most:
                raise _Wrong(f"must be {_range(least, most)}, not {item}")
        if isinstance(item, str) and "pattern" in limits and not re.fullmatch(limits["pattern"], item):
            raise _Wrong(f"must look like {limits['pattern']}, not {_shown(item)}")


def _range(least: float, most: float) -> str:
    if most == math.inf:
        return f"at least {least}"
    if least == -math.inf:
        return f"at most {most}"
    return f"between {least} and {most}"


def _shown(value: Any) -> str:
    """Return a short form of a value for an error text."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}…"
