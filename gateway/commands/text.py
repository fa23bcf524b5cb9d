"""`parley text`: how texts are counted as short messages, for people who write them.

Needs no store, no configuration and no secrets. Must not change a text: what is typed is what is counted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import click

from core.text.segments import measure
from gateway.commands.installation import json_option


@click.group
def command() -> None:
    """Show how texts are counted."""


@command.command("segments", short_help="Count short messages, line by line.")
@json_option
def segments_command(*, as_json: bool) -> None:
    r"""Count the short messages that each line of standard input needs.

    Printed for each: encoding (gsm7 or ucs2), parts, characters, and the units that they take. In a line of JSON that is a string,
    line ends are written as \n.
    """
    for line in sys.stdin:
        counted = segments_of(_unquoted(line.rstrip("\r\n")))
        click.echo(json.dumps(counted) if as_json else _line(counted))


def segments_of(text: str) -> dict[str, Any]:
    """Return encoding, parts, characters (code points) and units (septets or 16-bit units) of a text."""
    measured = measure(text)
    return {"encoding": measured.encoding.value, "parts": measured.parts, "characters": len(text), "units": measured.units}


def _line(counted: Mapping[str, Any]) -> str:
    return "  ".join(str(value) for value in counted.values())


def _unquoted(line: str) -> str:
    """Return the text of a line: a line that is one JSON string stands for what it quotes."""
    if not (len(line) > 1 and line.startswith('"') and line.endswith('"')):
        return line
    try:
        text = json.loads(line)
    except ValueError:
        return line
    return text if isinstance(text, str) else line
