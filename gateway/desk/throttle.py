"""How often a password may be guessed, without a stranger being able to lock an agent out.

A browser in which an account has signed in before carries a device mark and has limits of its own; everyone else shares limits by
source, by account and by both. So an attack on an account slows down unknown devices only. In memory, for one process.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from itertools import starmap

_KEPT_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Limit:
    """`burst` guesses at once, then one each `every_s` seconds."""

    burst: int
    every_s: float


DEVICE = Limit(10, 30)
PAIR = Limit(5, 60)
SOURCE = Limit(30, 20)
ACCOUNT = Limit(20, 15)


class Throttle:
    """Counts guesses; `now_s` is a clock in seconds that never goes back."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._used: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def begin(self, login: str, source: str, *, device: str | None) -> float:
        """Take one guess; return 0.0, or for how many seconds none is allowed (nothing was taken)."""
        keys = _keys(login, source, device)
        waits = list(starmap(self._wait_s, keys.items()))
        if max(waits) > 0:
            return max(waits)
        for key, limit in keys.items():
            self._store(key, self._level(key, limit) + 1)
        return 0.0

    def succeeded(self, login: str, source: str, *, device: str | None) -> None:
        """Give back a guess that was right."""
        for key, limit in _keys(login, source, device).items():
            self._store(key, max(0.0, self._level(key, limit) - 1))

    def _level(self, key: tuple[str, str], limit: Limit) -> float:
        used, at = self._used.get(key, (0.0, 0.0))
        return max(0.0, used - (self._now_s() - at) / limit.every_s)

    def _wait_s(self, key: tuple[str, str], limit: Limit) -> float:
        return max(0.0, self._level(key, limit) + 1 - limit.burst) * limit.every_s

    def _store(self, key: tuple[str, str], used: float) -> None:
        self._used[key] = (used, self._now_s())
        self._used.move_to_end(key)
        if len(self._used) > _KEPT_MAX:
            self._used.popitem(last=False)


def _keys(login: str, source: str, device: str | None) -> dict[tuple[str, str], Limit]:
    if device is not None:
        return {("device", device): DEVICE}
    return {("pair", f"{login} {source}"): PAIR, ("source", source): SOURCE, ("account", login): ACCOUNT}


class DeviceMarks:
    """Marks of browsers in which an account has signed in: a nonce and a code that only this installation can make."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def name(self, login: str) -> str:
        """Return the name of the cookie for an account, which does not tell the account."""
        return f"parley_device_{sha256(self._key + login.encode()).hexdigest()[:12]}"

    def make(self, login: str, nonce: str) -> str:
        """Return the mark of a browser for an account."""
        return f"{nonce}.{self._code(login, nonce)}"

    def device(self, login: str, mark: str | None) -> str | None:
        """Return the nonce of a genuine mark, or None."""
        nonce, _, code = (mark or "").partition(".")
        return nonce if nonce and hmac.compare_digest(code.encode(), self._code(login, nonce).encode()) else None

    def _code(self, login: str, nonce: str) -> str:
        return hmac.new(self._key, f"{login}\0{nonce}".encode(), sha256).hexdigest()
