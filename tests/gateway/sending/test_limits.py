"""Buckets and breakers alone: what they let through in any pattern of time, and what they keep back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.outbound import SendError, SendErrorCode
from gateway.bucket import Bucket
from gateway.sending.breaker import Breaker, Verdict
from gateway.sending.lane import SENDING_MAX, Lane, paced

DOWN = SendError(SendErrorCode.PROVIDER_DOWN, retryable=True)
REFUSED = SendError(SendErrorCode.BAD_ADDRESS, retryable=False)


@given(
    rate=st.floats(0.05, 500),
    pauses=st.lists(st.floats(0, 5_000), min_size=1, max_size=200),
)
def test_no_stretch_of_time_has_more_than_its_rate_and_one_burst(rate: float, pauses: list[float]) -> None:
    bucket, now, taken = paced(rate), 1_000_000.0, []
    for pause in pauses:
        now += pause
        for _ in range(bucket.ready(now)):
            bucket.take(now)
            taken.append(now)
        assert bucket.ready(now) == 0
    for first in range(0, len(taken), 7):
        for last in range(first, len(taken), 5):
            count, span_s = last - first + 1, (taken[last] - taken[first]) / 1_000
            assert count <= bucket.burst + rate * span_s + 1e-3


@given(rate=st.floats(0.05, 500), takes=st.integers(1, 200), pause=st.floats(0, 10_000))
def test_it_is_free_when_it_says_and_not_before(rate: float, takes: int, pause: float) -> None:
    bucket, now = paced(rate), 1_000_000.0
    for _ in range(takes):
        now = bucket.free_at(now)
        assert bucket.ready(now + 1e-3) >= 1
        bucket.take(now)
    later = bucket.free_at(now + pause)
    assert later == now + pause or bucket.ready(later - 1) == 0


def test_a_bucket_that_is_asked_for_steadily_gives_its_whole_rate() -> None:
    bucket, now, taken = paced(30), 0.0, 0
    while now < 60_000:
        for _ in range(bucket.ready(now)):
            bucket.take(now)
            taken += 1
        now += 50
    assert 1_790 <= taken <= 1_803


@given(rate=st.floats(0.05, 500), burst=st.integers(1, 50), pauses=st.lists(st.floats(0, 50), max_size=100))
def test_who_is_told_to_wait_has_taken_nothing_and_may_go_then(rate: float, burst: int, pauses: list[float]) -> None:
    bucket, now = Bucket(1 / rate, burst), 1_000.0
    assert [bucket.ask(now) for _ in range(burst)] == [0.0] * burst
    for pause in (0.0, *pauses):
        now += pause
        wait_s = bucket.ask(now)
        assert wait_s <= 1 / rate + 1e-6
        if wait_s:
            now += wait_s + 1e-6
            assert bucket.ask(now) == 0.0


def fails(breaker: Breaker, times: int, now: float, *, verdict: Verdict = Verdict.FAILS) -> None:
    for _ in range(times):
        breaker.end(now, verdict, probe=breaker.begin())


@pytest.mark.parametrize(
    ("failures", "successes", "state"), [(19, 0, "closed"), (20, 0, "open"), (10, 10, "open"), (10, 11, "closed"), (19, 21, "closed")]
)
def test_it_opens_at_half_of_twenty(failures: int, successes: int, state: str) -> None:
    breaker = Breaker()
    fails(breaker, successes, 0, verdict=Verdict.WORKS)
    fails(breaker, failures, 100)
    assert breaker.open is (state == "open")


def test_failures_of_long_ago_do_not_count() -> None:
    breaker = Breaker()
    fails(breaker, 19, 0)
    fails(breaker, 1, 31_000)
    assert not breaker.open


def test_it_asks_ever_less_often_and_closes_with_the_first_success() -> None:
    breaker = Breaker()
    fails(breaker, 20, 0)
    waits, now = [], 0.0
    for _ in range(6):
        until = breaker.free_at(now)
        assert until is not None
        assert breaker.room(until - 1) == 0
        waits.append(until - now)
        now = until
        assert breaker.room(now) == 1
        assert breaker.begin()
        assert breaker.room(now) == 0
        assert breaker.free_at(now) is None
        breaker.end(now, Verdict.FAILS, probe=True)
    assert waits == [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]
    now += 60_000
    breaker.end(now, Verdict.WORKS, probe=breaker.begin())
    assert breaker.room(now) is None
    fails(breaker, 20, now)
    assert breaker.free_at(now) == now + 5_000


def test_what_began_before_it_opened_changes_nothing_any_more() -> None:
    breaker = Breaker()
    fails(breaker, 20, 0)
    breaker.end(10, Verdict.WORKS, probe=False)
    breaker.end(11, Verdict.FAILS, probe=False)
    assert breaker.free_at(11) == 5_000


def test_who_refuses_messages_does_answer() -> None:
    lane = Lane(0, 0)
    for number in range(100):
        lane.end(number, lane.begin(number, "a"), REFUSED)
    assert not lane.paused
    assert lane.room(100) == SENDING_MAX


def test_a_wish_holds_the_account_for_an_hour_at_most() -> None:
    lane = Lane(0, 0)
    wish = SendError(SendErrorCode.THROTTLED, retryable=True, retry_after_s=1e9)
    lane.end(0, lane.begin(0, "a"), wish)
    assert lane.room(1) == 0
    assert lane.free_at(1) == 3_600_000
    assert lane.room(3_600_000) == 1


def test_a_wish_that_is_meant_for_a_recipient_holds_that_one_only() -> None:
    lane = Lane(0, 0, frozenset({"14107"}))
    wish = SendError(SendErrorCode.THROTTLED, retryable=True, provider_code="14107", retry_after_s=7)
    lane.end(0, lane.begin(0, "a"), wish)
    assert not lane.paused
    assert lane.waiting(1) == {"a": 7_000}
    assert lane.waiting(7_000) == {}


@pytest.mark.parametrize("wish", [-1, float("nan")])
def test_nonsense_is_no_wish(wish: float) -> None:
    lane = Lane(0, 0)
    lane.end(0, lane.begin(0, "a"), SendError(SendErrorCode.PROVIDER_DOWN, retryable=True, retry_after_s=wish))
    assert not lane.paused


def test_a_provider_that_hangs_has_no_more_than_its_places() -> None:
    lane = Lane(0, 0)
    permits = [lane.begin(0, str(number)) for number in range(SENDING_MAX)]
    assert lane.room(0) == 0
    assert lane.free_at(0) is None
    lane.end(1, permits[0], DOWN)
    assert lane.room(1) == 1
