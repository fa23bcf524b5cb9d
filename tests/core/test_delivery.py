"""What becomes of a message on its way: fences, attempts, unknown outcomes, and reports in any order."""

from __future__ import annotations

import json
from functools import partial
from itertools import permutations
from typing import Any

import pytest

from core import dispatch, receipts
from core.delivery import RANK, reached
from core.dispatch import Sending
from core.model.dialog import Advanced
from core.model.inbound import DeliveryReport
from core.model.outbound import Author, DeliveryStatus, Reply, SendError, SendErrorCode, SendResult
from core.record import Link, say
from core.store import conversations
from tests.core.conftest import ANNA, BEN, World

REPORTED = [
    DeliveryStatus.QUEUED,
    DeliveryStatus.SENT,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.READ,
    DeliveryStatus.UNDELIVERED,
    DeliveryStatus.FAILED,
]


def sequences() -> list[tuple[DeliveryStatus, ...]]:
    """Every ordered selection of up to five reports, with none or one of them repeated."""
    made = []
    for length in range(1, 6):
        for chosen in permutations(REPORTED, length):
            made.append(chosen)
            if length < 5:
                made += [(*chosen, again) for again in chosen]
    return made


def test_a_status_never_goes_backwards_in_any_order_of_reports() -> None:
    for sequence in sequences():
        status = DeliveryStatus.ACCEPTED
        for report in sequence:
            before, status = status, reached(status, report)
            assert RANK[status] >= RANK[before], sequence
        assert RANK[status] == max(RANK[DeliveryStatus.ACCEPTED], *(RANK[report] for report in sequence)), sequence


def test_our_own_ends_stop_only_what_no_provider_has_taken() -> None:
    assert reached(DeliveryStatus.QUEUED, DeliveryStatus.EXPIRED) is DeliveryStatus.EXPIRED
    assert reached(DeliveryStatus.ACCEPTED, DeliveryStatus.EXPIRED) is DeliveryStatus.ACCEPTED
    assert reached(DeliveryStatus.DEAD, DeliveryStatus.DELIVERED) is DeliveryStatus.DELIVERED


def claim(world: World, lease: str = "me") -> list[Sending]:
    return world.store.write_sync(lambda tx: dispatch.claim(tx, world.channels, world.now, lease, 10, 120_000))


def one_message(world: World, text: str = "Hello.") -> Sending:
    world.dialog.then(Advanced({}, (Reply(text),)))
    world.hear("sms", ANNA, "hi")
    (sending,) = claim(world)
    return sending


def status(world: World) -> str:
    return str(world.value("select status from message where direction = 'outbound' order by seq desc limit 1"))


def failure(world: World, sending: Sending, error: SendError) -> None:
    world.store.write_sync(lambda tx: dispatch.failed(tx, sending, error, world.now, 120_000, 1.0))


def told(world: World, external_id: str, word: str, message_id: str | None = None) -> bool:
    report = DeliveryReport(external_id, word, message_id)
    return world.store.write_sync(lambda tx: receipts.report(tx, "sms", report, world.now))


def test_a_sent_message_moves_with_its_reports_and_repeated_ones_change_nothing(world: World) -> None:
    sending = one_message(world)
    world.store.write_sync(lambda tx: dispatch.sent(tx, sending, SendResult("SM1"), world.now))
    assert status(world) == "accepted"
    assert told(world, "SM1", "delivered")
    assert not told(world, "SM1", "delivered")
    assert told(world, "SM1", "sent")
    assert status(world) == "delivered"
    assert world.rows("select status from delivery_report order by status") == [("delivered",), ("sent",)]


def test_a_report_quicker_than_the_answer_is_joined(world: World) -> None:
    sending = one_message(world)
    assert told(world, "SM1", "delivered")
    assert status(world) == "queued" or status(world) == "sending"
    world.store.write_sync(lambda tx: dispatch.sent(tx, sending, SendResult("SM1"), world.now))
    assert status(world) == "delivered"


def test_a_report_with_our_own_id_settles_an_unknown_outcome(world: World) -> None:
    sending = one_message(world)
    failure(world, sending, SendError(SendErrorCode.TIMEOUT, retryable=True, unknown=True))
    assert status(world) == "unknown"
    assert told(world, "SM9", "delivered", sending.message.id)
    world.now += 130_000
    assert claim(world) == []
    assert status(world) == "delivered"


def test_an_unknown_outcome_is_repeated_once_the_wait_is_over_and_marked(world: World) -> None:
    sending = one_message(world)
    failure(world, sending, SendError(SendErrorCode.TIMEOUT, retryable=True, unknown=True))
    assert claim(world) == []
    world.now += 120_000
    (again,) = claim(world)
    assert again.message.id == sending.message.id
    assert world.rows("select repeated, attempts from outbox") == [(1, 2)]


def test_a_send_of_the_class_once_is_never_repeated(world: World) -> None:
    sending = one_message(world)
    world.store.write_sync(lambda tx: tx.execute("update outbox set on_unknown = 'once'"))
    failure(world, sending, SendError(SendErrorCode.TIMEOUT, retryable=True, unknown=True))
    world.now += 120_000
    assert claim(world) == []
    assert world.rows("select state from outbox") == [("dead",)]


