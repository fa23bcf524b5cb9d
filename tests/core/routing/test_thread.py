"""The one timeline of a person: every channel, joined records included, in the order of the log and without holes."""

from __future__ import annotations

from core.identity import people
from core.model.address import Strength
from core.routing import board, person, thread, work
from core.store import agents as agent_rows
from core.store import conversations
from core.store.api import Tx
from core.store.sqlite import SqliteStore
from tests.core.routing.people import CHANNELS, NOW, NUMBER, SMS, USSD, VISITOR, WEB, add_agent, bot_says, customer_says, hand_over, new_id


def texts(store: SqliteStore, conversation_id: str, limit: int = 100) -> list[str]:
    def unit(tx: Tx) -> list[str]:
        entries, _ = thread.page(tx, person.conversation_ids(tx, conversation_id), limit=limit)
        return [entry["message"]["text"] for entry in entries if "message" in entry]

    return store.read_sync(unit)


def test_all_channels_stand_in_one_line(store: SqliteStore) -> None:
    def unit(tx: Tx) -> str:
        customer_says(tx, "one", USSD)
        bot_says(tx, "two", USSD)
        customer_says(tx, "three", SMS)
        return customer_says(tx, "four", USSD)

    assert texts(store, store.write_sync(unit)) == ["one", "two", "three", "four"]


def test_after_a_visitor_has_proved_a_number_both_histories_are_one(store: SqliteStore) -> None:
    def unit(tx: Tx) -> tuple[str, str]:
        customer_says(tx, "by sms", SMS)
        before = customer_says(tx, "in the chat", WEB, VISITOR)
        visitor = conversations.person(tx, VISITOR, WEB.id)
        people.prove(tx, visitor, NUMBER, WEB.id, new_id(), NOW)
        return before, customer_says(tx, "after the proof", WEB, VISITOR)

    before, after = store.write_sync(unit)
    assert before != after
    assert texts(store, after) == ["by sms", "in the chat", "after the proof"] == texts(store, before)
    card = store.read_sync(lambda tx: person.card(tx, before))
    assert {one["value"]: one["strength"] for one in card["addresses"]}[VISITOR.value] == Strength.PROVED.name.lower()
    assert {one["value"] for one in card["addresses"]} == {NUMBER.value, VISITOR.value}


def test_pages_join_without_a_hole_over_joined_histories(store: SqliteStore) -> None:
    def unit(tx: Tx) -> str:
        for number in range(30):
            customer_says(tx, f"s{number}", SMS)
            customer_says(tx, f"w{number}", WEB, VISITOR)
        visitor = conversations.person(tx, VISITOR, WEB.id)
        people.prove(tx, visitor, NUMBER, WEB.id, new_id(), NOW)
        return customer_says(tx, "end", SMS)

    conversation_id = store.write_sync(unit)
    ids = store.read_sync(lambda tx: person.conversation_ids(tx, conversation_id))
    found: list[int] = []
    before, older = None, True
    while older:
        entries, older = store.read_sync(lambda tx, before=before: thread.page(tx, ids, before, 7))
        found = [entry["cursor"] for entry in entries] + found
        before = entries[0]["cursor"]
    marks = ", ".join("?" * len(ids))
    log = f"select cursor from event where conversation_id in ({marks}) order by cursor"
    assert found == [row[0] for row in store.read_sync(lambda tx: tx.all(log, ids))]


def test_lists_show_the_last_words_of_people_and_who_has_what(store: SqliteStore) -> None:
    def unit(tx: Tx) -> None:
        customer_says(tx, "my phone is lost")
        item = hand_over(tx)
        bot_says(tx, "I am passing this on")
        work.claim(tx, item, add_agent(tx, "amina"), NOW)
        add_agent(tx, "zola", "supervisor")

    store.write_sync(unit)
    amina, zola = store.read_sync(agent_rows.everyone)
    mine = store.read_sync(lambda tx: board.lists(tx, amina))
    assert [(line["last"]["text"], line["last"]["author"], line["customer_at"]) for line in mine["mine"]] == [
        ("my phone is lost", "customer", NOW)
    ]
    assert "others" not in mine
    others = store.read_sync(lambda tx: board.lists(tx, zola))["others"]
    assert [line["agent_name"] for line in others] == ["Amina"]


def test_ways_to_reply_begin_with_the_one_used_last_and_say_why_not(store: SqliteStore) -> None:
    def unit(tx: Tx) -> str:
        customer_says(tx, "one", USSD, at=NOW)
        conversation = customer_says(tx, "two", SMS, at=NOW + 1)
        tx.execute("update contact_medium set opted_out_at = ?", (NOW + 2,))
        return conversation

    conversation_id = store.write_sync(unit)
    ways = store.read_sync(lambda tx: person.ways(tx, CHANNELS, conversation_id))
    assert [(way["channel"], way["address"], way["possible"], way["problem"]) for way in ways] == [
        ("sms", NUMBER.value, False, "opted_out")
    ]
