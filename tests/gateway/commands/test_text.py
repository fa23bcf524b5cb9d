"""`parley text segments`: what each line of text needs as short messages."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from gateway.cli import cli

TEXTS = [
    ("hello", "gsm7", 1, 5, 5),
    ("", "gsm7", 1, 0, 0),
    ("€", "gsm7", 1, 1, 2),
    ("a" * 160, "gsm7", 1, 160, 160),
    ("a" * 161, "gsm7", 2, 161, 161),
    ("ж" * 70, "ucs2", 1, 70, 70),
    ("ж" * 71, "ucs2", 2, 71, 71),
    ("😀", "ucs2", 1, 1, 2),
    ('"a\\nb"', "gsm7", 1, 3, 3),
    ('"not json', "gsm7", 1, 9, 9),
]


@pytest.mark.parametrize(("text", "encoding", "parts", "characters", "units"), TEXTS)
def test_a_text(text: str, encoding: str, parts: int, characters: int, units: int) -> None:
    result = CliRunner().invoke(cli, ["text", "segments", "--json"], input=f"{text}\n")
    assert json.loads(result.output) == {"encoding": encoding, "parts": parts, "characters": characters, "units": units}


def test_a_line_for_each_text() -> None:
    result = CliRunner().invoke(cli, ["text", "segments"], input="hello\nж\n")
    assert result.output == "gsm7  1  5  5\nucs2  1  1  1\n"