def test_a_send_that_a_dead_process_had_begun_has_an_unknown_outcome(world: World) -> None:
    one_message(world)
    world.store.write_sync(lambda tx: dispatch.take_over(tx, world.channels, "the next life", world.now))
    assert claim(world, "the next life") == []
    assert status(world) == "unknown"
    assert world.rows("select outcome, code from attempt") == [("unknown", "interrupted")]


@pytest.mark.parametrize(
    ("error", "wait_ms"),
    [
        (SendError(SendErrorCode.NOT_CONNECTED, retryable=True), 2_000),
        (SendError(SendErrorCode.THROTTLED, retryable=True, retry_after_s=7), 7_000),
        (SendError(SendErrorCode.THROTTLED, retryable=True, retry_after_s=1e9), 900_000),  # its expiry
        (SendError(SendErrorCode.THROTTLED, retryable=True, retry_after_s=0), 1_000),
        (SendError(SendErrorCode.THROTTLED, retryable=True, retry_after_s=-5), 2_000),  # nonsense is no wish
        (SendError(SendErrorCode.THROTTLED, retryable=True, retry_after_s=float("nan")), 2_000),
    ],
)
def test_a_failure_that_may_pass_is_tried_again_when_the_provider_wishes(world: World, error: SendError, wait_ms: int) -> None:
    failure(world, one_message(world), error)
    assert world.rows("select state, due_at - ? from outbox", world.now) == [("retry_wait", wait_ms)]


def test_a_failure_for_good_is_final_and_kept_with_its_code(world: World) -> None:
    failure(world, one_message(world), SendError(SendErrorCode.BAD_ADDRESS, retryable=False, provider_code="21211"))
    assert status(world) == "failed"
    assert world.rows("select outcome, code from attempt") == [("failed", "21211")]
    assert claim(world) == []


def test_what_waited_too_long_expires(world: World) -> None:
    world.dialog.then(Advanced({}, (Reply("Hello."),)))
    world.hear("sms", ANNA, "hi")
    world.now += 15 * 60_000
    assert claim(world) == []
    assert status(world) == "expired"


def agent_owns(world: World) -> None:
    world.store.write_sync(lambda tx: tx.execute("update conversation set owner = 'agent', owner_epoch = owner_epoch + 1"))


def test_the_bot_does_not_talk_over_an_agent_who_took_over_meanwhile(world: World) -> None:
    world.dialog.then(Advanced({}, (Reply("Hello."),)))
    world.hear("sms", ANNA, "hi")
    agent_owns(world)
    assert claim(world) == []
    assert status(world) == "cancelled"


def _agent_says(world: World, tx: Any) -> None:
    conversation = conversations.load(tx, tx.one("select id from conversation")[0])
    link = Link(world.channels["sms"], ANNA, tx.one("select id from interaction")[0])
    say(
        tx,
        conversation,
        link,
        Reply("I will look."),
        author=Author.AGENT,
        cause=world.arrival("sms").id,
        ordinal=0,
        at=world.now,
        agent_id="a",
    )
    conversations.save(tx, conversation)


def test_an_agents_reply_is_not_sent_over_a_message_that_nobody_has_seen(world: World) -> None:
    sending = one_message(world)
    world.store.write_sync(lambda tx: dispatch.sent(tx, sending, SendResult("SM1"), world.now))
    agent_owns(world)
    world.store.write_sync(partial(_agent_says, world))
    world.dialog.then(Advanced({}))
    world.hear("sms", ANNA, "forget it")
    assert claim(world) == []
    assert world.rows("select status from message where author = 'agent'") == [("cancelled",)]


def test_what_is_queued_goes_out_in_order_one_by_one(world: World) -> None:
    world.dialog.then(Advanced({}, (Reply("one"), Reply("two"))), Advanced({}, (Reply("Hello."),)))
    world.hear("sms", ANNA, "a")
    world.hear("sms", BEN, "b")
    claimed = world.store.write_sync(lambda tx: dispatch.claim(tx, world.channels, world.now, "me", 10, 1_000))
    assert [sending.message.reply.text for sending in claimed] == ["one", "Hello."]
    assert world.store.write_sync(lambda tx: dispatch.claim(tx, world.channels, world.now, "me", 10, 1_000)) == []


def test_when_it_happened_is_told_as_the_provider_says_it(world: World) -> None:
    world.dialog.then(Advanced({}, (Reply("Hello."),)))
    world.hear("sms", ANNA, "hi")
    ((message_id,),) = world.rows("select id from message where direction = 'outbound'")
    early = DeliveryReport("SM1", "sent", at=4)
    world.store.write_sync(lambda tx: receipts.report(tx, "sms", early, world.now))
    world.store.write_sync(lambda tx: receipts.join_early(tx, "sms", "SM1", message_id, world.now))
    told = DeliveryReport("SM1", "delivered", message_id=message_id, at=5)
    world.store.write_sync(lambda tx: receipts.report(tx, "sms", told, world.now))
    assert world.rows("select status, told_at from delivery_report order by told_at") == [("sent", 4), ("delivered", 5)]
    bodies = [json.loads(body) for (body,) in world.rows("select body from event where kind = 'message.status' order by cursor")]
    assert bodies == [{"status": "sent", "told_at": 4}, {"status": "delivered", "told_at": 5}]
