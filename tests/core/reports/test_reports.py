"""What people ask of the record: interactions, a person, and whether everything that must be true is true."""

from __future__ import annotations

from typing import Any

import pytest

from core.model.dialog import Advanced, CloseInteraction, HandOver
from core.model.outbound import Reply
from core.reports import customer, interactions, leftovers
from core.reports.interactions import Filter
from core.reports.invariants import RULES, check

ANNA = "+254700000001"


@pytest.fixture
def told(world: Any) -> Any:
    """Anna wrote twice by SMS with an end between, and dialled once; Ben asked for an agent."""
    world.dialog.then(
        Advanced({}, (Reply("done"),), (CloseInteraction(),)),
        Advanced({}, (Reply("again"),)),
        Advanced({}, (Reply("menu"),)),
        Advanced({}, (Reply("wait"),), (HandOver("asked", {"wanted": "a person"}),)),
    )
    anna, ben = (world_address(world, number) for number in (ANNA, "+254700000002"))
    world.hear("sms", anna, "first")
    world.hear("sms", anna, "second")
    world.dial(anna, "")
    world.hear("sms", ben, "agent")
    return world


def world_address(world: Any, number: str) -> Any:
    kind = type(world.channels["sms"].address)
    return kind(world.channels["sms"].address.kind, number)


def found(world: Any, **wanted: Any) -> list[dict[str, Any]]:
    return world.store.read_sync(lambda tx: interactions.search(tx, Filter(**wanted)))


def test_interactions_come_newest_first_and_are_linked(told: Any) -> None:
    ussd, second, first = found(told, address=ANNA)
    assert [one["channel_id"] for one in (ussd, second, first)] == ["ussd", "sms", "sms"]
    assert (first["status"], second["previous_id"], ussd["previous_id"]) == ("closed", first["id"], second["id"])


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({}, 4),
        ({"channel": "sms"}, 3),
        ({"channel": "sms", "status": "open"}, 2),
        ({"status": "closed"}, 1),
        ({"address": ANNA}, 3),
        ({"address": ANNA, "channel": "ussd"}, 1),
        ({"address": "+254700000009"}, 0),
        ({"party": "nobody"}, 0),
        ({"limit": 2}, 2),
        ({"address": "' or 1=1 --"}, 0),
    ],
)
def test_a_filter_lets_through_what_fits_all_of_it(told: Any, wanted: dict[str, Any], count: int) -> None:
    assert len(found(told, **wanted)) == count


def test_since_counts_the_latest_word(told: Any) -> None:
    latest = told.value("select max(last_at) from interaction")
    assert len(found(told, since=latest)) == 1
    assert found(told, since=latest + 1) == []


def test_a_person_is_shown_with_everything(told: Any) -> None:
    person = told.store.read_sync(lambda tx: customer.by_address(tx, ANNA, 50))
    assert person["role"] == "prospect"
    assert [(one["kind"], one["value"], one["valid_to"]) for one in person["addresses"]] == [("msisdn", ANNA, None)]
    assert [message["text"] for message in person["messages"] if message["author"] == "customer"][:2] == ["first", "second"]
    assert len(person["interactions"]) == 3
    assert {one["id"] for one in found(told, party=person["id"])} == {one["id"] for one in person["interactions"]}


def test_a_number_that_two_people_have_shows_who_is_known_best_and_names_the_other(told: Any) -> None:
    def share(tx: Any) -> None:
        tx.execute("update contact_medium set kind = 'whatsapp', strength = 0, valid_from = valid_from + 1 where value = '+254700000002'")
        tx.execute("update contact_medium set strength = 1 where value = ?", (ANNA,))
        tx.execute("update contact_medium set value = ? where kind = 'whatsapp'", (ANNA,))

    ben = told.store.read_sync(lambda tx: customer.by_address(tx, "+254700000002", 50))
    anna = told.store.read_sync(lambda tx: customer.by_address(tx, ANNA, 50))
    assert anna["others"] == []
    told.store.write_sync(share)
    shown, other, nobody = (
        told.store.read_sync(lambda tx, kind=kind: customer.by_address(tx, ANNA, 50, kind)) for kind in ("", "whatsapp", "email")
    )
    assert (shown["id"], shown["others"]) == (anna["id"], ["whatsapp"])
    assert (other["id"], other["others"]) == (ben["id"], ["msisdn"])
    assert nobody is None


def test_nobody_is_none(told: Any) -> None:
    assert told.store.read_sync(lambda tx: customer.by_address(tx, "+254700000009", 50)) is None


def test_nothing_is_left_over_and_then_something_is(told: Any) -> None:
    def count() -> tuple[int, int]:
        return told.store.read_sync(lambda tx: (leftovers.unreadable_requests(tx), leftovers.unsent_messages(tx)))

    assert count() == (0, 0)
    run(told, "insert into unreadable (id, channel_id, code, received_at, raw) values ('u', 'sms', 'json', 1, x'00')")
    run(told, "update message set status = 'dead' where id = (select id from message where direction = 'outbound' and text = 'again')")
    assert count() == (1, 1)


def run(world: Any, sql: str) -> None:
    assert world.store.write_sync(lambda tx: tx.execute(sql)) > 0


def test_a_real_record_keeps_every_rule(told: Any) -> None:
    assert told.store.read_sync(check) == []


BREAKS = {
    "message_without_journal": "delete from inbound where external_id = (select max(external_id) from inbound)",
    "message_without_event": "update event set ref = null where kind = 'message.in'",
    "event_gap": "delete from event where seq = 2",
    "message_without_outbox": "update outbox set state = 'accepted'",
    "attempt_gap": "insert into attempt (message_id, number, started_at) select message_id, 2, 1 from outbox limit 1",
    "two_open_attempts": "insert into attempt (message_id, number, started_at) values ('m', 1, 1), ('m', 2, 1)",
    "status_behind_report": "insert into delivery_report (channel_id, external_id, status, message_id, received_at)"
    " select channel_id, 'SM1', 'delivered', id, 1 from message where direction = 'outbound' limit 1",
    "interaction_half_closed": "update interaction set closed_at = 1 where status = 'open'",
    "interaction_link_broken": "update interaction set opened_at = 9 where previous_id is not null",
    "queued_without_item": "update work_item set state = 'done'",
    "item_without_owner": "update conversation set owner = 'bot'",
    "address_with_two_owners": "insert into contact_medium (id, party_id, kind, value, strength, evidence, valid_from, valid_to)"
    " select 'x', party_id, kind, value, strength, evidence, valid_from, valid_from + 1 from contact_medium limit 1",
    "action_left_running": "insert into action (id, conversation_id, interaction_id, name, payload, state, due_at, created_at)"
    " select 'a', conversation_id, id, 'x', '{}', 'done', 1, 1 from interaction limit 1",
}


@pytest.mark.parametrize("code", [rule.code for rule in RULES])
def test_each_rule_has_teeth(told: Any, code: str) -> None:
    run(told, BREAKS[code])
    assert code in {broken.code for broken in told.store.read_sync(check)}
