"""Rows of the outbox that wait, expire, cannot be read or are unwanted by now: each stands in nobody else's way."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from core import dispatch
from core.dispatch import Gate
from core.model.address import Address, AddressKind
from core.model.dialog import Advanced
from core.model.ids import ChannelId
from core.model.outbound import Reply, SendError, SendErrorCode
from core.reports.invariants import check
from tests.core.conftest import ANNA, BEN, VISITOR, World

OPEN = {"sms": Gate(10)}
HELLO = Advanced({"n": 1}, (Reply("Hello."),))
CARL = Address(AddressKind.MSISDN, "+254700000003")


def test_a_channel_without_free_places_is_left_out_and_the_others_go(world: World) -> None:
    world.dialog.then(HELLO, HELLO)
    world.hear("sms", ANNA, "hi")
    world.hear("sms", BEN, "hi")
    world.store.write_sync(lambda tx: tx.execute("update outbox set channel_id = 'other' where recipient = ?", (BEN.value,)))
    channels = world.channels | {"other": replace(world.channels["sms"], id=ChannelId("other"))}
    gates = {"other": Gate(5)}
    (sending,) = world.store.write_sync(lambda tx: dispatch.claim(tx, channels, world.now, "l", 10, 1_000, gates))
    assert sending.message.recipient == BEN
    assert world.store.read_sync(lambda tx: dispatch.next_due(tx, {})) is None
    assert world.rows("select state from outbox order by position") == [("queued",), ("sending",)]


def test_what_belongs_to_a_channel_that_is_no_more_is_a_dead_letter(world: World) -> None:
    world.dialog.then(HELLO)
    world.hear("sms", ANNA, "hi")
    world.store.write_sync(lambda tx: tx.execute("update outbox set channel_id = 'gone'"))
    world.store.write_sync(lambda tx: dispatch.take_over(tx, world.channels, "l", world.now))
    assert world.rows("select state, dead_at from outbox") == [("dead", world.now)]


def test_a_message_behind_one_that_waits_is_not_due(world: World) -> None:
    """Else the loop would ask again and again in vain until the first one is sent."""
    world.dialog.then(HELLO, HELLO)
    world.hear("sms", ANNA, "hi")
    world.hear("sms", ANNA, "hi")
    claim = partial(dispatch.claim, channels=world.channels, now=world.now, lease="l", limit=10, unknown_wait_ms=1_000)
    (first,) = world.store.write_sync(claim)
    error = SendError(SendErrorCode.THROTTLED, retryable=True, retry_after_s=60)
    world.store.write_sync(lambda tx: dispatch.failed(tx, first, error, world.now, 1_000, 1.0))
    assert world.store.read_sync(lambda tx: dispatch.next_due(tx, OPEN)) == world.now + 60_000


def test_what_waits_is_looked_at_again_when_it_expires_so_that_the_next_may_go(world: World) -> None:
    world.dialog.then(HELLO, HELLO)
    world.hear("sms", ANNA, "hi")
    world.now += 600_000
    world.hear("sms", ANNA, "hi again")
    claim = partial(dispatch.claim, channels=world.channels, lease="l", limit=10, unknown_wait_ms=1_000)
    (first,) = world.store.write_sync(partial(claim, now=world.now))
    error = SendError(SendErrorCode.THROTTLED, retryable=True, retry_after_s=3_600)
    world.store.write_sync(lambda tx: dispatch.failed(tx, first, error, world.now, 1_000, 1.0))
    due = world.store.read_sync(lambda tx: dispatch.next_due(tx, OPEN))
    assert due is not None
    assert due - world.now <= 300_000
    assert len(world.store.write_sync(partial(claim, now=due))) == 1
    assert world.rows("select state from outbox order by position") == [("expired",), ("sending",)]


def test_a_row_that_cannot_be_read_holds_up_nobody(world: World) -> None:
    world.dialog.then(HELLO, HELLO, HELLO, HELLO)
    world.hear("sms", ANNA, "hi")
    world.hear("sms", BEN, "hi")
    world.hear("web", VISITOR, "hi")
    spoil = "update outbox set recipient_kind = 'pigeon' where recipient = ?"
    world.store.write_sync(lambda tx: tx.execute(spoil, (ANNA.value,)))
    world.store.write_sync(lambda tx: tx.execute("update message set content = '{broken' where address = ?", (BEN.value,)))
    world.hear("sms", CARL, "hi")
    claim = partial(dispatch.claim, channels=world.channels, now=world.now, lease="l", limit=10, unknown_wait_ms=1_000)
    assert [sending.message.recipient for sending in world.store.write_sync(claim)] == [CARL]
    assert world.rows("select state from outbox order by position") == [("dead",), ("dead",), ("sending",)]


def test_what_was_said_before_an_opt_out_is_not_sent_after_it(world: World) -> None:
    world.dialog.then(HELLO)
    world.hear("sms", ANNA, "hi")
    world.store.write_sync(lambda tx: tx.execute("update contact_medium set opted_out_at = ?", (world.now + 1,)))
    claim = partial(dispatch.claim, channels=world.channels, now=world.now + 2, lease="l", limit=10, unknown_wait_ms=1_000)
    assert world.store.write_sync(claim) == []
    assert world.rows("select status from message where direction = 'outbound'") == [("cancelled",)]
    world.now += 10
    world.dialog.then(HELLO)
    world.hear("sms", ANNA, "balance")  # a person who asks gets an answer
    assert len(world.store.write_sync(partial(claim, now=world.now))) == 1


def test_a_message_that_may_go_only_once_stays_unknown_without_being_called_lost(world: World) -> None:
    world.dialog.then(HELLO)
    world.hear("sms", ANNA, "hi")
    world.store.write_sync(lambda tx: tx.execute("update outbox set on_unknown = 'once'"))
    claim = partial(dispatch.claim, channels=world.channels, lease="l", limit=10, unknown_wait_ms=1_000)
    (first,) = world.store.write_sync(partial(claim, now=world.now))
    error = SendError(SendErrorCode.TIMEOUT, retryable=True, unknown=True)
    world.store.write_sync(lambda tx: dispatch.failed(tx, first, error, world.now, 1_000, 1.0))
    assert world.store.write_sync(partial(claim, now=world.now + 2_000)) == []
    assert world.rows("select m.status, o.state from message m join outbox o on o.message_id = m.id") == [("unknown", "dead")]
    assert world.store.read_sync(check) == []
