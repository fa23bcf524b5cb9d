"""The dispatcher against providers that are slow, down, busy or vague, in virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from core.model.outbound import OutboundMessage, SendError, SendErrorCode, SendResult
from core.reports.invariants import check
from core.store import pauses
from gateway.sending import breaker
from gateway.sending.lane import RETRIES_MAX
from tests.gateway.sending.conftest import Sends, later, people, takes

OUTAGE_S = 300.0


def down_until(end_s: float, error: Callable[[], SendError]) -> Callable[[OutboundMessage], Awaitable[SendResult]]:
    async def behave(message: OutboundMessage) -> SendResult:
        if asyncio.get_running_loop().time() < end_s:
            raise error()
        return await takes(message)

    return behave


def unavailable() -> SendError:
    return SendError(SendErrorCode.PROVIDER_DOWN, retryable=True, provider_code="503")


def test_a_channel_keeps_to_its_rate_and_each_recipient_to_theirs(sends: Sends) -> None:
    provider = sends.channel("bot", sends_per_s=30.0, sends_per_recipient_s=1.0)
    talkers = people(3)
    for _ in range(5):
        sends.say("bot", talkers)
    sends.say("bot", people(90, 100))
    sends.run(20)
    assert sends.states() == {"accepted": 105}
    times = provider.times()
    for first, at in enumerate(times):
        assert sum(1 for one in times[first:] if one < at + 1) <= 30 + 3
    for talker in talkers:
        own = [at for at, message in provider.asked if message.recipient == talker]
        assert all(second - first >= 0.999 for first, second in pairwise(own))
    assert times[-1] < 6
    assert sends.world.rows("select max(attempts) from outbox") == [(1,)]


def test_a_provider_that_hangs_holds_up_no_other_channel(sends: Sends) -> None:
    async def hangs(message: OutboundMessage) -> SendResult:
        await later(30)
        return await takes(message)

    slow, quick = sends.channel("slow"), sends.channel("quick")
    slow.behave = hangs
    sends.say("slow", people(200))
    sends.say("quick", people(200, 300))
    sends.run(1)
    assert len(slow.asked) == 32
    assert len(quick.asked) == 200
    assert quick.times()[-1] < 0.5


def test_further_attempts_take_a_tenth_of_the_places_and_hold_up_nothing_new(sends: Sends) -> None:
    """First attempts of some are refused for now and their further ones hang; what comes later goes out at once all the same."""
    busy, most = 0, 0

    async def behave(message: OutboundMessage) -> SendResult:
        nonlocal busy, most
        if message.recipient in unlucky and message.attempt == 1:
            raise SendError(SendErrorCode.NOT_CONNECTED, retryable=True)
        if message.attempt > 1:
            busy += 1
            most = max(most, busy)
            await later(20)
            busy -= 1
        return await takes(message)

    provider = sends.channel("sms")
    unlucky = people(12)
    provider.behave = behave
    sends.say("sms", unlucky)
    sends.run(5)  # all of them wait for a place, or have one of three
    assert most == RETRIES_MAX == 3
    sends.say("sms", people(100, 300))
    sends.run(1)
    assert len([at for at, message in provider.asked if message.attempt == 1]) == 112
    assert sends.states()["accepted"] == 100
    sends.run(100)
    assert (most, sends.states()) == (3, {"accepted": 112})
    assert sends.world.store.read_sync(check) == []


def test_an_outage_costs_few_requests_and_loses_nothing(sends: Sends) -> None:
    provider = sends.channel("sms")
    provider.behave = down_until(OUTAGE_S, unavailable)
    sends.say("sms", people(200))
    sends.run(OUTAGE_S)
    assert len(provider.asked) <= 1.2 * 200
    probes = [at for at in provider.times() if at > 1]
    assert len(probes) <= 8
    assert sends.world.store.read_sync(pauses.everyone)[0].code == "provider_down"
    sends.run(120)
    assert sends.states() == {"accepted": 200}
    assert sends.world.store.read_sync(pauses.everyone) == []
    assert sends.world.store.read_sync(check) == []


def test_without_the_breaker_an_outage_would_cost_too_many_requests(sends: Sends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker, "LEAST", 10**9)
    provider = sends.channel("sms")
    provider.behave = down_until(OUTAGE_S, unavailable)
    sends.say("sms", people(200))
    sends.run(OUTAGE_S)
    assert len(provider.asked) > 1.2 * 200


@pytest.mark.parametrize(("wish", "least_s"), [(7.0, 7.0), (120.0, 120.0), (None, 1.0), (-5.0, 1.0)], ids=["7", "120", "none", "negative"])
def test_nothing_is_sent_before_the_provider_wishes(sends: Sends, wish: float | None, least_s: float) -> None:
    refused: list[float] = []

    async def busy(message: OutboundMessage) -> SendResult:
        if len(refused) < 4:
            refused.append(asyncio.get_running_loop().time())
            await later(0.1)
            raise SendError(SendErrorCode.THROTTLED, retryable=True, retry_after_s=wish)
        return await takes(message)

    provider = sends.channel("sms")
    provider.behave = busy
    sends.say("sms", people(1))
    sends.run(600)
    sends.say("sms", people(20, 100))
    sends.run(900)
    times = provider.times()
    assert all(second - first >= least_s for first, second in pairwise(refused))
    assert len(times) == 4 + 21
    assert sends.states() == {"accepted": 21}


def test_an_hour_is_the_most_that_a_provider_is_left_alone(sends: Sends) -> None:
    provider = sends.channel("sms")
    provider.behave = down_until(1, lambda: SendError(SendErrorCode.THROTTLED, retryable=True, retry_after_s=1e9))
    sends.say("sms", people(1))
    sends.run(3_000)
    sends.say("sms", people(20, 100))
    sends.run(590)
    assert len(provider.asked) == 1
    sends.run(60)
    assert sends.states() == {"expired": 1, "accepted": 20}
    assert sends.world.rows("select count(*) from outbox where dead_at is not null") == [(1,)]


def test_a_wish_is_for_the_whole_account(sends: Sends) -> None:
    async def busy(message: OutboundMessage) -> SendResult:
        if asyncio.get_running_loop().time() < 7:
            raise SendError(SendErrorCode.THROTTLED, retryable=True, retry_after_s=7)
        return await takes(message)

    provider = sends.channel("sms")
    provider.behave = busy
    sends.say("sms", people(100))
    sends.run(60)
    early = [at for at in provider.times() if at < 7]
    assert len(early) <= 32
    assert max(early) == 0
    assert sends.states() == {"accepted": 100}


def test_what_retries_keeps_the_order_of_its_person(sends: Sends) -> None:
    provider = sends.channel("sms")
    provider.behave = down_until(40, unavailable)
    for text in ("one", "two", "three"):
        sends.say("sms", people(2), text)
    sends.run(600)
    taken = [message for at, message in provider.asked if at >= 40]
    for person in people(2):
        assert [message.reply.text for message in taken if message.recipient == person] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("on_unknown", "sent", "state"), [("once", 1, "dead"), ("repeat", 2, "dead"), ("keyed", 3, "accepted")], ids=["once", "repeat", "keyed"]
)
def test_an_outcome_that_stays_unknown_is_treated_by_class(sends: Sends, on_unknown: str, sent: int, state: str) -> None:
    """The provider takes the message and closes the connection without an answer, twice."""

    async def vague(message: OutboundMessage) -> SendResult:
        if message.attempt < 3:
            raise SendError(SendErrorCode.TIMEOUT, retryable=True, unknown=True)
        return await takes(message)

    provider = sends.channel("sms")
    provider.behave = vague
    sends.say("sms", people(1))
    sends.world.store.write_sync(lambda tx: tx.execute("update outbox set on_unknown = ?", (on_unknown,)))
    sends.run(800)
    assert len(provider.asked) == sent
    assert sends.states() == {state: 1}
    assert sends.world.store.read_sync(check) == []


def test_a_provider_that_answers_too_late_has_an_unknown_outcome(sends: Sends) -> None:
    async def too_late(message: OutboundMessage) -> SendResult:
        await later(3_600)
        return await takes(message)

    provider = sends.channel("sms")
    provider.behave = too_late
    sends.say("sms", people(1))
    sends.run(36)
    assert sends.states() == {"unknown": 1}
    assert sends.world.rows("select outcome, code from attempt") == [("unknown", "timeout")]


def test_who_is_asked_for_too_much_for_one_person_is_still_asked_for_others(sends: Sends) -> None:
    first, *others = people(10)

    async def busy(message: OutboundMessage) -> SendResult:
        if message.recipient == first and asyncio.get_running_loop().time() < 20:
            raise SendError(SendErrorCode.THROTTLED, retryable=True, provider_code="pair", retry_after_s=20)
        return await takes(message)

    provider = sends.channel("sms", throttles_recipient=frozenset({"pair"}))
    provider.behave = busy
    sends.say("sms", [first, *others])
    sends.run(10)
    assert Counter(message.recipient for _, message in provider.asked) == Counter([first, *others])
    assert sends.states() == {"accepted": 9, "retry_wait": 1}
    sends.run(15)
    assert sends.states() == {"accepted": 10}
