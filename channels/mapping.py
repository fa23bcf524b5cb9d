"""Lines of settings such as `to={to}` or `messages.0.text={text}`, turned into forms and JSON, and back from a JSON answer.

A line `name=value` gives text, `name:=value` gives JSON as it stands. Values are put in after everything has been parsed, so no text of
a customer can become structure. Must not know a provider.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FIELD = "field:"  # before the name of a field of the request that is answered
_PLACE = re.compile(r"\{([a-z_]+|field:[A-Za-z0-9_.-]+)\}")


@dataclass(frozen=True, slots=True)
class Line:
    """One field: its dotted name, and its text with places for values or its JSON."""

    name: str
    text: str = ""
    fixed: Any = None


def lines(given: Iterable[str], places: Iterable[str]) -> tuple[Line, ...]:
    """Return the fields that lines of settings name; raises ValueError for another form, or a place that is not one of `places`."""
    found = []
    for line in given:
        name, equals, text = line.partition("=")
        if not equals or not name.strip(":"):
            raise ValueError(f"{line!r} does not have the form name=value")
        if name.endswith(":"):
            try:
                found.append(Line(name[:-1], fixed=json.loads(text)))
            except ValueError:
                raise ValueError(f"{line!r} holds no JSON") from None
            continue
        found.append(Line(name, check(text, places)))
    return tuple(found)


def check(text: str, places: Iterable[str]) -> str:
    """Return a text whose places are all known; raises ValueError. `FIELD` among the places stands for all fields of a request."""
    known = set(places)
    unknown = sorted(name for name in _PLACE.findall(text) if name not in known and not (FIELD in known and name.startswith(FIELD)))
    if unknown:
        raise ValueError(f"{text!r} has a place for {', '.join(unknown)}, which is unknown")
    return text


def asked(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the fields of a request for which texts have places."""
    return tuple(sorted({name.removeprefix(FIELD) for text in texts for name in _PLACE.findall(text) if name.startswith(FIELD)}))


def table(given: Iterable[str], allowed: Iterable[str]) -> dict[str, str]:
    """Return lines `theirs=ours` as a table, their side in lower case; raises ValueError for one of ours that is not allowed."""
    found, known = {}, sorted(allowed)
    for line in given:
        theirs, equals, ours = line.rpartition("=")
        if not equals or not theirs.strip() or ours not in known:
            raise ValueError(f"{line!r} does not have the form theirs=ours, with ours one of {', '.join(known)}")
        found[theirs.strip().lower()] = ours
    return found


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return a text with the values in their places; what a value holds is never looked at again."""
    return _PLACE.sub(lambda place: values[place[1]], text)


def form(fields: Sequence[Line], values: Mapping[str, str]) -> dict[str, str]:
    """Return the fields as a form; JSON stands in it as it is written."""
    return {field.name: fill(field.text, values) if field.fixed is None else json.dumps(field.fixed) for field in fields}


def document(fields: Sequence[Line], values: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields as JSON: dotted names are nested, and a number among them is a place in a list; raises ValueError."""
    whole: dict[str, Any] = {}
    for field in fields:
        _put(whole, field.name.split("."), fill(field.text, values) if field.fixed is None else field.fixed)
    return whole


def _put(whole: Any, path: Sequence[str], value: Any) -> None:
    for name, below in zip(path, (*path[1:], None), strict=True):
        content: Any = value if below is None else [] if below.isdecimal() else {}
        if isinstance(whole, list) and name.isdecimal() and int(name) <= len(whole):
            if int(name) == len(whole):
                whole.append(content)
            whole = whole[int(name)]
        elif isinstance(whole, dict) and (below is not None or name not in whole):
            whole = whole.setdefault(name, content)
        else:
            raise ValueError(f"{'.'.join(path)!r} has no place beside the fields before it")
