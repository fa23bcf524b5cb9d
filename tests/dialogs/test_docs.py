"""The example in the document for flow authors is loaded and played as it stands there, and the document names what there is."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from ruamel.yaml import YAML

from dialogs.engine import Engine
from dialogs.load_settings import FLOW_SETTINGS, SETTINGS_KEYS
from dialogs.load_steps import ACTION_METADATA, COLLECT_METADATA, TYPES
from dialogs.loader import load_project
from dialogs.model import Limits
from tests.golden.player import ROOT, Player

DOCUMENT = (ROOT / "docs" / "writing-a-flow.md").read_text("utf-8")
FILES = re.findall(r"`([a-z]+\.yml)`:\n\n```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
CONVERSATION = re.findall(r"tests/golden`\).*?```yaml\n(.*?)```", DOCUMENT, re.DOTALL)[0]


def test_the_example_loads_and_talks_as_written(tmp_path: Path) -> None:
    assert {name for name, _ in FILES} == {"flows.yml", "domain.yml", "nlu.yml", "gateway.yml"}
    for name, text in FILES:
        (tmp_path / name).write_text(text, "utf-8")
    conversation = YAML(typ="safe", pure=True).load(CONVERSATION)
    player = Player(Engine(load_project(tmp_path)), {"channel": conversation["channel"]})
    for turn in conversation["turns"]:
        bot, does = player.play(turn)
        assert bot == turn.get("bot", []), turn
        assert does == turn.get("does", []), turn


def test_the_document_names_every_key() -> None:
    keys = {*ACTION_METADATA, *COLLECT_METADATA, *TYPES, *FLOW_SETTINGS, *SETTINGS_KEYS, *(field.name for field in fields(Limits))}
    assert sorted(key for key in keys if not re.search(rf"\b{key}\b", DOCUMENT)) == []


def test_the_document_names_every_pattern() -> None:
    patterns = re.findall(r"^  (pattern_\w+):", (ROOT / "dialogs" / "patterns" / "patterns.yml").read_text("utf-8"), re.MULTILINE)
    assert patterns
    assert [name for name in patterns if f"`{name}`" not in DOCUMENT] == []
