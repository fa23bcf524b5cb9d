"""Reads JSON objects that come from outside: limited in size, depth and repetition.

Must not know what the members mean.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.model.inbound import UnreadableRequest

BODY_BYTES_MAX = 1_048_576


class _Wrong(ValueError):
    """The text is JSON that we do not accept."""


def read_object(body: bytes, bytes_max: int = BODY_BYTES_MAX) -> dict[str, Any]:
    """Return the JSON object of a body; raises `UnreadableRequest` with `too_large`, `encoding` or `json`."""
    value = read_value(body, bytes_max)
    if not isinstance(value, dict):
        raise UnreadableRequest("json", "not an object")
    return value


def read_value(body: bytes, bytes_max: int = BODY_BYTES_MAX) -> object:
    """Return what JSON a body is, an object or not; raises `UnreadableRequest` as `read_object` does."""
    if len(body) > bytes_max:
        raise UnreadableRequest("too_large")
    try:
        value: object = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise UnreadableRequest("encoding") from None
    except (ValueError, RecursionError):
        raise UnreadableRequest("json") from None
    return value


def looks_like_json(body: bytes) -> bool:
    """Tell whether a body is an object or a list in JSON rather than a form, whatever its type is called."""
    return body[:100].lstrip()[:1] in {b"{", b"["}


def text_member(frame: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """Return a member that must be text; raises `UnreadableRequest` if it is missing without a default, or something else."""
    value = frame.get(name, default)
    if not isinstance(value, str):
        raise UnreadableRequest("bad_member", name)
    return value


def text(frame: Mapping[str, Any], name: str) -> str:
    """Return a member that is text, empty for any other."""
    value = frame.get(name)
    return value if isinstance(value, str) else ""


def table(frame: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a member that is an object, an empty one for any other."""
    value = frame.get(name)
    return value if isinstance(value, dict) else {}


def objects(frame: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the objects of a member that is a list, none of any other."""
    values = frame.get(name)
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Wrong("repeated member")
    return members


def _no_constant(name: str) -> None:
    raise _Wrong(name)
