"""Hashing passwords with argon2id, off the event loop and only a few at once: it costs time and memory on purpose.

Must not store or log a password.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

T = TypeVar("T")
LEAST_CHARS = 12
MOST_CHARS = 256
AT_ONCE = 4
WAITING_MOST = 32
_FEWEST_DIFFERENT = 6
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's second choice: 19 MiB, about 30 ms
# What every list of leaked passwords begins with, where it is long enough to be asked for here.
_COMMON = ("password", "passw0rd", "qwerty", "123456", "letmein", "welcome", "iloveyou", "administrator", "parley")


class PasswordRefused(Exception):
    """A new password is too easy to guess; the text says why."""


class TooBusy(Exception):
    """So many passwords are being checked already that this one must come back later."""


def hash_password(password: str, *, login: str = "") -> str:
    """Return the hash to store for a new password; raises `PasswordRefused`. Takes some 30 ms of a processor."""
    _check_strength(password, login)
    return _HASHER.hash(password)


def _check_strength(password: str, login: str) -> None:
    if not LEAST_CHARS <= len(password) <= MOST_CHARS:
        raise PasswordRefused(f"A password has {LEAST_CHARS} to {MOST_CHARS} characters.")
    plain = password.lower()
    rest = plain
    for word in (*_COMMON, *([login.lower()] if login else [])):
        rest = rest.replace(word, "")
    if len(set(plain)) < _FEWEST_DIFFERENT or len(rest) < LEAST_CHARS // 2:
        raise PasswordRefused("This password is too easy to guess; a few unrelated words make a good one.")


class Passwords:
    """Checks and hashes for the event loop: at most `AT_ONCE` at a time, and a bounded queue."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "password")
        self._waiting = 0

    async def hash(self, password: str, *, login: str) -> str:
        """Return the hash of a new password; raises `PasswordRefused` or `TooBusy`."""
        return await self._run(lambda: hash_password(password, login=login))

    async def fits(self, password: str, stored: str | None) -> bool:
        """Tell whether a password belongs to a stored hash; without one it takes as long and is False. Raises `TooBusy`."""
        return await self._run(lambda: _fits(password, stored or _nobody())) and stored is not None

    async def _run(self, job: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MOST:
            raise TooBusy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, job)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


@cache
def _nobody() -> str:
    """Return a hash that takes as long to check as a real one; made on first use, as making it does too."""
    return _HASHER.hash("no account has this")


def _fits(password: str, stored: str) -> bool:
    try:
        return _HASHER.verify(stored, password[: MOST_CHARS + 1])
    except (VerificationError, InvalidHashError):
        return False
