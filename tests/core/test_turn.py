"""What one turn writes, and what a repeated, failed, late or merged one does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.model.dialog import (
    ActionDone,
    ActionLate,
    Advanced,
    CloseInteraction,
    HandOver,
    Remember,
    RunAction,
    Said,
    SessionEnded,
    SetConsent,
    SetLanguage,
    SetReason,
    SetTimer,
    TimerFired,
)
from core.model.inbound import ContactSignal, InboundMessage, Session
from core.model.outbound import Reply
from tests.core.conftest import ANNA, World

HELLO = Advanced({"n": 1}, (Reply("Hello."),))
BALANCE = RunAction("action_get_balance", "0197-key", {"slots": {}})


def balance(world: World, **more: Any) -> RunAction:
    return RunAction("action_get_balance", world.arrival("sms").id, {"slots": {}}, **more)


def test_an_unknown_number_becomes_a_prospect_and_everything_is_recorded(world: World) -> None:
    world.dialog.then(HELLO)
    outcome = world.hear("sms", ANNA, "hi")
    assert world.rows("select role from party") == [("prospect",)]
    assert world.rows("select media_type, service_number, direction, contact_type, status from interaction") == [
        ("sms", "+254711082000", "inbound", "prospect", "open")
    ]
    assert world.rows("select direction, author, text, status from message order by seq") == [
        ("inbound", "customer", "hi", "received"),
        ("outbound", "bot", "Hello.", "queued"),
    ]
    assert [row[0] for row in world.rows("select kind from event order by seq")] == ["interaction.opened", "message.in", "message.out"]
    assert outcome.wake == {"events", "outbox"}


def test_a_repeated_message_changes_nothing_and_gets_the_same_bytes(world: World) -> None:
    world.dialog.then(Advanced({}, (Reply("Menu"),)))
    first = world.dial(ANNA, "")
    again = world.dial(ANNA, "")
    assert again.duplicate
    assert again.answer == first.answer
    assert first.answer.body == b"CON Menu"
    assert world.value("select count(*) from message") == 2


@pytest.mark.parametrize(
    ("requests", "heard"),
    [
        (["", "1", "1*50"], [(), ("1",), ("50",)]),
        (["1*50"], [("1", "50")]),
        (["", "a*b", "a*b*c*d"], [(), ("a*b",), ("c*d",)]),
        (["", "1", "1*"], [(), ("1",), ("",)]),
        (["", "*", "**1"], [(), ("*",), ("1",)]),
        (["", "12", "3"], [(), ("12",), ("3",)]),
    ],
    ids=[
        "step by step",
        "a dial string answers several prompts",
        "a star inside an answer",
        "an empty answer",
        "an answer that is a star",
        "the last input only",
    ],
)
def test_the_new_part_of_a_session_begins_where_the_old_one_ended(world: World, requests: list[str], heard: list[tuple[str, ...]]) -> None:
    for text in requests:
        world.dialog.then(HELLO)
        world.dial(ANNA, text)
    assert [what.texts for what, _ in world.dialog.told if isinstance(what, Said)] == heard
    assert world.dialog.told[0][0] == Said(heard[0], session=Session.NEW, session_id="s1")


def test_each_channel_has_its_interaction_and_the_next_is_linked_to_the_last(world: World) -> None:
    world.dialog.then(HELLO, Advanced({}, (Reply("Bye", ends_session=True),), (CloseInteraction(),)), HELLO)
    world.hear("sms", ANNA, "balance")
    world.dial(ANNA, "")
    world.dial(ANNA, "", session_id="s2")
    rows = world.rows("select channel_id, status, close_reason, previous_id, id from interaction order by opened_at")
    assert [row[:3] for row in rows] == [("sms", "open", None), ("ussd", "closed", "agreed"), ("ussd", "open", None)]
    assert [row[3] for row in rows] == [None, rows[0][4], rows[1][4]]
    assert world.value("select count(*) from conversation") == 1


def test_an_interaction_in_which_nobody_speaks_is_closed_in_time(world: World) -> None:
    world.dialog.then(HELLO, HELLO)
    world.hear("sms", ANNA, "hi")
    kind, due = world.rows("select kind, due_at from timer")[0]
    conversation = world.value("select id from conversation")
    world.now += 1_800_000
    world.hear("sms", ANNA, "still here")
    world.store.write_sync(lambda tx: world.turns.timer(tx, conversation, kind, due))
    assert world.rows("select status from interaction") == [("open",)]
    due = world.value("select due_at from timer")
    world.store.write_sync(lambda tx: world.turns.timer(tx, conversation, kind, due))
    assert world.rows("select status, close_reason from interaction") == [("closed", "timeout")]
    assert world.rows("select * from timer") == []


def test_an_action_leaves_the_request_open_until_it_has_ended(world: World) -> None:
    run = balance(world)
    world.dialog.then(Advanced({"waits": 1}, (), (run,)), Advanced({}, (Reply("KES 5", ends_session=True),)))
    asked = world.dial(ANNA, "1")
    assert (asked.answer, asked.action) == (None, run)
    done = ActionDone(run.key, run.name)
    ended = world.store.write_sync(lambda tx: world.turns.action_done(tx, run.key, done, world.now, waiting=True))
    assert ended.answer.body == b"END KES 5"
    assert world.dial(ANNA, "1").answer == ended.answer
    again = world.store.write_sync(lambda tx: world.turns.action_done(tx, run.key, done, world.now, waiting=True))
    assert again.duplicate
    assert world.value("select count(*) from message where direction = 'outbound'") == 1


def test_a_slow_action_ends_the_screen_and_its_result_follows_by_sms(world: World) -> None:
    run = balance(world)
    late = Advanced({"late": 1}, (Reply("We will text you.", ends_session=True),))
    world.dialog.then(Advanced({"waits": 1}, (), (run,)), late, Advanced({}, (Reply("KES 5"),)))
    world.dial(ANNA, "1")
    ended = world.store.write_sync(lambda tx: world.turns.action_late(tx, run.key, world.now))
    assert ended.answer.body == b"END We will text you."
    assert world.dialog.told[-1][0] == ActionLate(run.key)
    world.store.write_sync(lambda tx: world.turns.action_done(tx, run.key, ActionDone(run.key, run.name), world.now, waiting=False))
    assert world.dialog.told[-1][1].channel_id == "sms"
    assert world.rows("select channel_id, recipient, state from outbox") == [("sms", ANNA.value, "queued")]
    assert world.dial(ANNA, "1").answer == ended.answer


def test_a_result_that_is_quicker_than_the_deadline_wins(world: World) -> None:
    run = balance(world)
    world.dialog.then(Advanced({"waits": 1}, (), (run,)), Advanced({}, (Reply("KES 5"),)))
    world.dial(ANNA, "1")
    done = world.store.write_sync(lambda tx: world.turns.action_done(tx, run.key, ActionDone(run.key, run.name), world.now, waiting=True))
    late = world.store.write_sync(lambda tx: world.turns.action_late(tx, run.key, world.now))
    assert late.answer == done.answer


def test_a_record_action_runs_within_the_turn(world: World) -> None:
    def saw_number(_state: Any, what: Any, _context: Any) -> Advanced:
        values = {event["name"]: event["value"] for event in what.events}
        return Advanced({}, (Reply(f"Case {values['case_number']}"),))

    slots = {"slots": {"case_kind": "no_signal", "case_description": "since noon"}}
    run = RunAction("action_open_case", world.arrival("sms").id, slots)
    world.dialog.then(Advanced({"waits": 1}, (), (run,)), saw_number)
    outcome = world.hear("sms", ANNA, "no signal")
    assert outcome.action is None
    assert world.rows("select number, kind, description, status from case_file") == [(1001, "no_signal", "since noon", "acknowledged")]
    assert world.value("select text from message where direction = 'outbound'") == "Case 1001"


def test_effects_become_rows(world: World) -> None:
    effects = (
        SetReason("balance"),
        SetLanguage("fr"),
        Remember("area", "Kisumu"),
        SetTimer("prompt", 60, {"nonce": 1}),
        SetConsent(opted_in=False),
    )
    world.dialog.then(Advanced({}, (), effects))
    world.hear("sms", ANNA, "solde")
    assert world.rows("select reason from interaction") == [("balance",)]
    language, facts = world.rows("select language, facts from party")[0]
    assert language == "fr"
    assert json.loads(facts)["area"]["value"] == "Kisumu"
    assert world.rows("select due_at - ?, payload from timer where kind = 'prompt'", world.now) == [(60_000, '{"nonce":1}')]
    assert world.value("select opted_out_at from contact_medium") == world.now


def test_a_timer_reaches_a_ussd_customer_by_sms_unless_they_opted_out(world: World) -> None:
    world.dialog.then(Advanced({"open": 1}, (Reply("Amount?"),)), Advanced({"open": 1}, (), (SetTimer("redial", 60),)), HELLO, HELLO)
    world.dial(ANNA, "2")
    signal = ContactSignal("end:s1", ANNA, world.channels["ussd"].address, "hung_up", "s1")
    arrival = world.arrival("ussd")
    world.store.write_sync(lambda tx: world.turns.signal(tx, arrival, signal))
    assert world.dialog.told[-1][0] == SessionEnded("s1")
    conversation = world.value("select id from conversation")
    world.now += 60_000
    world.store.write_sync(lambda tx: world.turns.timer(tx, conversation, "redial", world.now))
    assert isinstance(world.dialog.told[-1][0], TimerFired)
    assert world.rows("select channel_id, recipient from outbox") == [("sms", ANNA.value)]
    again = world.store.write_sync(lambda tx: world.turns.timer(tx, conversation, "redial", world.now))
    assert again.duplicate


def test_a_handover_queues_one_work_item_and_the_bot_owns_no_longer(world: World) -> None:
    world.dialog.then(Advanced({}, (Reply("One moment."),), (HandOver("asked", {"wanted": "agent"}),)), Advanced({}))
    world.hear("sms", ANNA, "agent")
    world.hear("sms", ANNA, "hello?")
    assert world.rows("select queue, state, reason from work_item") == [("general", "waiting", "asked")]
    assert world.rows("select owner, owner_epoch from conversation") == [("queued", 1)]
    assert world.dialog.told[-1][1].owner == "queued"


def test_a_flow_that_fails_costs_an_apology_and_the_second_time_hands_over(world: World) -> None:
    def fails(*_: Any) -> Advanced:
        raise ZeroDivisionError

    for place in range(2):
        world.dialog.then(fails)
        said = InboundMessage(f"m{place}", ANNA, world.channels["sms"].address, "boom")
        arrival = world.arrival("sms")
        with pytest.raises(ZeroDivisionError):
            world.store.write_sync(lambda tx, arrival=arrival, said=said: world.turns.receive(tx, arrival, said))
        assert world.value("select count(*) from message where direction = 'inbound'") == place
        world.store.write_sync(lambda tx, arrival=arrival, said=said: world.turns.receive(tx, arrival, said, sorry=True))
    texts = [row[0] for row in world.rows("select text from message where direction = 'outbound' order by seq")]
    assert texts == ["Sorry.", "Sorry, a colleague will answer."]
    assert world.rows("select reason from work_item") == [("flow_failed",)]


def test_a_secret_is_kept_nowhere_also_not_in_what_the_network_repeats(world: World) -> None:
    world.dialog.then(HELLO, Advanced({}, (Reply("Thanks"),), conceal=True), HELLO)
    for text in ("", "4711", "4711*1"):
        world.dial(ANNA, text)
    assert [row[0] for row in world.rows("select text from message where direction = 'inbound' order by seq")] == ["", "\u2022" * 4, "1"]
    everything = str([world.rows(f"select * from {table}") for table in ("message", "inbound", "conversation", "event")])
    assert "4711" not in everything
