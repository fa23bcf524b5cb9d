"""A line of the log says what and where, never what somebody wrote."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from gateway.logs import JsonLines, ShortLines

CANARY = "canary 4711"


def record(message: str) -> logging.LogRecord:
    try:
        raise ValueError(CANARY)
    except ValueError:
        return logging.LogRecord("gateway.receive", logging.ERROR, __file__, 1, message, (), sys.exc_info())


@pytest.mark.parametrize("lines", [JsonLines(), ShortLines()])
def test_the_text_of_an_error_stays_out_and_its_place_is_kept(lines: logging.Formatter) -> None:
    line = lines.format(record("the flow failed"))
    assert CANARY not in line
    assert "ValueError" in line
    assert "test_logs.py" in line


@pytest.mark.parametrize("hostile", ['a"}\n{"level":"info', "a\x1b[31m", "a\rb", "x" * 1_000_000])
def test_a_record_is_one_json_line_whatever_it_holds(hostile: str) -> None:
    line = JsonLines().format(record(hostile))
    assert "\n" not in line
    assert "\x1b" not in line
    assert len(line) < 50_000
    assert json.loads(line)["level"] == "error"
