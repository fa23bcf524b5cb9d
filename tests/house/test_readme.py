"""The front page keeps its word: every command in it runs, and what it shows exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.gateway_process import command, gateway
from tests.house.sources import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def lines() -> list[str]:
    return [line for block in BLOCK.findall(README) for line in block.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("readme")
    with gateway(folder):
        yield folder


def test_the_two_commands_come_first() -> None:
    assert lines()[:2] == ["./parley run", "./parley test"]


# `run` is what `home` does, and `test` is what runs this.
@pytest.mark.parametrize("line", lines()[2:])
def test_every_command_runs(line: str, home: Path) -> None:
    program, *arguments = shlex.split(line)
    assert program == "./parley"
    done = command(*arguments, folder=home, stdin="balance\n")
    assert "Traceback" not in done.stderr
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_picture_has_words_for_those_who_do_not_see_it() -> None:
    alternatives = re.findall(r"!\[(.*?)\]\(docs/images/parley\.png\)", README)
    assert [len(text) > 20 for text in alternatives] == [True]
