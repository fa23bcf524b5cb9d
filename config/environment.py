"""Settings from the environment: PARLEY_SERVER_PORT sets server.port, and so on for every single value.

Knows the names from the settings classes alone. Channels are not set here: their secrets are references to variables.
"""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Iterator, Mapping
from typing import Any, Union, get_args, get_origin

from config.problems import Problem, Where
from config.settings import Settings
from config.typed import hints, nearest

PREFIX = "PARLEY_"
# Read by the launcher, the command line and the tests.
OTHERS = ("PARLEY_CONFIG", "PARLEY_DATA", "PARLEY_VENV", "PARLEY_CHROMIUM", "PARLEY_CRASH_AT")
# What container platforms add for a service that is itself called parley.
_SERVICE_LINK = re.compile(r"PARLEY(_[A-Z0-9]+)*_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_[A-Z]+.*)?)$")
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def variables(cls: type = Settings, path: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...], dataclasses.Field[Any], Any]]:
    """Yield each variable's name, the path of its setting, the field, and the type of its value."""
    for field in dataclasses.fields(cls):
        kind = hints(cls)[field.name]
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            yield from variables(kind, (*path, field.name))
        elif field.name != "channels":
            yield PREFIX + "_".join((*path, field.name)).upper(), (*path, field.name), field, kind


def overlay(table: dict[str, Any], places: dict[str, str], environ: Mapping[str, str], referenced: set[str]) -> list[Problem]:
    """Set in `table` what the environment names, and note it in `places`; return a problem for each variable that means nothing.

    `referenced` are variables that the file names as secrets.
    """
    known = {name: (path, kind) for name, path, _, kind in variables()}
    problems = []
    for name, text in environ.items():
        if not name.startswith(PREFIX) or name in OTHERS or name in referenced:
            continue
        where = Where(name)
        if name not in known:
            if not _SERVICE_LINK.match(name):
                problems.append(Problem(where, f"unknown setting in the environment{nearest(name, [*known, *OTHERS])}"))
            continue
        path, kind = known[name]
        try:
            put(table, path, _parsed(kind, text))
            places[".".join(path)] = name
        except ValueError as error:
            problems.append(Problem(where, str(error)))
    return problems


def put(table: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Set the value at a path of nested tables; raises ValueError where a table should be and is not."""
    for name in path[:-1]:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise ValueError(f"{name} is not a table in the configuration file")  # noqa: TRY004 - a mistake in a file
    table[path[-1]] = value


def _parsed(kind: Any, text: str) -> Any:
    if get_origin(kind) in {Union, types.UnionType}:
        kind = next(arg for arg in get_args(kind) if arg is not type(None))
    if get_origin(kind) is tuple:
        return [item.strip() for item in text.split(",") if item.strip()]
    if kind is bool:
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        raise ValueError("must be true or false")
    if kind in {int, float}:
        try:
            return kind(text)
        except ValueError:
            raise ValueError(f"must be a {'whole ' if kind is int else ''}number, not {text[:40]!r}") from None
    return text
