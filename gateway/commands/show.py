"""How commands print what they found: a table for people, JSON for programs.

Must not decide what is shown. Control characters in customers' words never reach the terminal.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click


def as_json(value: Any) -> None:
    """Print a value as indented JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, nothing: str) -> None:
    """Print the named columns of rows under their names, or the sentence `nothing`."""
    lines = [tuple(one_line(row.get(column)) for column in columns) for row in rows]
    if not lines:
        click.echo(nothing)
        return
    lines.insert(0, tuple(column.replace("_", " ").upper() for column in columns))
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def one_line(value: Any) -> str:
    """Return a value as printable text on one line."""
    if value is None:
        return "-"
    return "".join(" " if character in "\r\n\t" else character for character in str(value) if _harmless(character))


def _harmless(character: str) -> bool:
    return character in "\r\n\t" or unicodedata.category(character) not in {"Cc", "Cf", "Cs"}


def moment(at_ms: int | None) -> str | None:
    """Return a time in ms UTC as ISO 8601 to the second."""
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
