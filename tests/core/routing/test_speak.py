"""What agents say: on the customer's channel, only against what they have seen, and held back when it is overtaken."""

from __future__ import annotations

import pytest

from core import dispatch
from core.model.outbound import DeliveryStatus
from core.routing import speak, work
from core.routing.refused import Refused
from core.store import conversations, interactions, work_items
from core.store.agents import Agent
from core.store.api import Tx
from core.store.sqlite import SqliteStore
from tests.core.routing.cases import queued, refusal, working
from tests.core.routing.people import (
    CHANNELS,
    NOW,
    NUMBER,
    SMS,
    USSD,
    VISITOR,
    WEB,
    add_agent,
    bot_says,
    customer_says,
    hand_over,
    new_id,
)


def test_a_reply_goes_to_the_customers_channel_as_the_agents_word(store: SqliteStore) -> None:
    conversation_id, item_id = store.write_sync(queued)
    amina = store.write_sync(lambda tx: add_agent(tx, "amina"))
    store.write_sync(lambda tx: work.claim(tx, item_id, amina, NOW))
    seq = store.read_sync(lambda tx: conversations.load(tx, conversation_id).seq)

    spoken = store.write_sync(
        lambda tx: speak.reply(tx, CHANNELS, conversation_id, amina, " Hello \r\nthere\x07 ", against_seq=seq, cause=new_id(), at=NOW)
    )

    row = store.read_sync(
        lambda tx: tx.one(
            "select m.text, m.author, m.agent_id, m.channel_id, o.recipient, o.state from message m join outbox o on o.message_id = m.id"
            " where m.id = ?",
            (spoken.message_id,),
        )
    )
    assert row == ("Hello \nthere", "agent", amina.id, "sms", NUMBER.value, "queued")
    assert not spoken.pulled


def test_a_ussd_customer_is_answered_by_sms_and_a_visitor_in_the_chat(store: SqliteStore) -> None:
    amina = store.write_sync(lambda tx: add_agent(tx, "amina"))

    def answer(tx: Tx, channel: object, address: object) -> tuple[str, bool]:
        conversation_id = customer_says(tx, "9", channel, address)
        work.claim(tx, hand_over(tx, channel, address), amina, NOW)
        seq = conversations.load(tx, conversation_id).seq
        spoken = speak.reply(tx, CHANNELS, conversation_id, amina, "Hello", against_seq=seq, cause=new_id(), at=NOW)
        return tx.one("select channel_id from message where id = ?", (spoken.message_id,))[0], spoken.pulled

    assert store.write_sync(lambda tx: answer(tx, USSD, NUMBER)) == ("sms", False)
    assert store.write_sync(lambda tx: answer(tx, WEB, VISITOR)) == ("web", True)


def test_a_reply_against_an_outdated_number_is_refused_and_leaves_nothing(store: SqliteStore) -> None:
    conversation_id, _, amina, seq = working(store)
    store.write_sync(lambda tx: customer_says(tx, "one more thing"))

    refused = refusal(store, lambda tx: speak.reply(tx, CHANNELS, conversation_id, amina, "Hello", against_seq=seq, cause=new_id(), at=NOW))

    assert (refused.code, refused.details["newer"]) == ("outdated", 1)
    assert store.read_sync(lambda tx: tx.one("select count(*) from message where author = 'agent'")) == (0,)
    newest = refused.details["seq"]
    store.write_sync(lambda tx: speak.reply(tx, CHANNELS, conversation_id, amina, "Hello", against_seq=newest, cause=new_id(), at=NOW))


def test_own_words_do_not_make_a_reply_outdated_but_a_colleagues_do(store: SqliteStore) -> None:
    conversation_id, item_id, amina, seq = working(store)
    boss = store.write_sync(lambda tx: add_agent(tx, "zola", "supervisor"))

    def say(agent: Agent, against: int) -> speak.Spoken:
        return store.write_sync(
            lambda tx: speak.reply(tx, CHANNELS, conversation_id, agent, "Hello", against_seq=against, cause=new_id(), at=NOW)
        )

    say(amina, seq)
    spoken = say(amina, seq)
    store.write_sync(lambda tx: work.take_over(tx, item_id, boss, NOW))
    with pytest.raises(Refused) as caught:
        say(boss, seq)
    assert caught.value.code == "outdated"
    say(boss, spoken.seq)


def test_the_same_reply_again_is_one_message(store: SqliteStore) -> None:
    conversation_id, _, amina, seq = working(store)
    cause = new_id()
    twice = [
        store.write_sync(lambda tx: speak.reply(tx, CHANNELS, conversation_id, amina, "Hello", against_seq=seq, cause=cause, at=NOW))
        for _ in range(2)
    ]
    assert twice[0] == twice[1]
    assert store.read_sync(lambda tx: tx.one("select count(*) from outbox")) == (1,)


