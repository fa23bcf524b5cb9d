"""Dead letters: what becomes one, who settles it, and what is left of it."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from core import deadletters, dispatch, receipts
from core.dispatch import Sending
from core.model.dialog import Advanced
from core.model.inbound import DeliveryReport
from core.model.outbound import Reply, SendError, SendErrorCode, SendResult
from core.reports.invariants import check
from core.routing.refused import Refused
from core.store import dead_letters, journal, kept_requests
from tests.core.conftest import ANNA, BEN, World

BAD_KEY = SendError(SendErrorCode.BAD_CREDENTIALS, retryable=False, ours=True, provider_code="20003")
BAD_NUMBER = SendError(SendErrorCode.BAD_ADDRESS, retryable=False, provider_code="21211")


def claim(world: World) -> list[Sending]:
    return world.store.write_sync(lambda tx: dispatch.claim(tx, world.channels, world.now, "me", 10, 120_000))


def sending(world: World, reply: Reply | None = None) -> Sending:
    world.dialog.then(Advanced({}, (reply or Reply("Hello."),)))
    world.hear("sms", ANNA, "hi")
    return claim(world)[0]


def fails(world: World, one: Sending, error: SendError) -> None:
    world.store.write_sync(lambda tx: dispatch.failed(tx, one, error, world.now, 120_000, 1.0))


def letters(world: World) -> list[deadletters.DeadLetter]:
    return world.store.read_sync(lambda tx: deadletters.everyone(tx, world.now))


def replay(world: World, letter_id: str) -> str:
    return world.store.write_sync(lambda tx: deadletters.replay(tx, letter_id, "susan", world.now))


def discard(world: World, letter_id: str, reason: str = "too old") -> None:
    world.store.write_sync(lambda tx: deadletters.discard(tx, letter_id, "susan", reason, world.now))


def acts(world: World) -> list[Any]:
    return [json.loads(body) for (body,) in world.rows("select body from event where kind like 'dead_letter.%' order by cursor")]


def test_a_failure_by_our_own_fault_is_a_dead_letter_and_one_by_theirs_is_not(world: World) -> None:
    fails(world, sending(world), BAD_KEY)
    fails(world, sending(world), BAD_NUMBER)
    (letter,) = letters(world)
    assert (letter.kind, letter.code, letter.attempts, letter.who, letter.content) == ("unsent", "20003", 1, ANNA.value, "Hello.")
    assert letter.replayable


def test_what_expired_is_one_and_what_was_held_back_is_not(world: World) -> None:
    world.dialog.then(Advanced({}, (Reply("one"),)), Advanced({}, (Reply("two"),)))
    world.hear("sms", ANNA, "a")
    world.hear("sms", BEN, "b")
    world.store.write_sync(lambda tx: tx.execute("update contact_medium set opted_out_at = ? where value = ?", (world.now + 1, BEN.value)))
    world.now += 10
    claim(world)
    world.now += 3_600_000
    world.store.write_sync(lambda tx: dispatch.take_over(tx, world.channels, "next", world.now))
    claim(world)
    world.now += 3_600_000
    claim(world)
    assert [(letter.state, letter.who) for letter in letters(world)] == [("expired", ANNA.value)]


def test_a_replay_sends_the_same_message_again_with_the_next_attempt_and_says_who(world: World) -> None:
    first = sending(world)
    fails(world, first, BAD_KEY)
    world.now += 86_400_000
    assert replay(world, letters(world)[0].id) == "queued"
    assert letters(world) == []
    (again,) = claim(world)
    assert (again.message.id, again.message.attempt) == (first.message.id, 2)
    world.store.write_sync(lambda tx: dispatch.sent(tx, again, SendResult("SM1"), world.now))
    assert world.rows("select status from message where direction = 'outbound'") == [("accepted",)]
    assert acts(world) == [{"by": "susan"}]
    assert world.store.read_sync(check) == []


def test_a_replay_does_not_talk_over_an_agent(world: World) -> None:
    fails(world, sending(world), BAD_KEY)
    world.store.write_sync(lambda tx: tx.execute("update conversation set owner = 'agent', owner_epoch = owner_epoch + 1"))
    replay(world, letters(world)[0].id)
    assert claim(world) == []
    assert world.rows("select status from message where direction = 'outbound'") == [("cancelled",)]
    assert letters(world) == []


def test_secret_words_are_forgotten_so_they_cannot_be_replayed(world: World) -> None:
    fails(world, sending(world, Reply("Your code is 123456.", sensitive=True)), BAD_KEY)
    (letter,) = letters(world)
    assert not letter.replayable
    assert "123456" not in letter.content
    with pytest.raises(Refused, match="forgotten"):
        replay(world, letter.id)
    discard(world, letter.id)
    assert letters(world) == []


def test_what_is_discarded_stays_in_the_record_with_who_and_why(world: World) -> None:
    fails(world, sending(world), BAD_KEY)
    (letter,) = letters(world)
    with pytest.raises(Refused) as refused:
        discard(world, letter.id, " \n ")
    assert refused.value.code == "no_reason"
    discard(world, letter.id, "the\nkey   was wrong")
    assert letters(world) == []
    assert world.rows("select state, handled_by, handled_reason from outbox") == [("failed", "susan", "the key was wrong")]
    assert acts(world) == [{"by": "susan", "reason": "the key was wrong"}]
    with pytest.raises(Refused) as refused:
        replay(world, letter.id)
    assert refused.value.code == "not_found"


def test_a_request_that_nobody_could_read_is_one_until_it_is_read(world: World) -> None:
    keep = partial(journal.keep_unreadable, channel_id="sms", code="bad_number", at=world.now, raw=b"\xff text", request="{}")
    world.store.write_sync(lambda tx: keep(tx, entry_id="e1"))
    (letter,) = letters(world)
    assert (letter.kind, letter.code, letter.state, letter.content) == ("unreadable", "bad_number", "unreadable", "\\xff text")
    assert replay(world, letter.id) == "marked"
    assert letters(world)[0].state == "waiting"
    ((entry_id, *_),) = world.store.read_sync(dead_letters.to_read_again)
    world.store.write_sync(lambda tx: dead_letters.still_unread(tx, entry_id, "bad_id"))
    assert [(one.state, one.code) for one in letters(world)] == [("unreadable", "bad_id")]
    replay(world, letter.id)
    world.store.write_sync(lambda tx: dead_letters.was_read(tx, entry_id, world.now, "susan"))
    assert letters(world) == []


def test_a_request_whose_message_cannot_be_recorded_again_stays_one(world: World) -> None:
    keep = partial(journal.keep_unreadable, channel_id="sms", code="not_recorded", at=world.now, raw=b"x", request="{}")
    world.store.write_sync(lambda tx: keep(tx, entry_id="e1"))
    replay(world, letters(world)[0].id)
    world.store.write_sync(lambda tx: keep(tx, entry_id="e1"))  # as the turn does when it fails again
    world.store.write_sync(lambda tx: dead_letters.was_read(tx, "e1", world.now, "susan"))
    assert [letter.code for letter in letters(world)] == ["not_recorded"]


def test_a_report_without_message_is_one_after_ten_minutes_and_can_be_joined(world: World) -> None:
    told = DeliveryReport("SM7", "delivered")
    world.store.write_sync(lambda tx: receipts.report(tx, "sms", told, world.now))
    assert letters(world) == []
    world.now += 600_000
    (letter,) = letters(world)
    assert (letter.kind, letter.state, letter.content) == ("report", "delivered", "SM7")
    with pytest.raises(Refused) as refused:
        replay(world, letter.id)
    assert refused.value.code == "still_unjoined"
    one = sending(world)
    world.store.write_sync(lambda tx: dispatch.sent(tx, one, SendResult("SM8"), world.now))
    world.store.write_sync(lambda tx: tx.execute("update outbox set external_id = 'SM7'"))
    assert replay(world, letter.id) == "joined"
    assert world.rows("select status from message where direction = 'outbound'") == [("delivered",)]
    assert letters(world) == []


def keep_mail(world: World, code: str | None) -> None:
    about = json.dumps({"headers": {"mail-from": "jo@example.org", "rcpt-to": "help@demo.example"}})
    world.store.write_sync(lambda tx: kept_requests.keep(tx, "k1", "mail", about, "d" * 64, world.now))
    world.store.write_sync(lambda tx: kept_requests.end(tx, "k1", code))


def test_a_mail_that_could_not_be_taken_apart_is_one_and_is_taken_apart_again(world: World) -> None:
    keep_mail(world, "over_limits")
    (letter,) = letters(world)
    assert (letter.kind, letter.code, letter.who, letter.content) == ("kept", "over_limits", "jo@example.org", "help@demo.example")
    assert world.store.read_sync(lambda tx: dead_letters.counts(tx, world.now))["kept"] == 1
    assert (letter.replayable, letter.editable) == (True, False)
    assert replay(world, letter.id) == "marked"
    assert letters(world) == []
    (kept,) = world.store.write_sync(lambda tx: kept_requests.claim(tx, world.now, 10))
    assert (kept.id, kept.attempts) == ("k1", 1)
    world.store.write_sync(lambda tx: kept_requests.end(tx, "k1", "ends_the_process"))
    discard(world, letters(world)[0].id, "junk")
    assert letters(world) == []
    assert world.rows("select handled_by, handled_reason from kept_request") == [("susan", "junk")]


@pytest.mark.parametrize(("code", "listed"), [("bad_form", []), (None, []), ("content_gone", [False])])
def test_a_kept_request_that_was_read_or_is_listed_elsewhere_is_none(world: World, code: str | None, listed: list[bool]) -> None:
    keep_mail(world, code)
    assert [letter.replayable for letter in letters(world)] == listed


@pytest.mark.parametrize("letter_id", ["", "m", "x123", "m!!!", "mW10", "d" + "A" * 900, "m" + "W" * 1_001, "rbnVsbA", "\udcff"])
def test_what_is_no_id_is_not_found(world: World, letter_id: str) -> None:
    with pytest.raises(Refused) as refused:
        replay(world, letter_id)
    assert refused.value.code == "not_found"


def test_the_counts_are_those_of_the_list(world: World) -> None:
    fails(world, sending(world), BAD_KEY)
    world.store.write_sync(lambda tx: journal.keep_unreadable(tx, "e1", "sms", "c", world.now, b"x", "{}"))
    counts = world.store.read_sync(lambda tx: dead_letters.counts(tx, world.now))
    assert counts == {"unsent": 1, "unreadable": 1, "kept": 0, "report": 0}
    assert sum(counts.values()) == len(letters(world))
