"""The guide to a new channel works as it stands: its files are written out, registered and put through every check."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import channels
from channels.registry import Kind, load
from tests.conformance import adapter_checks as checks
from tests.conformance.sending import check_send
from tests.conformance.subject import Subject, request_of, subject_of
from tests.conformance.test_adapter import CHECKS

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "adding-a-channel.md").read_text("utf-8")
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```\n", GUIDE, re.DOTALL))
REGISTRY_LINE = re.findall(r"<!-- registry: \S+ -->\n```python\n(.*?),\n```", GUIDE)


@pytest.fixture
def postcard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Subject]:
    """Return the guide's subject, its files standing where the guide says, in a folder beside ours."""
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    monkeypatch.setattr(channels, "__path__", [*channels.__path__, str(tmp_path / "channels")])
    monkeypatch.syspath_prepend(tmp_path)
    tests_here = import_module("tests.channels")
    monkeypatch.setattr(tests_here, "__path__", [*tests_here.__path__, str(tmp_path / "tests" / "channels")])
    yield subject_of("postcard")
    for module in [name for name in sys.modules if name.endswith(("channels.postcard", "channels.postcard.subject"))]:
        del sys.modules[module]


def test_the_guide_has_all_files() -> None:
    assert sorted(FILES) == ["channels/postcard.py", "tests/channels/postcard/samples/requests.jsonl", "tests/channels/postcard/subject.py"]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_guides_adapter(postcard: Subject, check: checks.Check) -> None:
    check(postcard)


async def test_the_guides_adapter_sends(postcard: Subject) -> None:
    await check_send(postcard)


def test_the_guides_line_in_the_registry(postcard: Subject) -> None:
    (line,) = REGISTRY_LINE
    kind = eval(line, {"Kind": Kind})
    loaded = load("postcard", {kind.name: kind})
    (record, *_) = postcard.recorded()
    assert loaded.settings is type(postcard.settings)
    assert loaded.parse(request_of(record), "KE") == postcard.make("http://127.0.0.1:1").parse(request_of(record))
    assert json.dumps(record["events"])


def test_the_guides_code_keeps_the_rules_of_the_house(postcard: Subject, tmp_path: Path) -> None:
    files = [str(tmp_path / name) for name in FILES if name.startswith("channels/")]
    common = ["--no-cache", "--config", str(ROOT / "pyproject.toml")]
    for tool in (["check", "--extend-ignore=INP001"], ["format", "--check"]):
        result = subprocess.run([sys.executable, "-m", "ruff", *tool, *common, *files], capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout
