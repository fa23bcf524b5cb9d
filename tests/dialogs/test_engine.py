"""What holds for the engine whatever is said, and when a project changes under an open conversation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.model.dialog import Said
from dialogs.engine import Engine
from dialogs.loader import load_project
from tests.golden.player import Player, engine_of

WORDS = [
    "order", "1", "2", "3", "0", "00", "98", "99", "#", "tea", "friday", "5", "500", "skip", "yes", "no", "back", "menu", "cancel",
    "help",
    "agent", "stop", "start", "visit", "colour", "crimson", "survey", "code", "123456", "secret", "4711", "number", "plate", "circle",
    "contract", "statement", "report", "offer", "deep", "language", "swahili", "change amount", "no, 7", "restart", "repeat",
    "person please", "9", "*", "claim", "sale", "my lawyer", "more",
    "🙂", "", "{x}", "/order",
]  # fmt: skip
TURNS = st.one_of(
    st.sampled_from(WORDS).map(lambda word: {"say": word}),
    st.sampled_from(WORDS).map(lambda word: {"say": word}),
    st.text(max_size=30).map(lambda text: {"say": text}),
    st.lists(st.sampled_from(["1", "2", "3", "kesho", "skip"]), max_size=6).map(lambda parts: {"dial": "*".join(parts)}),
    st.just({"dropped": True}),
    st.just({"silent": True}),
    st.just({"media": "image"}),
    st.sampled_from(["done", "fail", "pause", "late", "timer", "redial", "back", "closed", "press"]).map(lambda kind: {"if": kind}),
    st.sampled_from(
        [
            {"channel": "ussd"},
            {"channel": "sms"},
            {"channel": "web"},
            {"channel": "ivr"},
            {"after": 700},
            {"after": 4000},
            {"after": 100_000},
        ]
    ).flatmap(lambda also: st.sampled_from(WORDS).map(lambda word: {"say": word, **also})),
)


def possible(player: Player, turn: dict[str, Any]) -> dict[str, Any] | None:
    """Turn what depends on the conversation into an input, None if it cannot happen now."""
    kind = turn.get("if")
    if kind is None:
        return turn
    if kind in {"done", "fail", "pause", "late"}:
        if player.running is None:
            return None
        done = {"done": {}, "fail": {"error": "timeout"}, "pause": {"events": [{"event": "pause"}]}}
        return {"late": True} if kind == "late" else {"done": done[kind]}
    if kind in {"timer", "redial"}:
        wanted = "prompt" if kind == "timer" else kind
        return {"timer": wanted} if any(timer.kind == wanted for timer in player.timers) else None
    if kind in {"back", "closed"}:
        return {"handed_back": "open" if kind == "back" else kind} if player.settings.get("owner", "bot") != "bot" else None
    return {"choose": next(iter(player.tokens))} if player.tokens else None


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["lab", "office"]), st.sampled_from(["ussd", "sms", "web", "telegram", "ivr", "email"]), st.lists(TURNS, max_size=25)
)
def test_whatever_is_said_the_engine_answers(dialog: str, channel: str, turns: list[dict[str, Any]]) -> None:
    """The player checks purity, plain JSON, screen sizes and texts; here: who owns the word, and that nobody is left without a screen."""
    player = Player(engine_of(dialog), {"channel": channel})
    for turn in turns:
        made = possible(player, turn)
        if made is None:
            continue
        owner, opted_out, running = player.settings.get("owner", "bot"), player.settings.get("opted_out"), player.running
        bot, does = player.play(made)
        assert len(json.dumps(player.state)) < 6000
        assert len(bot) <= 6
        assert sum(isinstance(effect, str) and effect.startswith("run ") for effect in does) <= (0 if running and "done" not in made else 1)
        heard = "say" in made or "dial" in made or "silent" in made
        one_shot = player.settings["channel"] in {"ussd", "ivr"}
        if heard and one_shot:
            assert bot or player.running is not None, f"no screen after {made}"
        if heard and owner == "agent" and not one_shot and not opted_out:
            assert not bot or any(str(effect).startswith("consent") for effect in does)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_the_same_words_give_the_same_conversation(words: list[str]) -> None:
    def play() -> list[Any]:
        player = Player(engine_of("lab"), {"channel": "web"})
        return [player.play({"say": word}) for word in words]

    assert play() == play()


FLOWS = """\
flows:
  start:
    description: d
    run_pattern_completed: false
    steps:
      - {id: one, collect: one}
      - {id: two, collect: two}
      - {action: utter_done}
"""
CHANGED = FLOWS.replace("id: two, collect: two", "id: zwei, collect: two")
GONE = FLOWS.replace("start:", "other:")
DOMAIN = """\
slots: {one: {type: text}, two: {type: text}}
responses: {utter_ask_one: [{text: One?}], utter_ask_two: [{text: Two?}], utter_done: [{text: Done.}]}
"""


def project(folder: Path, flows: str, start: str = "start") -> Engine:
    folder.mkdir()
    (folder / "flows.yml").write_text(flows, "utf-8")
    (folder / "domain.yml").write_text(DOMAIN, "utf-8")
    (folder / "gateway.yml").write_text(f"start_flow: {start}", "utf-8")
    return Engine(load_project(folder))


def test_a_step_that_is_gone_begins_its_flow_again_with_the_answers_that_are_left(tmp_path: Path) -> None:
    player = Player(project(tmp_path / "before", FLOWS), {"channel": "sms"})
    player.play({"say": "menu"})
    assert player.play({"say": "first"})[0] == ["Two?"]
    player.engine = project(tmp_path / "after", CHANGED)
    assert player.play({"say": "second"})[0] == ["This has just been changed, so we begin start again.\nTwo?"]
    assert player.play({"say": "second"})[0] == ["Done."]


def test_a_flow_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    player = Player(project(tmp_path / "before", FLOWS), {"channel": "sms"})
    player.play({"say": "menu"})
    player.engine = project(tmp_path / "after", GONE, "other")
    assert player.play({"say": "menu"})[0] == ["One?"]


def test_a_secret_is_to_be_concealed_and_nothing_else_is() -> None:
    player = Player(engine_of("lab"), {"channel": "ussd"})
    player.play({"dial": ""})
    player.play({"say": "secret"})
    context = player.context()
    assert player.engine.advance(player.state, Said(("4711",)), context).conceal
    assert not player.engine.advance(player.state, Said(("00",)), context).conceal


def test_keys_of_actions_are_derived_from_the_cause() -> None:
    def run(cause_from: int) -> str:
        player = Player(engine_of("lab"), {"channel": "web"}, count=cause_from)
        player.play({"say": "statement"})
        assert player.running is not None
        return player.running.key

    assert run(0) == run(0)
    assert run(0) != run(1)


@pytest.mark.parametrize("text", ["x" * 100_000, "🙂" * 50_000, "[" * 9_000, "1" * 10_000, "stop " * 20_000])
def test_long_texts_are_read_to_a_bound(text: str) -> None:
    player = Player(engine_of("lab"), {"channel": "web"})
    player.play({"say": "survey"})
    player.play({"say": text})
    assert len(json.dumps(player.state)) < 8000
