"""One-time codes: made from a key and their cause, kept only as a hash, counted in the same transaction that checks them."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

import phonenumbers

from core.identity import code_limits
from core.identity.code_limits import Stop
from core.model.address import Address
from core.model.ids import derive
from core.store.api import Tx

LIFE_MS = 5 * 60_000
TRIES_MAX = 5
FAILURES_PER_HOUR_MAX = 10
GAP_MS = 60_000
BURST_MS, BURST_MAX = 10 * 60_000, 3
DAY_MS, DAY_MAX = 24 * 3_600_000, 10
ALL_A_DAY_MAX = 5_000
_TIMES = {
    "address": "select created_at from one_time_code where address = ? and created_at > ?",
    "party_id": "select created_at from one_time_code where party_id = ? and created_at > ?",
}
_SENDABLE = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)


@dataclass(frozen=True, slots=True)
class Made:
    """A code to send, or the stable code of what forbids it: throttled, locked. `stop` is what began to forbid it just now."""

    code: str = ""
    problem: str | None = None
    stop: Stop | None = None


def sendable_number(text: str, country: str) -> tuple[str, str | None]:
    """Return a number as E.164 and what forbids sending a code to it: only mobile numbers of the operator's own country get one."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return "", "bad_number"
    if not phonenumbers.is_valid_number(number):
        return "", "bad_number"
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if phonenumbers.region_code_for_number(number) != country or phonenumbers.number_type(number) not in _SENDABLE:
        return written, "not_allowed"
    return written, None


def make(tx: Tx, key: bytes, cause: str, party_id: str, address: Address, purpose: str, at: int, most_a_day: int = ALL_A_DAY_MAX) -> Made:
    """Make a code for an address; it cancels the earlier ones.

    The limits hold for the address, for the party that asks, for the range of numbers, and for the day, which has `most_a_day` in all.
    """
    if code_limits.locked_at(tx, party_id) is not None:
        return Made(problem="locked")
    for column, value in (("address", address.value), ("party_id", party_id)):
        times = [row[0] for row in tx.all(_TIMES[column], (value, at - DAY_MS))]
        if times and at - max(times) < GAP_MS:
            return Made(problem="throttled")
        if sum(at - time < BURST_MS for time in times) >= BURST_MAX or len(times) >= DAY_MAX:
            return Made(problem="throttled")
    stop = code_limits.stopped(tx, address.value, most_a_day, at)
    if stop is not None:
        return Made(problem="throttled", stop=stop if stop.new else None)
    code = f"{int.from_bytes(_mac(key, 'make', cause)[:8], 'big') % 1_000_000:06d}"
    tx.execute("update one_time_code set expires_at = ? where party_id = ? and used_at is null and expires_at > ?", (at, party_id, at))
    tx.execute(
        "insert into one_time_code (id, party_id, address_kind, address, purpose, code_hash, created_at, expires_at)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            derive(cause, "code"),
            party_id,
            address.kind.value,
            address.value,
            purpose,
            _mac(key, "check", party_id, address.value, purpose, code),
            at,
            at + LIFE_MS,
        ),
    )
    return Made(code=code)


def check(tx: Tx, key: bytes, party_id: str, purpose: str, code: str, at: int) -> str | None:
    """Return the address that the party has proved by this code, or None. Each call is one try; a code works once."""
    failures = tx.one("select coalesce(sum(tries), 0) from one_time_code where party_id = ? and created_at > ?", (party_id, at - 3_600_000))
    if failures is not None and failures[0] >= FAILURES_PER_HOUR_MAX:
        return None
    if code_limits.locked_at(tx, party_id) is not None:
        return None
    # A clock that was set back must not lengthen the life of a code.
    tx.execute("update one_time_code set expires_at = 0 where party_id = ? and used_at is null and created_at > ?", (party_id, at))
    row = tx.one(
        "select id, address, code_hash from one_time_code where party_id = ? and purpose = ? and used_at is null and expires_at > ?"
        " order by created_at desc limit 1",
        (party_id, purpose, at),
    )
    if row is None:
        return None
    if not tx.execute("update one_time_code set tries = tries + 1 where id = ? and tries < ?", (row[0], TRIES_MAX)):
        return None
    if not hmac.compare_digest(bytes(row[2]), _mac(key, "check", party_id, row[1], purpose, code)):
        code_limits.failed(tx, party_id, at)
        return None
    code_limits.succeeded(tx, party_id)
    tx.execute("update one_time_code set used_at = ?, tries = tries - 1 where id = ?", (at, row[0]))
    return str(row[1])


def _mac(key: bytes, *parts: str) -> bytes:
    return hmac.digest(key, "\x1f".join(parts).encode(), "sha256")
