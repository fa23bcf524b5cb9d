"""The way out of one channel: how many messages may leave now, to whom not yet, and when to look again.

Pure: times are passed in, in ms of a clock that never goes back. Must not know the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.model.outbound import SendError, SendErrorCode
from gateway.bucket import Bucket
from gateway.sending.breaker import HOLD_MAX_MS, Breaker, Verdict

SENDING_MAX = 32  # at once on one channel, so that a slow provider neither fills the memory nor holds up the others
RETRIES_MAX = SENDING_MAX // 10  # of those may be further attempts, so that what fails does not hold up what has not been tried yet
_BURST_S = 0.1  # what may go at once after a pause: small, so that no second holds much more than the rate
THROTTLED_MS = 1_000  # for a provider that wants less and does not say for how long
_FAILING = {SendErrorCode.NOT_CONNECTED, SendErrorCode.TIMEOUT, SendErrorCode.PROVIDER_DOWN, SendErrorCode.UNREADABLE_ANSWER}


@dataclass(frozen=True, slots=True)
class Permit:
    """One message on its way; `probe` says that it is the one by which a paused channel asks whether it may go on.

    `retry`: it was tried before.
    """

    recipient: str
    probe: bool
    retry: bool = False


class Lane:
    """The limits of one account at a provider: rates (0: none), the breaker, and how many are under way."""

    def __init__(self, sends_per_s: float, sends_per_recipient_s: float, recipient_codes: frozenset[str] = frozenset()) -> None:
        self._bucket = paced(sends_per_s) if sends_per_s > 0 else None
        self._gap_ms = 1_000 / sends_per_recipient_s if sends_per_recipient_s > 0 else 0.0
        self._recipient_codes = recipient_codes
        self._not_before: dict[str, float] = {}
        self._breaker = Breaker()
        self._busy = 0
        self._retrying = 0

    @property
    def paused(self) -> bool:
        """Tell whether nothing is sent because the provider does not answer, or asked for a pause."""
        return self._breaker.open

    def room(self, now: float) -> int:
        """Return how many messages may begin now."""
        room = SENDING_MAX - self._busy
        if self._bucket is not None:
            room = min(room, self._bucket.ready(now))
        probes = self._breaker.room(now)
        return room if probes is None else min(room, probes)

    def retry_room(self) -> int:
        """Return how many of those that may begin now may have been tried before."""
        return RETRIES_MAX - self._retrying

    def free_at(self, now: float) -> float | None:
        """Return when there is room; None if only the end of a message under way makes some."""
        if self._busy >= SENDING_MAX:
            return None
        opens = self._breaker.free_at(now)
        if opens is None or self._bucket is None:
            return opens
        return max(opens, self._bucket.free_at(now))

    def waiting(self, now: float) -> Mapping[str, float]:
        """Return the recipients who get nothing yet, and until when."""
        if self._not_before:
            self._not_before = {recipient: at for recipient, at in self._not_before.items() if at > now}
        return self._not_before

    def begin(self, now: float, recipient: str, *, retry: bool = False) -> Permit:
        """Note that a message begins, for which there was room."""
        self._busy += 1
        self._retrying += retry
        if self._bucket is not None:
            self._bucket.take(now)
        if self._gap_ms:
            self._not_before[recipient] = now + self._gap_ms
        return Permit(recipient, self._breaker.begin(), retry)

    def end(self, now: float, permit: Permit, error: SendError | None) -> None:
        """Note how a message ended. A wish to be left alone is obeyed for the account, or for the recipient where it is meant so."""
        self._busy -= 1
        self._retrying -= permit.retry
        self._breaker.end(now, _verdict(error), probe=permit.probe)
        if error is None or not error.retryable:
            return
        wish_ms = wished_ms(error)
        if wish_ms is None and error.code is SendErrorCode.THROTTLED:
            wish_ms = THROTTLED_MS
        if wish_ms is None:
            return
        if error.provider_code in self._recipient_codes:
            self._not_before[permit.recipient] = max(self._not_before.get(permit.recipient, 0.0), now + wish_ms)
        else:
            self._breaker.hold(now, wish_ms)


def paced(rate_per_s: float) -> Bucket:
    """Return a bucket that lets so many through in a second on average, and a tenth of a second's worth at once, but at least one."""
    return Bucket(1_000 / rate_per_s, max(1, int(rate_per_s * _BURST_S)))


def wished_ms(error: SendError) -> float | None:
    """Return for how long the provider wants to be left alone, an hour at most; None if it does not say, or says nonsense."""
    wish_s = error.retry_after_s
    return min(wish_s * 1_000, HOLD_MAX_MS) if wish_s is not None and wish_s >= 0 else None


def _verdict(error: SendError | None) -> Verdict:
    if error is None:
        return Verdict.WORKS
    if error.code in _FAILING:
        return Verdict.FAILS
    return Verdict.NOTHING if error.code is SendErrorCode.THROTTLED else Verdict.WORKS  # who refuses a message does answer
