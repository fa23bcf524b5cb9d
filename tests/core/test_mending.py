"""Messages that could not be sent and are corrected: what goes out, to whom it may go, and what the record says of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core import deadletters, dispatch, mending
from core.dispatch import Sending
from core.model.address import Address, AddressKind
from core.model.dialog import Advanced
from core.model.outbound import Reply, SendError, SendErrorCode, SendResult
from core.reports.invariants import check
from core.routing.refused import Refused
from tests.core.conftest import ANNA, BEN, VISITOR, World

BAD_SENDER = SendError(SendErrorCode.REFUSED, retryable=False, ours=True, provider_code="21606")
OTHER = Address(AddressKind.MSISDN, "+254700000009")


def claim(world: World) -> list[Sending]:
    return world.store.write_sync(lambda tx: dispatch.claim(tx, world.channels, world.now, "me", 10, 120_000))


def letters(world: World) -> list[deadletters.DeadLetter]:
    return world.store.read_sync(lambda tx: deadletters.everyone(tx, world.now))


def dead(world: World, reply: Reply | None = None) -> tuple[Sending, deadletters.DeadLetter]:
    """Let a message fail by our own fault."""
    world.dialog.then(Advanced({}, (reply or Reply("Your bil is 5."),)))
    world.hear("sms", ANNA, "hi")
    (sending,) = claim(world)
    world.store.write_sync(lambda tx: dispatch.failed(tx, sending, BAD_SENDER, world.now, 120_000, 1.0))
    return sending, letters(world)[0]


def edit(world: World, letter: deadletters.DeadLetter, channels: dict[str, Any] | None = None, **changes: Any) -> str:
    known = world.channels if channels is None else channels
    return world.store.write_sync(lambda tx: mending.edit(tx, known, letter.id, "susan", world.now, **changes))


def test_a_corrected_text_goes_out_as_a_message_of_its_own_and_the_record_keeps_both(world: World) -> None:
    first, letter = dead(world)
    world.now += 86_400_000
    made = edit(world, letter, text="Your bill is 5.")
    assert letters(world) == []
    (again,) = claim(world)
    assert (again.message.id, again.message.reply.text, again.message.recipient) == (made, "Your bill is 5.", ANNA)
    assert (again.message.attempt, made != first.message.id) == (1, True)
    world.store.write_sync(lambda tx: dispatch.sent(tx, again, SendResult("SM1"), world.now))
    said = world.rows("select id, text, status, author from message where direction = 'outbound' order by seq")
    assert said == [(first.message.id, "Your bil is 5.", "failed", "bot"), (made, "Your bill is 5.", "accepted", "bot")]
    assert world.rows("select handled_by, handled_reason from outbox where message_id = ?", first.message.id) == [("susan", "edited")]
    ((ref, at, body),) = world.rows("select ref, at, body from event where kind = 'dead_letter.edited'")
    assert (ref, at) == (first.message.id, world.now)
    assert json.loads(body) == {"by": "susan", "became": made, "changed": ["text"]}
    contents = [json.loads(content) for (content,) in world.rows("select content from message where direction = 'outbound' order by seq")]
    assert contents == [{"corrected_by": made}, {"corrects": first.message.id}]
    assert world.store.read_sync(check) == []


def test_another_address_of_nobody_or_of_the_same_person_is_taken(world: World) -> None:
    _, letter = dead(world)
    edit(world, letter, address=OTHER)
    (again,) = claim(world)
    assert (again.message.recipient, again.message.reply.text) == (OTHER, "Your bil is 5.")
    body = world.value("select body from event where kind = 'dead_letter.edited'")
    assert json.loads(body)["changed"] == ["address"]


def test_what_was_meant_for_one_person_is_sent_to_no_other(world: World) -> None:
    world.dialog.then(Advanced({}, ()))
    world.hear("sms", BEN, "I am Ben")
    _, letter = dead(world)
    with pytest.raises(Refused) as refused:
        edit(world, letter, address=BEN)
    assert refused.value.code == "other_person"
    assert claim(world) == []
    assert letters(world) == [letter]


def test_nobody_who_wants_no_more_messages_gets_one(world: World) -> None:
    _, letter = dead(world)
    world.store.write_sync(lambda tx: tx.execute("update contact_medium set opted_out_at = ?", (world.now,)))
    with pytest.raises(Refused) as refused:
        edit(world, letter, text="Something else.")
    assert refused.value.code == "opted_out"


def test_a_correction_does_not_talk_over_an_agent(world: World) -> None:
    _, letter = dead(world)
    world.store.write_sync(lambda tx: tx.execute("update conversation set owner = 'agent', owner_epoch = owner_epoch + 1"))
    made = edit(world, letter, text="Something else.")
    assert claim(world) == []
    assert world.rows("select status from message where id = ?", made) == [("cancelled",)]


def test_a_correction_that_fails_again_is_a_dead_letter_of_its_own(world: World) -> None:
    _, letter = dead(world)
    made = edit(world, letter, text="Something else.")
    (again,) = claim(world)
    world.store.write_sync(lambda tx: dispatch.failed(tx, again, BAD_SENDER, world.now, 120_000, 1.0))
    (second,) = letters(world)
    assert (second.content, deadletters.unsent_message(second.id)) == ("Something else.", made)
    with pytest.raises(Refused) as refused:
        edit(world, letter, text="Again.")
    assert refused.value.code == "not_found"
    edit(world, second, text="Third.")
    assert [one.message.reply.text for one in claim(world)] == ["Third."]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "unchanged"),
        ({"text": "Your bil is 5.\r\n"}, "unchanged"),
        ({"text": " \x00\n"}, "empty"),
        ({"text": "x" * 1_601}, "too_long"),
        ({"address": VISITOR}, "bad_address"),
        ({"address": ANNA}, "unchanged"),
    ],
)
def test_what_is_no_correction_is_refused_and_changes_nothing(world: World, changes: dict[str, Any], code: str) -> None:
    _, letter = dead(world)
    with pytest.raises(Refused) as refused:
        edit(world, letter, **changes)
    assert refused.value.code == code
    assert letters(world) == [letter]


def test_secret_words_cannot_be_corrected_and_a_channel_must_be_there(world: World) -> None:
    _, letter = dead(world, Reply("Your code is 123456.", sensitive=True))
    for channels, code in ((None, "not_editable"), ({}, "not_editable")):
        with pytest.raises(Refused) as refused:
            edit(world, letter, channels, text="Your code is 1.")
        assert refused.value.code == code
    _, known = dead(world)
    with pytest.raises(Refused) as refused:
        edit(world, known, {}, text="x")
    assert refused.value.code == "no_channel"
