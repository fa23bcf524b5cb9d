from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from tests.golden.player import Player, engine_of


def as_written(value: Any) -> Any:
    """Strings of several lines as blocks, everything else as it is."""
    if isinstance(value, str):
        return LiteralScalarString(value) if "\n" in value else value
    if isinstance(value, list):
        return [as_written(item) for item in value]
    return {key: as_written(item) for key, item in value.items()} if isinstance(value, dict) else value


def test_conversation(conversation: Path, request: pytest.FixtureRequest) -> None:
    yaml = YAML()
    yaml.width = 140
    document = yaml.load(conversation.read_text("utf-8"))
    plain = YAML(typ="safe", pure=True).load(conversation.read_text("utf-8"))
    settings = {key: value for key, value in plain.items() if key != "turns"}
    player = Player(engine_of(conversation.parent.name), settings)
    update = request.config.getoption("--update")
    for number, turn in enumerate(plain["turns"]):
        bot, does = player.play(turn)
        state = player.state or {}
        found: dict[str, Any] = {"bot": bot, "does": does}
        found["stack"] = [frame["flow"] for frame in state.get("stack", ())]
        found["slots"] = state.get("slots", {})
        if update:
            for key in ("bot", "does", "stack", "slots"):
                if key in turn or (key in {"bot", "does"} and found[key]):
                    document["turns"][number][key] = as_written(found[key])
                if key in {"bot", "does"} and not found[key]:
                    document["turns"][number].pop(key, None)
            continue
        for key, value in found.items():
            if key in {"bot", "does"} or key in turn:
                assert value == turn.get(key, []), f"turn {number + 1}, {key}, after {turn}"
    if update:
        out = io.StringIO()
        yaml.dump(document, out)
        conversation.write_text(out.getvalue(), "utf-8")
