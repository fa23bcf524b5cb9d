"""Two machines that answer each other's mails are parted: twenty automatic answers a day, then people."""

from __future__ import annotations

import pytest

from tests.golden.player import Player, engine_of

DAY_S = 86_400


def test_after_twenty_answers_in_a_day_people_take_over_without_a_word_and_the_next_day_goes_on() -> None:
    player = Player(engine_of("lab"), {"channel": "email"})
    for number in range(20):
        bot, does = player.play({"say": "crimson" if number % 2 else "colour", "after": 60})
        assert len(bot) == 1, number
        assert not any("handover" in str(effect) for effect in does)
    bot, does = player.play({"say": "colour", "after": 60})
    assert bot == []
    assert [effect["handover"] for effect in does if isinstance(effect, dict)] == ["stuck:mails"]
    assert player.play({"say": "colour", "after": 600})[0] == []  # nor is there a notice of waiting
    player.play({"handed_back": "closed"})
    assert player.play({"say": "colour", "after": DAY_S})[0] == ["Which colour?"]


def test_other_channels_have_no_such_limit() -> None:
    player = Player(engine_of("lab"), {"channel": "sms"})
    for number in range(25):
        assert player.play({"say": "crimson" if number % 2 else "colour", "after": 60})[0]


def test_a_mail_that_is_not_understood_goes_to_people_at_once() -> None:
    player = Player(engine_of("telecom"), {"channel": "email"})
    bot, does = player.play({"say": "Hello,\n\nthe invoice for my late uncle has come to my house again.\n\nAnna"})
    assert [effect["handover"] for effect in does if isinstance(effect, dict) and "handover" in effect] == ["unclear"]
    assert len(bot) == 1
    assert "colleague" in bot[0]
    guess = Player(engine_of("telecom"), {"channel": "email"})
    _, does = guess.play({"say": "Hello,\n\nI do not understand my last bill. Please let an agent look at it.\n\nAnna"})
    assert [effect["handover"] for effect in does if isinstance(effect, dict) and "handover" in effect] == ["unclear"]
    sms = Player(engine_of("telecom"), {"channel": "sms"})
    _, does = sms.play({"say": "the invoice for my late uncle has come to my house again"})
    assert not any("handover" in effect for effect in does if isinstance(effect, dict))


@pytest.mark.parametrize(
    "text",
    [
        "Dear Sir or Madam,\n\nwhat is my balance? I could not find it in the app.\n\nKind regards\nAnna",
        "Hello! What is my balance? Thank you very much for your help.",
    ],
)
def test_one_sentence_of_a_mail_says_what_is_wanted(text: str) -> None:
    player = Player(engine_of("telecom"), {"channel": "email"})
    _, does = player.play({"say": text})
    assert any("action_get_balance" in str(effect) or "balance" in str(effect) for effect in does), does
    assert not any("handover" in effect for effect in does if isinstance(effect, dict))


def test_whose_number_it_is_about_cannot_be_proved_by_mail_so_people_take_over() -> None:
    player = Player(engine_of("telecom"), {"channel": "email"})
    player.play({"say": "balance"})
    bot, does = player.play({"done": {"slots": {"number_known": False}}})
    assert [effect["handover"] for effect in does if isinstance(effect, dict) and "handover" in effect] == ["flow:balance"]
    assert len(bot) == 1
    web = Player(engine_of("telecom"), {"channel": "web"})
    web.play({"say": "balance"})
    bot, _ = web.play({"done": {"slots": {"number_known": False}}})
    assert "number" in bot[-1]


def test_nobody_is_asked_by_mail_whether_there_is_more() -> None:
    player = Player(engine_of("lab"), {"channel": "web"})
    player.play({"say": "colour"})
    assert player.play({"say": "crimson"})[0][-1].startswith("Is there anything else?")
    bot, _ = player.play({"say": "qwerty", "channel": "email"})
    assert "anything else" not in "".join(bot)