@pytest.mark.parametrize(("text", "code"), [("  \x00 ", "empty"), ("x" * 1_601, "too_long")])
def test_a_reply_that_no_channel_takes_is_refused(store: SqliteStore, text: str, code: str) -> None:
    conversation_id, _, amina, seq = working(store)
    refused = refusal(store, lambda tx: speak.reply(tx, CHANNELS, conversation_id, amina, text, against_seq=seq, cause=new_id(), at=NOW))
    assert refused.code == code


def test_a_reply_held_back_at_sending_goes_out_once_when_asked_again(store: SqliteStore) -> None:
    conversation_id, _, amina, seq = working(store)
    held = store.write_sync(lambda tx: speak.reply(tx, CHANNELS, conversation_id, amina, "Hello", against_seq=seq, cause=new_id(), at=NOW))
    assert refusal(store, lambda tx: speak.again(tx, CHANNELS, held.message_id, amina, against_seq=99, at=NOW)).code == "not_held_back"
    store.write_sync(lambda tx: customer_says(tx, "wait"))
    assert store.write_sync(lambda tx: dispatch.claim(tx, CHANNELS, NOW, "lease", 10, 1_000)) == []
    assert store.read_sync(lambda tx: tx.one("select status from message where id = ?", (held.message_id,))) == (DeliveryStatus.CANCELLED,)

    assert refusal(store, lambda tx: speak.again(tx, CHANNELS, held.message_id, amina, against_seq=seq, at=NOW)).code == "outdated"
    sent = [store.write_sync(lambda tx: speak.again(tx, CHANNELS, held.message_id, amina, against_seq=99, at=NOW)) for _ in range(2)]

    assert sent[0].message_id == sent[1].message_id != held.message_id
    due = store.write_sync(lambda tx: dispatch.claim(tx, CHANNELS, NOW, "lease", 10, 1_000))
    assert [one.message.reply.text for one in due] == ["Hello"]


def test_the_bots_unsent_words_are_held_back_once_an_agent_has_the_conversation(store: SqliteStore) -> None:
    _, item_id = store.write_sync(queued)
    amina = store.write_sync(lambda tx: add_agent(tx, "amina"))
    store.write_sync(lambda tx: bot_says(tx, "Anything else?"))
    store.write_sync(lambda tx: work.claim(tx, item_id, amina, NOW))
    assert store.write_sync(lambda tx: dispatch.claim(tx, CHANNELS, NOW, "lease", 10, 1_000)) == []


def test_after_a_contact_has_ended_a_reply_opens_the_next_one(store: SqliteStore) -> None:
    conversation_id, item_id, amina, seq = working(store)
    contact = store.read_sync(lambda tx: work_items.find(tx, item_id)).interaction_id

    def time_out(tx: Tx) -> None:
        conversation = conversations.load(tx, conversation_id)
        interactions.close_one(tx, conversation, contact, reason="timeout", at=NOW)
        conversations.save(tx, conversation)

    store.write_sync(time_out)
    store.write_sync(lambda tx: speak.reply(tx, CHANNELS, conversation_id, amina, "Hello", against_seq=seq, cause=new_id(), at=NOW + 1))
    opened = store.read_sync(lambda tx: tx.all("select direction, previous_id from interaction where status = 'open'"))
    assert opened == [("outbound", contact)]


def test_who_opted_out_is_not_written_to_until_they_write_again(store: SqliteStore) -> None:
    conversation_id, _, amina, seq = working(store)
    store.write_sync(lambda tx: tx.execute("update contact_medium set opted_out_at = ?", (NOW + 1,)))

    def reply(tx: Tx) -> speak.Spoken:
        return speak.reply(tx, CHANNELS, conversation_id, amina, "Hello", against_seq=seq + 1, cause=new_id(), at=NOW + 2)

    refused = refusal(store, reply)
    assert (refused.code, refused.details["problem"]) == ("no_channel", "opted_out")
    store.write_sync(lambda tx: customer_says(tx, "are you there?", at=NOW + 3))
    assert store.write_sync(reply).seq > seq


def test_a_number_that_has_a_new_owner_is_not_written_to(store: SqliteStore) -> None:
    conversation_id, _, amina, seq = working(store)
    store.write_sync(lambda tx: tx.execute("update contact_medium set valid_to = ?", (NOW,)))
    refused = refusal(
        store, lambda tx: speak.reply(tx, {"sms": SMS}, conversation_id, amina, "Hello", against_seq=seq, cause=new_id(), at=NOW)
    )
    assert (refused.code, refused.details["problem"]) == ("no_channel", "moved")


@pytest.mark.parametrize("text", ["", " ", "x" * 4_001])
def test_a_note_has_words_and_a_limit(store: SqliteStore, text: str) -> None:
    conversation_id, _, amina, _ = working(store)
    assert refusal(store, lambda tx: speak.note(tx, conversation_id, amina, text, cause=new_id(), at=NOW)).code == "bad_text"
