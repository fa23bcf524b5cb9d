"""How long a person is kept on the line for a result, and what becomes of it then; the clock is the test's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core import calls
from core.model.dialog import ActionDone, ActionHeld, ActionLate, Advanced, RunAction, SessionEnded
from core.model.inbound import ContactSignal
from core.model.outbound import Reply
from core.reports.invariants import check
from core.turn import Turns
from tests.core.conftest import ANNA, RULES, World

HOLD_S = 10
WAIT = Advanced({"waits": 1}, (Reply("One moment.", holds=True),))
PAID = Advanced({}, (Reply("Paid."),))


@pytest.fixture
def line(world: World) -> World:
    """The world with a channel on which people can be kept waiting."""
    ussd = world.channels["ussd"]
    channels = {**world.channels, "ussd": replace(ussd, capabilities=replace(ussd.capabilities, hold_s=HOLD_S))}
    return World(world.store, channels, world.dialog, Turns(world.dialog, channels, RULES), world.now)


def asked(line: World, name: str = "action_pay", **more: Any) -> RunAction:
    return RunAction(name, line.arrival("sms").id, {"slots": {}}, **more)


def begin(line: World, run: RunAction) -> None:
    line.dialog.then(Advanced({"waits": 1}, (), (run,)))
    assert line.dial(ANNA, "1").answer is None


def late(line: World, run: RunAction, after_s: float) -> Any:
    return line.store.write_sync(lambda tx: line.turns.action_late(tx, run.key, line.now + int(after_s * 1000)))


def done(line: World, run: RunAction, after_s: float = 0.0, *, waiting: bool = False) -> Any:
    at = line.now + int(after_s * 1000)
    return line.store.write_sync(lambda tx: line.turns.action_done(tx, run.key, ActionDone(run.key, run.name), at, waiting=waiting))


def following(line: World, run: RunAction) -> str:
    return str(line.value("select inbound_external from action where id = ?", run.key))


def again(line: World, external_id: str) -> calls.Held:
    return line.store.write_sync(lambda tx: calls.asked_again(tx, "ussd", external_id))


def hang_up(line: World) -> None:
    arrival = line.arrival("ussd")
    signal = ContactSignal(f"{arrival.id}:end", ANNA, line.channels["ussd"].address, "hung_up", "s1")
    line.store.write_sync(lambda tx: line.turns.signal(tx, arrival, signal))


def test_who_waits_is_asked_to_until_the_time_is_up_then_the_result_follows(line: World) -> None:
    run = asked(line)
    begin(line, run)
    line.dialog.then(WAIT, WAIT, Advanced({"late": 1}, (Reply("We will text you.", ends_session=True),)), PAID)
    first = late(line, run, 4)
    assert first.answer.body == b"CON One moment."
    assert again(line, following(line, run)) == calls.Held(action_id=run.key)
    second = late(line, run, 8)
    assert second.answer.body == b"CON One moment."
    assert late(line, run, 12).answer.body == b"END We will text you."
    told = [what for what, _ in line.dialog.told[1:]]
    assert told == [ActionHeld(run.key), ActionHeld(run.key, again=True), ActionLate(run.key)]
    done(line, run, 13)
    assert line.rows("select channel_id from outbox") == [("sms",)]
    assert line.store.read_sync(check) == []


def test_each_request_of_who_waits_has_its_own_answer_for_ever(line: World) -> None:
    run = asked(line)
    begin(line, run)
    line.dialog.then(WAIT, PAID)
    first = late(line, run, 4)
    poll = following(line, run)
    result = done(line, run, 5)
    assert result.answers == ("ussd", poll)
    for _ in range(2):
        assert again(line, poll).answer == result.answer
        assert line.dial(ANNA, "1").answer == first.answer
    assert line.rows("select 1 from outbox") == []
    assert again(line, "hold:nobody") == calls.Held()


def test_who_waits_goes_on_waiting_for_what_the_result_leads_to(line: World) -> None:
    run, then = asked(line), asked(line, "action_receipt")
    begin(line, run)
    line.dialog.then(WAIT, Advanced({"waits": 1}, (), (then,)), PAID)
    late(line, run, 4)
    poll = following(line, run)
    assert done(line, run, 5).answer is None
    assert again(line, poll) == calls.Held(action_id=then.key)
    assert done(line, then, 6).answers == ("ussd", poll)
    assert again(line, poll).answer is not None


@pytest.mark.parametrize("more", [{"slow": True}], ids=["known to be slow"])
def test_nobody_is_asked_to_wait_for_what_is_known_to_be_slow(line: World, more: dict[str, Any]) -> None:
    run = asked(line, **more)
    begin(line, run)
    line.dialog.then(Advanced({}, (Reply("We will text you.", ends_session=True),)))
    assert late(line, run, 0).answer.body == b"END We will text you."


@pytest.mark.parametrize(("fetched", "unheard"), [(False, True), (True, False)])
def test_a_result_that_nobody_fetched_is_told_to_the_dialog_when_the_line_drops(line: World, *, fetched: bool, unheard: bool) -> None:
    run = asked(line)
    begin(line, run)
    line.dialog.then(WAIT, PAID, Advanced({}, ()), Advanced({}, ()))
    late(line, run, 4)
    poll = following(line, run)
    done(line, run, 5)
    if fetched:
        again(line, poll)
    hang_up(line)
    assert line.dialog.told[-1][0] == SessionEnded("s1", unheard=unheard)


def test_a_result_after_the_line_dropped_follows_by_message(line: World) -> None:
    run = asked(line)
    begin(line, run)
    line.dialog.then(WAIT, Advanced({"waits": 1}, ()), PAID)
    late(line, run, 4)
    hang_up(line)
    done(line, run, 5)
    assert line.rows("select channel_id from outbox") == [("sms",)]
