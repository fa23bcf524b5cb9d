"""What one stranger may ask of the web chat: so many sockets at once from one source, so many frames and tickets in a time.

Must not know what is limited, nor keep more than a bounded number of sources.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from gateway.bucket import Bucket

_SOURCES_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one window may do, and how many one source may have. Times in seconds, sizes in bytes."""

    frame_bytes: int = 32 * 1024
    frames_per_s: float = 5
    frames_burst: int = 10
    frames_refused: int = 100
    unsent_bytes: int = 1024 * 1024
    hello_s: float = 10
    send_s: float = 20
    ping_s: float = 30
    windows_per_source: int = 20
    tickets_per_s: float = 1
    tickets_burst: int = 40
    ticket_life_s: float = 30
    files_per_s: float = 0.1
    files_burst: int = 10
    files_at_once: int = 4


class Buckets:
    """A bucket for each source, the longest unused forgotten first."""

    def __init__(self, per_s: float, burst: int, now_s: Callable[[], float]) -> None:
        self._step_s = 1 / per_s
        self._burst = burst
        self._now_s = now_s
        self._of: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, source: str) -> float:
        """Take one from the source's bucket; return 0.0 or the seconds to wait."""
        now = self._now_s()
        bucket = self._of.get(source)
        if bucket is None:
            if len(self._of) >= _SOURCES_MAX:
                self._of.popitem(last=False)
            bucket = self._of[source] = Bucket(self._step_s, self._burst)
        self._of.move_to_end(source)
        return bucket.ask(now)


class Places:
    """At most `most` things open at once for each source."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one(self, source: str) -> Iterator[bool]:
        """Hold a place of `source` for the time of the block; False when none is free."""
        if self._taken[source] >= self._most:
            yield False
            return
        self._taken[source] += 1
        try:
            yield True
        finally:
            self._taken[source] -= 1
            if not self._taken[source]:
                del self._taken[source]


def source_of(remote: str) -> str:
    """Return what counts as one source: an IPv4 address, or the /64 of an IPv6 address, which one household has to itself."""
    try:
        address = ip_address(remote.partition("%")[0])
    except ValueError:
        return remote
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> 64 << 64))
