"""Files of agents in the record: with the reply or not at all, only where the way carries them, once, and again when the reply is."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from core.model.capabilities import FileLimits
from core.model.inbound import Media
from core.routing import board, files, speak, work
from core.routing.refused import Refused
from core.store import conversations, media
from core.store.agents import Agent
from core.store.messages import reply_of
from core.store.sqlite import SqliteStore
from tests.core.routing.cases import refusal, working
from tests.core.routing.people import CHANNELS, NOW, SMS, VISITOR, WEB, add_agent, customer_says, hand_over, new_id

DIGEST = "ab" * 32
PICTURE = Media("image", content_type="image/png", name="a.png", values={"digest": DIGEST, "size": "70"})
LIMITS = FileLimits(frozenset({"image/png"}), 100, captioned=frozenset({"image"}), caption_max_chars=10)
MMS = replace(SMS, capabilities=replace(SMS.capabilities, media=frozenset({"image", "document"}), file_limits=LIMITS))
ABLE = MappingProxyType({**CHANNELS, "sms": MMS, "web": replace(WEB, capabilities=replace(WEB.capabilities, media=frozenset({"image"})))})


def said(store: SqliteStore, conversation_id: str, agent: Agent, seq: int, text: str = "", **more: Any) -> speak.Spoken:
    more = {"cause": new_id(), "at": NOW, "file": PICTURE, **more}
    return store.write_sync(lambda tx: speak.reply(tx, ABLE, conversation_id, agent, text, against_seq=seq, **more))


def test_a_file_is_recorded_with_its_message_and_queued(store: SqliteStore) -> None:
    conversation_id, _, amina, seq = working(store)
    cause = new_id()
    spoken = said(store, conversation_id, amina, seq, cause=cause)
    assert said(store, conversation_id, amina, seq, cause=cause) == spoken, "the same request again is the same message"
    (item,) = store.read_sync(lambda tx: media.of_messages(tx, [spoken.message_id]))[spoken.message_id]
    assert (item.state, item.kind, item.name, item.content_type, item.digest, item.size) == (
        "stored",
        "image",
        "a.png",
        "image/png",
        DIGEST,
        70,
    )
    text, content, state = store.read_sync(
        lambda tx: tx.one("select m.text, m.content, o.state from message m join outbox o on o.message_id = m.id where m.author = 'agent'")
    )
    assert (text, state) == ("", "queued")
    assert reply_of(text, content).media == (PICTURE,)
    assert store.read_sync(lambda tx: media.named(tx, [DIGEST, "cd" * 32])) == {DIGEST}
    (line,) = store.read_sync(lambda tx: board.lists(tx, amina))["mine"]
    assert (line["last"]["text"], line["last"]["attached"]) == ("", "image")


@pytest.mark.parametrize(
    ("code", "text", "changes"),
    [
        ("type_refused", "", {"content_type": "image/gif"}),
        ("type_refused", "", {"kind": "audio"}),
        ("too_large", "", {"values": {"digest": DIGEST, "size": "101"}}),
        ("no_caption", "look", {"kind": "document"}),
        ("too_long", "x" * 11, {}),
    ],
)
def test_what_the_way_does_not_take_is_refused_and_leaves_nothing(store: SqliteStore, code: str, text: str, changes: Any) -> None:
    conversation_id, _, amina, seq = working(store)
    file = replace(PICTURE, **changes)
    refused = refusal(
        store, lambda tx: speak.reply(tx, ABLE, conversation_id, amina, text, against_seq=seq, cause=new_id(), at=NOW, file=file)
    )
    assert refused.code == code
    counts = "select (select count(*) from message where author = 'agent'), (select count(*) from media), (select count(*) from outbox)"
    assert store.read_sync(lambda tx: tx.one(counts)) == (0, 0, 0)


def test_a_way_without_files_says_so_in_a_sentence(store: SqliteStore) -> None:
    conversation_id, _, amina, seq = working(store)
    refused = refusal(
        store, lambda tx: speak.reply(tx, CHANNELS, conversation_id, amina, "a", against_seq=seq, cause=new_id(), at=NOW, file=PICTURE)
    )
    assert (refused.code, str(refused)) == ("no_files", "No file can be sent this way.")
    assert files.document(SMS) is None
    assert files.document(MMS) == {"types": ["image/png"], "max_bytes": 100, "captioned": ["image"], "caption_max_chars": 10}


def test_files_go_only_so_long_after_the_person_wrote(store: SqliteStore) -> None:
    conversation_id, _, amina, seq = working(store)
    limits = FileLimits(heard_within_ms=7_200_000)
    late = {"sms": replace(MMS, capabilities=replace(MMS.capabilities, file_limits=limits))}

    def say(at: int) -> speak.Spoken:
        return store.write_sync(
            lambda tx: speak.reply(tx, late, conversation_id, amina, "", against_seq=seq, cause=new_id(), at=at, file=PICTURE)
        )

    with pytest.raises(Refused) as caught:
        say(NOW + 7_200_000)
    assert (caught.value.code, str(caught.value)) == ("too_late", "Files can be sent this way for 2 hours after the customer wrote.")
    assert say(NOW + 7_199_999).seq > seq


def test_a_reply_without_words_and_file_stays_refused(store: SqliteStore) -> None:
    conversation_id, _, amina, seq = working(store)
    refused = refusal(store, lambda tx: speak.reply(tx, ABLE, conversation_id, amina, " ", against_seq=seq, cause=new_id(), at=NOW))
    assert refused.code == "empty"


def test_what_was_held_back_takes_its_file_along(store: SqliteStore) -> None:
    conversation_id, _, amina, seq = working(store)
    held = said(store, conversation_id, amina, seq, "look")
    store.write_sync(lambda tx: tx.execute("update message set status = 'cancelled' where id = ?", (held.message_id,)))
    newest = store.write_sync(lambda tx: conversations.load(tx, customer_says(tx, "wait")).seq)
    again = store.write_sync(lambda tx: speak.again(tx, ABLE, held.message_id, amina, against_seq=newest, at=NOW))
    items = store.read_sync(lambda tx: media.of_messages(tx, [held.message_id, again.message_id]))
    assert [one.digest for found in items.values() for one in found] == [DIGEST, DIGEST]


def test_a_visitor_has_it_in_the_thread(store: SqliteStore) -> None:
    amina = store.write_sync(lambda tx: add_agent(tx, "amina"))
    conversation_id = store.write_sync(lambda tx: customer_says(tx, "agent", WEB, VISITOR))
    store.write_sync(lambda tx: work.claim(tx, hand_over(tx, WEB, VISITOR), amina, NOW))
    seq = store.read_sync(lambda tx: conversations.load(tx, conversation_id).seq)
    assert said(store, conversation_id, amina, seq, "See here").pulled
