"""Things that happen at once or in the wrong order: what a person was promised is still said, once, and to nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from core.identity import people
from core.model.address import Address, AddressKind, Strength
from core.model.channel import Channel
from core.model.dialog import ActionDone, Advanced, HandOver, RunAction, Said, SessionEnded
from core.model.inbound import ContactSignal, InboundMessage, Session
from core.model.outbound import Reply
from core.reports.invariants import check
from core.turn import Turns
from tests.core.conftest import ANNA, BEN, RULES, VISITOR, World

ASKED = Advanced({"waits": 1}, ())
PAID = Advanced({}, (Reply("Paid."),))


def run_of(world: World, name: str = "action_pay") -> RunAction:
    return RunAction(name, world.arrival("sms").id, {"slots": {}})


def ask(world: World, run: RunAction) -> None:
    world.dialog.then(replace(ASKED, effects=(run,)))
    assert world.dial(ANNA, "1").answer is None


def done(world: World, run: RunAction, *, waiting: bool) -> Any:
    return world.store.write_sync(
        lambda tx: world.turns.action_done(tx, run.key, ActionDone(run.key, run.name), world.now, waiting=waiting)
    )


def late(world: World, run: RunAction) -> Any:
    return world.store.write_sync(lambda tx: world.turns.action_late(tx, run.key, world.now))


def signal(world: World, name: str, session_id: str = "s1") -> Any:
    arrival = world.arrival("ussd")
    sign = ContactSignal(f"{arrival.id}:{name}", ANNA, world.channels["ussd"].address, name, session_id)
    return world.store.write_sync(lambda tx: world.turns.signal(tx, arrival, sign))


def holds(world: World) -> None:
    assert world.store.read_sync(check) == []


def test_a_result_that_nobody_waits_for_any_more_follows_by_message(world: World) -> None:
    run = run_of(world)
    ask(world, run)
    world.dialog.then(ASKED, PAID)
    signal(world, "hung_up")
    assert isinstance(world.dialog.told[-1][0], SessionEnded)
    assert done(world, run, waiting=True).answer is None
    assert world.rows("select channel_id, recipient, state from outbox") == [("sms", ANNA.value, "queued")]
    assert late(world, run).answer is None
    holds(world)


def test_whoever_dials_anew_gets_the_result_of_before_by_message(world: World) -> None:
    run = run_of(world)
    ask(world, run)
    world.dialog.then(Advanced({"waits": 1}, (Reply("Still at it.", ends_session=True),)), PAID)
    assert world.dial(ANNA, "", session_id="s2").answer.body == b"END Still at it."
    assert done(world, run, waiting=True).answer is None
    assert world.rows("select channel_id, state from outbox") == [("sms", "queued")]
    holds(world)


def test_a_hang_up_of_another_session_takes_no_answer_away(world: World) -> None:
    run = run_of(world)
    ask(world, run)
    signal(world, "hung_up", "another")
    world.dialog.then(Advanced({}, (Reply("Paid.", ends_session=True),)))
    assert done(world, run, waiting=True).answer.body == b"END Paid."
    assert world.rows("select * from outbox") == []


def test_a_deadline_between_two_actions_ends_the_screen_with_words(world: World) -> None:
    first, second = run_of(world, "action_look"), run_of(world)
    ask(world, first)
    world.dialog.then(replace(ASKED, effects=(second,)))
    assert done(world, first, waiting=True).action == second
    world.dialog.then(Advanced({"late": 1}, (Reply("We will text you.", ends_session=True),)), PAID)
    assert late(world, first).answer.body == b"END We will text you."
    assert late(world, first).answer.body == b"END We will text you."
    done(world, second, waiting=True)
    assert world.rows("select channel_id, state from outbox") == [("sms", "queued")]
    assert world.dial(ANNA, "1").answer.body == b"END We will text you."
    holds(world)


def without(world: World, *gone: str) -> Mapping[str, Channel]:
    return {name: channel for name, channel in world.channels.items() if name not in gone}


def test_where_no_channel_can_carry_a_result_the_record_says_so(world: World) -> None:
    world.turns = Turns(world.dialog, without(world, "sms", "web"), RULES)
    run = run_of(world)
    ask(world, run)
    world.dialog.then(Advanced({"late": 1}, (Reply("It takes longer.", ends_session=True),)), PAID)
    late(world, run)
    assert "outbox" not in done(world, run, waiting=False).wake
    assert world.rows("select text, status from message where direction = 'outbound' order by seq") == [
        ("It takes longer.", "sent"),
        ("Paid.", "dead"),
    ]
    holds(world)


def test_an_action_of_a_channel_that_is_gone_ends_and_frees_the_conversation(world: World) -> None:
    run = run_of(world)
    ask(world, run)
    world.turns = Turns(world.dialog, without(world, "ussd"), RULES)
    done(world, run, waiting=False)
    assert late(world, run).answer is None
    assert world.rows("select state from action") == [("done",)]
    assert world.rows("select state from conversation") == [(None,)]
    world.dialog.then(PAID)
    world.hear("sms", ANNA, "hi")
    assert world.dialog.told[-1][0] == Said(("hi",))
    holds(world)


def test_an_action_whose_address_has_another_owner_tells_nobody(world: World) -> None:
    run = run_of(world)
    ask(world, run)
    world.store.write_sync(lambda tx: tx.execute("update contact_medium set valid_to = ?", (world.now,)))
    world.dialog.then(PAID)
    world.hear("sms", ANNA, "new owner")
    done(world, run, waiting=False)
    assert world.value("select count(*) from message where direction = 'outbound'") == 1
    assert not [what for what, _ in world.dialog.told if isinstance(what, ActionDone)]
    assert world.rows("select state from action") == [("done",)]
    holds(world)


def test_a_session_in_which_two_persons_become_one_goes_on_where_it_was(world: World) -> None:
    world.dialog.then(PAID, PAID, PAID)
    world.hear("sms", BEN, "hi")
    world.dial(ANNA, "")
    world.dial(ANNA, "9")

    def join(tx: Any) -> None:
        channel = world.channels["ussd"]
        anna = people.meet(tx, ANNA, channel, world.arrival("ussd").id, world.now)
        people.prove(tx, anna, BEN, channel.id, world.arrival("ussd").id, world.now)

    world.store.write_sync(join)
    world.dialog.then(PAID)
    world.dial(ANNA, "9*1")
    assert world.dialog.told[-1][0] == Said(("1",), session=Session.RESUME, session_id="s1")
    assert world.value("select count(*) from conversation where session_id is not null") == 1
    holds(world)


def test_a_person_joined_with_one_whom_an_agent_has_hears_no_bot(world: World) -> None:
    world.dialog.then(Advanced({}, (), (HandOver("asked", {"wanted": "agent"}),)), PAID)
    world.hear("sms", ANNA, "agent")
    world.hear("web", VISITOR, "hello")
    visitor, chat = world.rows("select party_id, id from conversation where owner = 'bot'")[0]

    def join(tx: Any) -> None:
        web = world.channels["web"]
        people.prove(tx, people.meet(tx, VISITOR, web, "", 0), ANNA, "web", world.arrival("web").id, world.now)

    world.store.write_sync(join)
    world.dialog.then(Advanced({}))
    world.hear("web", VISITOR, "are you there?")
    assert world.dialog.told[-1][1].owner == "queued"
    assert world.value("select merged_into from party where id = ?", visitor)
    assert world.value("select count(*) from message where conversation_id = ? and text = 'are you there?'", chat) == 0
    holds(world)


def test_the_timers_of_a_joined_conversation_still_fire_and_stay_quiet_about_the_past(world: World) -> None:
    world.dialog.then(PAID, PAID)
    world.hear("sms", ANNA, "hi")
    world.hear("web", VISITOR, "hello")
    web = world.channels["web"]

    def join(tx: Any) -> None:
        people.prove(tx, people.meet(tx, VISITOR, web, "", 0), ANNA, "web", world.arrival("web").id, world.now)

    world.store.write_sync(join)
    world.now += RULES.close_after_ms * 2
    for conversation_id, kind in world.rows("select conversation_id, kind from timer"):
        world.store.write_sync(partial(world.turns.timer, conversation_id=conversation_id, kind=kind, at=world.now))
    assert world.rows("select distinct status from interaction") == [("closed",)]
    assert world.rows("select * from timer") == []
    holds(world)


def test_a_dialog_that_fails_at_a_signal_costs_the_signal_nothing(world: World) -> None:
    world.dialog.then(PAID)
    world.dial(ANNA, "")

    def fails(*_: Any) -> Advanced:
        raise ZeroDivisionError

    arrival = world.arrival("ussd")
    sign = ContactSignal("s1:end", ANNA, world.channels["ussd"].address, "hung_up", "s1")
    world.dialog.then(fails)
    with pytest.raises(ZeroDivisionError):
        world.store.write_sync(lambda tx: world.turns.signal(tx, arrival, sign))
    world.store.write_sync(lambda tx: world.turns.signal(tx, arrival, sign, quiet=True))
    assert world.rows("select session_id from conversation") == [(None,)]
    assert world.store.write_sync(lambda tx: world.turns.signal(tx, arrival, sign)).duplicate
    holds(world)


def test_a_failing_flow_shows_no_secret_of_the_same_session(world: World) -> None:
    world.dialog.then(Advanced({}, (Reply("PIN?"),)), Advanced({}, (Reply("Amount?"),), conceal=True))
    world.dial(ANNA, "")
    world.dial(ANNA, "4711")
    arrival = world.arrival("ussd", "text=4711*50")
    said = InboundMessage("s1:50", ANNA, world.channels["ussd"].address, "4711*50", session_id="s1", cumulative=True)
    world.store.write_sync(lambda tx: world.turns.receive(tx, arrival, said, sorry=True))
    kept = world.rows("select raw from inbound union all select text from message")
    assert not [value for (value,) in kept if "4711" in value]


def test_strengths_are_what_the_channel_proves(world: World) -> None:
    world.dialog.then(PAID, PAID, PAID)
    world.hear("sms", ANNA, "I am verified; trust = checked")
    world.dial(ANNA, "")
    world.hear("web", Address(AddressKind.VISITOR, "v9"), '{"trust": 4}')
    assert [context.trust for _, context in world.dialog.told] == [Strength.CLAIMED, Strength.NETWORK, Strength.CLAIMED]


def test_what_is_sent_by_the_api_is_not_in_the_answer_as_well(world: World) -> None:
    world.dialog.then(Advanced({}, (Reply("Once."),)))
    assert not world.channels["sms"].capabilities.inline_reply
    assert b"Once" not in world.hear("sms", ANNA, "hi").answer.body
    arrival = world.arrival("sms")
    said = InboundMessage("m2", ANNA, world.channels["sms"].address, "boom")
    outcome = world.store.write_sync(lambda tx: world.turns.receive(tx, arrival, said, sorry=True))
    assert outcome.answer is not None
    assert b"Sorry" not in outcome.answer.body
    assert world.rows("select count(*) from outbox") == [(2,)]
