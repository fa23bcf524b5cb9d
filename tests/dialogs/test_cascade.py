"""The order in which a text is read: for each rank a text that a later rank would take too, and what happens without the rank."""

from __future__ import annotations

from typing import Any

import pytest

from core.model.dialog import Advanced, Said, SetConsent
from dialogs import engine as engine_module
from dialogs import interpret as interpret_module
from dialogs.engine import Engine
from dialogs.loader import load_project
from tests.golden.player import Player

FLOWS = """\
flows:
  start:
    description: A list whose options look like other things.
    run_pattern_completed: false
    steps:
      - {collect: choice}
      - {action: utter_chosen}
  sum:
    description: Takes an amount.
    nlu_trigger: [{intent: sum}]
    steps:
      - {collect: amount, metadata: {gateway: {type: amount}}}
      - {action: utter_sum}
      - {collect: sure, ask_before_filling: true}
  note:
    description: Takes free text.
    nlu_trigger: [{intent: note}]
    steps:
      - {collect: note}
      - {action: utter_note}
"""
DOMAIN = """\
slots:
  choice: {type: categorical, values: [stopwatch, menu card, seven, notes]}
  amount: {type: float}
  sure: {type: bool}
  note: {type: text}
responses:
  utter_ask_choice:
    - text: "Which?"
      buttons:
        - {title: Stopwatch, payload: "/SetSlots(choice=stopwatch)"}
        - {title: Menu card, payload: "/SetSlots(choice=menu card)"}
        - {title: "7", payload: "/SetSlots(choice=seven)"}
        - {title: Help, payload: "/SetSlots(choice=notes)"}
  utter_chosen: [{text: "Chosen: {choice}."}]
  utter_ask_amount: [{text: "How much?"}]
  utter_sum: [{text: "It is {amount}."}]
  utter_ask_sure: [{text: "Sure?"}]
  utter_ask_note: [{text: "Your note?"}]
  utter_note: [{text: "Noted: {note}."}]
"""
NLU = """\
nlu:
  - intent: sum
    examples: |
      - sum
      - the sum of [50](amount)
  - intent: note
    examples: |
      - note
      - take a note
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("cascade")
    for name, text in {"flows": FLOWS, "domain": DOMAIN, "nlu": NLU}.items():
        (folder / f"{name}.yml").write_text(text, "utf-8")
    return Engine(load_project(folder))


def talk(engine: Engine, *texts: str, **settings: Any) -> tuple[list[str], list[Any]]:
    player = Player(engine, {"channel": "sms", **settings})
    bot: list[str] = []
    does: list[Any] = []
    for text in texts:
        bot, does = player.play({"say": text})
    return bot, does


@pytest.mark.parametrize(
    ("texts", "answer"),
    [
        (("menu", "stop"), "You will get no more messages from us. Reply START to get them again."),  # 1 before 4
        (("menu", "3"), "Chosen: seven."),  # 2: the third option, not the label "7"
        (("menu", "7"), "Chosen: seven."),  # 4: no seventh option, so the label
        (("menu", "help"), "Chosen: notes."),  # 2 before 3: an option as it is written
        (("menu", "MENU"), "Which?"),  # 3 before 4: not the beginning of "Menu card"
        (("menu", "men"), "Chosen: menu card."),  # 4: the beginning of one option only
        (("menu", "stopwach"), "Chosen: stopwatch."),  # 4: a slip
        (("menu", "note"), "Chosen: notes."),  # 4 before 6: the beginning of a value, though an intent of its own
        (("sum", "0"), "It is 0.\nSure?"),  # 3: a digit navigates only where it is no answer
        (("sum", "00"), "Which?"),
        (("sum", "take a note"), "Your note?"),  # 6
        (("sum", "50", "no, 60"), "It is 60.\nSure?"),  # 5 before 4: not a plain no
        (("sum", "50", "70"), "It is 70.\nSure?"),  # 5
        (("note", "sum"), "How much?"),  # 6 before 7: an example, word for word
        (("note", "the sum of my parts is what I am"), "Noted: the sum of my parts is what I am."),  # 7 before 6
        (("note", "Menu"), "Which?"),  # 3 before 7
        (("the sum of 12",), "It is 12.\nSure?"),  # 6 with a value
        (("take some note please",), "Did you mean:"),  # 8
        (("gibberish",), "I did not understand that. Write MENU to see what I can do."),  # 9
        (("sum", "gibberish"), "Please give an amount, for example 50."),  # 9 with an open question
    ],
)
def test_the_first_reading_that_fits_counts(engine: Engine, texts: tuple[str, ...], answer: str) -> None:
    bot, _ = talk(engine, *texts)
    assert "\n".join(bot).startswith(answer)


def test_consent_is_read_before_everything(engine: Engine) -> None:
    _, does = talk(engine, "menu", "stop")
    assert does == ["consent out"]


def test_without_its_rank_a_word_of_consent_would_choose_an_option(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Teeth: were consent asked after similarity, "stop" would be the beginning of Stopwatch."""
    monkeypatch.setattr(engine_module, "consent", lambda _turn, _word: None)
    bot, does = talk(engine, "menu", "stop")
    assert (bot[0], does) == ("Chosen: stopwatch.", [])


def test_without_its_rank_navigation_would_choose_an_option(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    player = Player(engine, {"channel": "sms"})
    player.play({"say": "menu"})
    monkeypatch.setattr(interpret_module, "_navigation", lambda *_: None)
    assert player.play({"say": "MENU"})[0] == ["Chosen: menu card."]


@pytest.mark.parametrize("text", ["STOP", " stop! ", "Ｓｔｏｐ", "«stop»", "Stop\n", "stop   texting\tme", "UNSUBSCRIBE."])
def test_consent_is_compared_after_normalising(engine: Engine, text: str) -> None:
    _, does = talk(engine, text)
    assert does == ["consent out"]


@pytest.mark.parametrize("text", ["stopp", "sto", "don't stop", "stop it now or else", "bus stop"])
def test_consent_is_never_guessed(engine: Engine, text: str) -> None:
    _, does = talk(engine, text)
    assert "consent out" not in does


def test_consent_also_while_an_action_runs_and_while_forced() -> None:
    from tests.golden.player import engine_of

    for texts in (("plate", "stop"), ("code", "stop")):
        _, does = talk(engine_of("lab"), *texts)
        assert "consent out" in does


def test_an_understanding_may_be_given(engine: Engine) -> None:
    from dialogs.understanding import Understanding

    other = Engine(engine.project, lambda _text, _read: Understanding((("sum", 0.8),), {"amount": 5.0}))
    bot, _ = talk(other, "anything at all")
    assert bot == ["It is 5.\nSure?\n1 Yes\n2 No"]


def test_consent_says_what_the_turn_is_to_do(engine: Engine) -> None:
    player = Player(engine, {"channel": "sms"})
    result: Advanced = engine.advance(None, Said(("stop",)), player.context())
    assert result.effects == (SetConsent(opted_in=False),)
