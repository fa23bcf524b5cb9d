"""Another form of a message after a failure that says so: once, whenever the report comes, and never over anybody's head."""

from __future__ import annotations

from dataclasses import replace

from core import dispatch, receipts
from core.dispatch import Sending
from core.model.dialog import Advanced
from core.model.inbound import DeliveryReport
from core.model.outbound import Reply, SendError, SendErrorCode, SendResult
from core.reports.invariants import check
from tests.core.conftest import ANNA, World

CLOSED = frozenset({"63016"})


def prepared(world: World, reply: Reply | None = None) -> Sending:
    sms = world.channels["sms"]
    world.channels = world.channels | {"sms": replace(sms, capabilities=replace(sms.capabilities, resend_codes=CLOSED))}
    world.dialog.then(Advanced({}, (reply or Reply("Hello."),)))
    world.hear("sms", ANNA, "hi")
    return claimed(world)[0]


def claimed(world: World) -> list[Sending]:
    return world.store.write_sync(lambda tx: dispatch.claim(tx, world.channels, world.now, "me", 10, 120_000))


def taken(world: World, one: Sending, sid: str) -> None:
    world.store.write_sync(lambda tx: dispatch.sent(tx, one, SendResult(sid), world.now))


def told(world: World, one: Sending, sid: str, status: str, code: str | None = None) -> None:
    report = DeliveryReport(sid, status, one.message.id, code)
    world.store.write_sync(lambda tx: receipts.report(tx, "sms", report, world.now, CLOSED))


def status(world: World) -> str:
    return str(world.value("select status from message where direction = 'outbound'"))


def test_a_report_that_the_window_is_closed_leads_to_one_resend(world: World) -> None:
    first = prepared(world)
    assert first.message.heard_at == world.now
    taken(world, first, "SM1")
    told(world, first, "SM1", "failed", "63016")
    assert status(world) == "accepted"
    (second,) = claimed(world)
    assert (second.message.id, second.message.attempt, second.message.heard_at) == (first.message.id, 2, None)
    taken(world, second, "SM2")
    told(world, second, "SM2", "failed", "63016")
    assert claimed(world) == []
    assert status(world) == "failed"
    assert world.store.read_sync(check) == []


def test_a_refusal_at_once_leads_to_one_resend_too(world: World) -> None:
    error = SendError(SendErrorCode.REFUSED, retryable=False, provider_code="63016")
    first = prepared(world)
    world.store.write_sync(lambda tx: dispatch.failed(tx, first, error, world.now, 120_000, 1.0))
    (second,) = claimed(world)
    world.store.write_sync(lambda tx: dispatch.failed(tx, second, error, world.now, 120_000, 1.0))
    assert claimed(world) == []
    assert status(world) == "failed"


def test_a_report_that_is_quicker_than_the_answer_is_not_lost(world: World) -> None:
    first = prepared(world)
    told(world, first, "SM1", "failed", "63016")
    assert claimed(world) == []
    taken(world, first, "SM1")
    (second,) = claimed(world)
    taken(world, second, "SM2")
    told(world, second, "SM2", "delivered")
    assert status(world) == "delivered"


def test_another_code_is_a_failure(world: World) -> None:
    first = prepared(world)
    taken(world, first, "SM1")
    told(world, first, "SM1", "failed", "30008")
    assert claimed(world) == []
    assert status(world) == "failed"


def test_no_resend_over_an_agent_who_took_over(world: World) -> None:
    first = prepared(world)
    taken(world, first, "SM1")
    world.store.write_sync(lambda tx: tx.execute("update conversation set owner = 'agent', owner_epoch = owner_epoch + 1"))
    told(world, first, "SM1", "failed", "63016")
    assert claimed(world) == []
    assert world.rows("select state from outbox") == [("cancelled",)]


def test_secret_words_that_are_forgotten_are_not_resent_as_a_mask(world: World) -> None:
    first = prepared(world, Reply("Your code is 123456.", sensitive=True))
    assert first.message.reply.text == "Your code is 123456."
    taken(world, first, "SM1")
    told(world, first, "SM1", "failed", "63016")
    assert claimed(world) == []
    assert status(world) == "failed"
