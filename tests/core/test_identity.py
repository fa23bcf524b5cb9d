"""Proving a number: codes, their limits, and what follows for the record of a person."""

from __future__ import annotations

from typing import Any

import pytest

from core.model.address import Strength
from core.model.dialog import Advanced, RunAction
from core.model.outbound import Reply
from tests.core.conftest import ANNA, BEN, VISITOR, World

HELLO = Advanced({"n": 1}, (Reply("Hello."),))


def test_a_proved_number_joins_the_visitor_with_its_owner(world: World) -> None:
    world.dialog.then(HELLO)
    world.hear("sms", ANNA, "my name")
    owner = world.value("select party_id from contact_medium where value = ?", ANNA.value)
    world.store.write_sync(lambda tx: tx.execute("update party set name = 'A', language = 'sw' where id = ?", (owner,)))
    send = RunAction("action_send_code", world.arrival("web").id, {"slots": {"verify_msisdn": "0700 000 001"}})
    world.dialog.then(Advanced({"at": "code"}, (), (send,)), Advanced({"at": "code"}, (Reply("Which code?"),)))
    world.hear("web", VISITOR, "0700 000 001")
    code = world.value("select secret_text from outbox where secret_text is not null").split("code is ")[1][:6]
    assert code not in str(world.rows("select text from message"))
    check = RunAction("action_check_code", world.arrival("web").id, {"slots": {"verification_code": code}})
    world.dialog.then(Advanced({"at": "done"}, (), (check,)), Advanced({"at": "done"}, (Reply("Thank you."),)))
    world.hear("web", VISITOR, code)
    context = world.dialog.told[-1][1]
    assert (context.name, context.language, context.trust) == ("A", "sw", Strength.PROVED)
    visits = world.rows(
        "select party_id, valid_to is null from contact_medium where kind = 'visitor' order by valid_from, valid_to is null"
    )
    assert [row[1] for row in visits] == [0, 1]
    assert visits[1][0] == owner
    web = world.rows("select party_id, previous_id from interaction where channel_id = 'web'")
    assert web == [(owner, world.value("select id from interaction where channel_id = 'sms'"))]
    assert [row[0] for row in world.rows("select number from message where address = 'v1' order by number")] == [1, 2, 3, 4]


def test_a_wrong_code_proves_nothing_and_five_are_all(world: World) -> None:
    send = RunAction("action_send_code", world.arrival("web").id, {"slots": {"verify_msisdn": BEN.value}})
    world.dialog.then(Advanced({}, (), (send,)), HELLO)
    world.hear("web", VISITOR, BEN.value)
    right = world.value("select secret_text from outbox").split("code is ")[1][:6]
    wrong = "000000" if right != "000000" else "111111"
    results = []

    def note(_state: Any, what: Any, _context: Any) -> Advanced:
        results.append(what.events[0]["value"])
        return HELLO

    for guess in [wrong] * 5 + [right]:
        check = RunAction("action_check_code", world.arrival("web").id, {"slots": {"verification_code": guess}})
        world.dialog.then(Advanced({}, (), (check,)), note)
        world.hear("web", VISITOR, guess)
    assert results == [False] * 6
    assert world.value("select tries from one_time_code") == 5


@pytest.mark.parametrize(
    ("number", "problem"),
    [("+254 20 1234567", "not_allowed"), ("+1 900 555 0100", "not_allowed"), ("12", "bad_number"), ("+447400123456", "not_allowed")],
)
def test_codes_go_only_to_mobile_numbers_of_the_country(world: World, number: str, problem: str) -> None:
    def note(_state: Any, what: Any, _context: Any) -> Advanced:
        values = {event["name"]: event["value"] for event in what.events}
        assert values == {"code_sent": False, "code_problem": problem}
        return HELLO

    send = RunAction("action_send_code", world.arrival("web").id, {"slots": {"verify_msisdn": number}})
    world.dialog.then(Advanced({}, (), (send,)), note)
    world.hear("web", VISITOR, number)
    assert world.rows("select * from outbox") == []


def test_the_second_code_within_a_minute_is_not_sent(world: World) -> None:
    problems = []

    def note(_state: Any, what: Any, _context: Any) -> Advanced:
        problems.append({event["name"]: event["value"] for event in what.events}["code_problem"])
        return HELLO

    for wait_s in (0, 10, 70, 70, 70):
        world.now += wait_s * 1000
        send = RunAction("action_send_code", world.arrival("web").id, {"slots": {"verify_msisdn": ANNA.value}})
        world.dialog.then(Advanced({}, (), (send,)), note)
        world.hear("web", VISITOR, "code")
    assert problems == [None, "throttled", None, None, "throttled"]


@pytest.mark.parametrize(
    ("claimed", "shown"),
    [
        ("Amina W.", "Amina W."),
        ("  Amina\n\u202eW\u200b.\x00 ", "Amina W ."),
        ("\u202e\u200b", None),
        ("x" * 5_000, "x" * 100),
        ("<b>Support</b>", "<b>Support</b>"),
    ],
)
def test_how_somebody_calls_themself_is_kept_beside_the_address_and_is_nobodys_name(world: World, claimed: str, shown: str | None) -> None:
    world.dialog.then(Advanced({}, ()), Advanced({}, ()))
    world.hear("sms", ANNA, "hi", profile_name=claimed)
    assert world.rows("select claimed_name from contact_medium") == [(shown,)]
    assert world.rows("select name, role from party") == [(None, "prospect")]
    assert world.dialog.told[-1][1].name is None
    world.hear("sms", ANNA, "hi")
    assert world.rows("select claimed_name from contact_medium") == [(shown,)], "a message without one changes nothing"
