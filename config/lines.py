"""Finds the line of every key in a TOML file, for error messages; the standard parser does not say.

A reading of headers and assignments, no parser: a file that `tomllib` accepts gives the right lines, and a line inside a
multi-line text is at worst an entry that nobody asks for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_HEADER = re.compile(r"\s*\[\[?([^\[\]]+)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


def key_lines(text: str) -> Mapping[str, int]:
    """Return the line, counted from 1, at which each dotted key is set or each table begins."""
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _dotted(header[1])
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            name = _dotted(key[1])
            lines.setdefault(f"{table}.{name}" if table else name, number)
    return lines


def _dotted(text: str) -> str:
    return ".".join(part.strip("\"'") for part in _PART.findall(text))
