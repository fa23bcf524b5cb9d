"""Who holds a hand-over: one owner at any time, whoever races."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from core import agents
from core.routing import speak, work
from core.routing.refused import Refused
from core.store import conversations, interactions, work_items
from core.store.agents import Agent
from core.store.api import Tx
from core.store.sqlite import SqliteStore
from tests.core.routing.cases import queued, refusal, two_agents, working
from tests.core.routing.people import (
    CHANNELS,
    NOW,
    NUMBER,
    add_agent,
    hand_over,
    new_id,
)


def test_a_claim_makes_the_agent_the_owner_with_a_new_epoch(store: SqliteStore) -> None:
    conversation_id, item_id = store.write_sync(queued)
    amina = store.write_sync(lambda tx: add_agent(tx, "amina"))
    before = store.read_sync(lambda tx: conversations.load(tx, conversation_id))

    item = store.write_sync(lambda tx: work.claim(tx, item_id, amina, NOW + 1))

    after = store.read_sync(lambda tx: conversations.load(tx, conversation_id))
    assert (item.state, item.agent_id, item.claimed_at) == ("working", amina.id, NOW + 1)
    assert (after.owner, after.agent_id, after.owner_epoch) == ("agent", amina.id, before.owner_epoch + 1)


def test_the_second_to_claim_is_told_who_has_it(store: SqliteStore) -> None:
    _, item_id = store.write_sync(queued)
    amina, boris = store.write_sync(two_agents)
    store.write_sync(lambda tx: work.claim(tx, item_id, amina, NOW))

    refused = refusal(store, lambda tx: work.claim(tx, item_id, boris, NOW))

    assert (refused.code, refused.details["agent"]) == ("taken", "Amina")
    assert store.write_sync(lambda tx: work.claim(tx, item_id, amina, NOW + 5)).version == 2, "the winner may ask again"


def test_of_many_agents_at_once_exactly_one_gets_each_item(store: SqliteStore) -> None:
    crowd = store.write_sync(lambda tx: [add_agent(tx, f"agent{n}") for n in range(8)])
    items = store.write_sync(lambda tx: [hand_over(tx, address=type(NUMBER)(NUMBER.kind, f"+2547220001{n:02}")) for n in range(10)])

    def race(agent: Agent) -> list[str]:
        won = []
        for item_id in items:
            with suppress(Refused):
                won.append(store.write_sync(lambda tx, item_id=item_id: work.claim(tx, item_id, agent, NOW)).id)
        return won

    with ThreadPoolExecutor(len(crowd)) as pool:
        wins = [item_id for won in pool.map(race, crowd) for item_id in won]

    assert sorted(wins) == sorted(items)


def test_only_the_holder_may_reply_and_close(store: SqliteStore) -> None:
    conversation_id, item_id = store.write_sync(queued)
    amina, boris = store.write_sync(two_agents)

    def reply(tx: Tx) -> speak.Spoken:
        return speak.reply(tx, CHANNELS, conversation_id, boris, "Hello", against_seq=99, cause=new_id(), at=NOW)

    assert refusal(store, reply).code == "not_yours"
    store.write_sync(lambda tx: work.claim(tx, item_id, amina, NOW))
    assert refusal(store, reply).code == "not_yours"
    assert refusal(store, lambda tx: work.close(tx, item_id, boris, "resolved", NOW)).code == "not_yours"
    store.write_sync(lambda tx: work.close(tx, item_id, amina, "resolved", NOW))
    assert refusal(store, reply).code == "done"
    assert refusal(store, lambda tx: work.claim(tx, item_id, boris, NOW)).code == "done"


def test_closing_ends_the_item_and_every_open_contact_and_keeps_the_note_inside(store: SqliteStore) -> None:
    conversation_id, item_id, amina, _ = working(store)

    store.write_sync(lambda tx: work.close(tx, item_id, amina, "resolved", NOW + 9, note="Called the shop"))

    item = store.read_sync(lambda tx: work_items.find(tx, item_id))
    contact = store.read_sync(lambda tx: interactions.get(tx, item.interaction_id))
    assert (item.state, item.disposition, item.ended_at) == ("done", "resolved", NOW + 9)
    assert (contact["status"], contact["close_reason"], contact["disposition"]) == ("closed", "agent", "resolved")
    assert store.read_sync(lambda tx: tx.one("select count(*) from outbox")) == (0,)
    kinds = [row[0] for row in store.read_sync(lambda tx: tx.all("select kind from event where conversation_id = ?", (conversation_id,)))]
    assert kinds[-4:] == ["note.added", "work_item.closed", "interaction.closed", "owner.changed"]
    assert store.read_sync(lambda tx: conversations.load(tx, conversation_id)).owner == "bot"


def test_a_released_item_waits_again_with_its_age(store: SqliteStore) -> None:
    conversation_id, item_id, amina, _ = working(store)
    item = store.write_sync(lambda tx: work.release(tx, item_id, amina, NOW + 60_000))
    conversation = store.read_sync(lambda tx: conversations.load(tx, conversation_id))
    assert (item.state, item.agent_id, item.created_at) == ("waiting", None, NOW)
    assert (conversation.owner, conversation.agent_id) == ("queued", None)


def test_only_a_supervisor_takes_over_or_sends_back(store: SqliteStore) -> None:
    _, item_id, amina, _ = working(store)
    boris, boss = store.write_sync(lambda tx: (add_agent(tx, "boris"), add_agent(tx, "zola", "supervisor")))
    assert refusal(store, lambda tx: work.take_over(tx, item_id, boris, NOW)).code == "not_yours"
    assert refusal(store, lambda tx: work.force_return(tx, item_id, boris, NOW)).code == "not_yours"
    assert store.write_sync(lambda tx: work.take_over(tx, item_id, boss, NOW)).agent_id == boss.id
    assert refusal(store, lambda tx: work.release(tx, item_id, amina, NOW)).code == "not_yours"
    assert store.write_sync(lambda tx: work.force_return(tx, item_id, boss, NOW)).state == "waiting"


def test_a_disabled_agents_work_goes_back_to_the_queue(store: SqliteStore) -> None:
    conversation_id, item_id, amina, _ = working(store)
    store.write_sync(lambda tx: agents.disable(tx, amina.id, NOW))
    assert store.read_sync(lambda tx: work_items.find(tx, item_id)).state == "waiting"
    assert store.read_sync(lambda tx: conversations.load(tx, conversation_id)).owner == "queued"


def test_the_lists_of_the_desk_never_read_the_hand_overs_of_the_past(store: SqliteStore) -> None:
    read: list[str] = []

    def explained(tx: Tx) -> None:
        class Explaining:
            def all(self, sql: str, args: object = ()) -> list[object]:
                read.extend(row[3] for row in tx.all(f"explain query plan {sql}", args) if "work_item w" in sql)
                return tx.all(sql, args)

        work_items.waiting(Explaining(), 10)
        work_items.working(Explaining(), 10)
        work_items.working(Explaining(), 10, "a")
        work_items.held_by(Explaining(), "a")
        work_items.counts(Explaining())

    store.read_sync(explained)
    plans = [step for step in read if step.split()[1] == "w"]
    assert len(plans) == 5
    assert all("work_item_live" in step and step.startswith("SEARCH") for step in plans), plans
