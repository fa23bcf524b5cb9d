"""What is spoken on the phone: a text for the ear, menus of five, and how the call waits for the answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.dialog import Said
from core.model.inbound import Session
from core.model.outbound import Listen, Reply
from dialogs.spoken import for_the_ear
from tests.golden.player import Player, engine_of


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("One line\nand another", "One line. and another."),
        ("Which one?\n1 Tea", "Which one? 1 Tea."),
        ("You were at top-up (phone).", "You were at top-up, phone."),
        ("Order 3 x tea (hot) now?", "Order 3 x tea, hot, now?"),
        ("Language / Langue / Lugha", "Language, Langue, Lugha."),
        ("Until 31/12/2026, 14:30, KES 250.00, +254700000001.", "Until 31/12/2026, 14:30, KES 250.00, +254700000001."),
        ("*Bold* _and_ #1 • <b>", "Bold and 1 b."),
        ("Great 🎉 news", "Great news."),
        ("Votre solde : 5 € ?", "Votre solde : 5 € ?"),
        ("Call us - today", "Call us, today."),
        ("\n\n", ""),
    ],
)
def test_text_is_made_for_the_ear(written: str, spoken: str) -> None:
    assert for_the_ear(written) == spoken


@given(st.text(max_size=80))
def test_no_sign_that_a_voice_would_spell_is_left_and_no_letter_is_lost(text: str) -> None:
    spoken = for_the_ear(text)
    assert not set("\n*#_~^|\\<>[]{}()•") & set(spoken)
    assert [letter for letter in spoken if letter.isalnum()] == [letter for letter in text if letter.isalnum()]


def said(player: Player, text: str, *, session: Session = Session.RESUME) -> Reply:
    """Let the person say or type something and return the reply."""
    result = player.engine.advance(player.state, Said((text,), session=session, session_id="call"), player.context())
    player.state = result.state
    (reply,) = result.replies
    return reply


def call(dialog: str = "lab", **settings: Any) -> Player:
    player = Player(engine_of(dialog), {"channel": "ivr", **settings})
    said(player, "", session=Session.NEW)
    return player


def test_a_call_waits_seven_seconds_for_voice_or_keys() -> None:
    assert said(call(), "colour").listen == Listen(7.0, None, keys_only=False)


def test_a_secret_is_typed_and_its_length_is_known() -> None:
    assert said(call(), "secret").listen == Listen(7.0, 6, keys_only=True)
    assert said(call(), "code").listen == Listen(7.0, 6, keys_only=True)


def test_after_two_failures_only_keys_count_where_keys_can_answer() -> None:
    player = call()
    assert said(player, "").listen == Listen(7.0, 1)
    assert said(player, "").listen == Listen(7.0, 1, keys_only=True)
    player = call()
    said(player, "survey")
    said(player, "")
    assert said(player, "").listen == Listen(7.0)  # a name cannot be typed


def test_a_call_that_ends_waits_for_nothing() -> None:
    reply = said(call(), "agent")
    assert reply.ends_session
    assert reply.listen is None


def test_other_channels_do_not_listen() -> None:
    player = Player(engine_of("lab"), {"channel": "ussd"})
    assert said(player, "", session=Session.NEW).listen is None


def test_the_pages_of_a_long_text_are_turned_with_nine() -> None:
    player = call()
    player.play({"say": "statement"})
    (first,), _ = player.play({"done": {"slots": {"statement": "Ten units were used. " * 90}}})
    assert first.startswith("CON Ten units were used.")
    assert first.endswith("For more, press 9.")
    (second,), _ = player.play({"say": "9"})
    heard = f"{first.removeprefix('CON ').removesuffix(' For more, press 9.')} {second.removeprefix('END ')}"
    assert heard == "Ten units were used. " * 90 + "Goodbye."


def test_digits_count_from_one_on_each_page() -> None:
    items = [f"item {letter}" for letter in "abcdefghijklm"]
    player = call()
    said(player, "order")
    assert player.state is not None
    player.state["slots"]["items"] = items
    reply = said(player, "#")
    assert reply.text.endswith("For item e, press 5. For more, press 9.")
    assert said(player, "9").text.startswith("For item f, press 1.")
    last = said(player, "9").text
    assert last == "For item k, press 1. For item l, press 2. For item m, press 3."
    assert said(player, "*").text.startswith("For item f, press 1.")
    said(player, "2")
    assert player.state["slots"]["item"] == "item g"
