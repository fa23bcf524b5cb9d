"""One-time codes: how long they live, what they are bound to, how often they may be tried and sent: exact counts, also all at once."""

from __future__ import annotations

import asyncio
import hmac
from typing import Any

import phonenumbers
import pytest

from core.identity import codes
from core.model.address import Address, AddressKind
from tests.core.conftest import NOW, World

KEY = b"k" * 32
PHONE = Address(AddressKind.MSISDN, "+254700000077")


def make(world: World, cause: str = "c1", *, party: str = "p1", address: Address = PHONE, purpose: str = "verify", at: int = NOW) -> Any:
    return world.store.write_sync(lambda tx: codes.make(tx, KEY, cause, party, address, purpose, at))


def check(world: World, code: str, *, party: str = "p1", purpose: str = "verify", at: int = NOW) -> Any:
    return world.store.write_sync(lambda tx: codes.check(tx, KEY, party, purpose, code, at))


def wrong(code: str, number: int = 0) -> str:
    return f"{(int(code) + 1 + number) % 1_000_000:06d}"


def test_a_code_has_six_digits_works_once_and_is_bound_to_party_and_purpose(world: World) -> None:
    code = make(world).code
    assert len(code) == 6
    assert code.isdigit()
    assert check(world, code, party="p2") is None
    assert check(world, code, purpose="pay") is None
    assert check(world, code) == PHONE.value
    assert check(world, code) is None


def test_the_same_hash_is_worth_nothing_under_another_address_or_key(world: World) -> None:
    code = make(world).code
    (kept,) = world.rows("select code_hash from one_time_code")[0]
    assert code.encode() not in bytes(kept)
    world.store.write_sync(lambda tx: tx.execute("update one_time_code set address = '+254700000078'"))
    assert check(world, code) is None


@pytest.mark.parametrize(
    ("later_ms", "fits"),
    [(0, True), (codes.LIFE_MS - 1, True), (codes.LIFE_MS, False), (codes.LIFE_MS + 1_000, False), (-1, False), (-3_600_000, False)],
)
def test_a_code_lives_five_minutes_and_no_longer_whatever_the_clock_does(world: World, later_ms: int, *, fits: bool) -> None:
    code = make(world).code
    assert (check(world, code, at=NOW + later_ms) is not None) is fits
    if not fits and later_ms < 0:
        assert check(world, code, at=NOW + 1) is None  # it does not come to life again when the clock is put right


def test_a_new_code_cancels_the_one_before(world: World) -> None:
    first = make(world).code
    second = make(world, "c2", at=NOW + codes.GAP_MS).code
    assert check(world, first, at=NOW + codes.GAP_MS) is None
    assert check(world, second, at=NOW + codes.GAP_MS) == PHONE.value


def test_the_sixth_try_is_not_looked_at(world: World) -> None:
    code = make(world).code
    for number in range(codes.TRIES_MAX):
        assert check(world, wrong(code, number)) is None
    assert check(world, code) is None
    assert world.value("select tries from one_time_code") == codes.TRIES_MAX


def test_ten_failures_an_hour_are_all_that_a_party_has(world: World) -> None:
    for number in range(2):
        code = make(world, f"c{number}", at=NOW + number * codes.GAP_MS).code
        for place in range(codes.TRIES_MAX):
            check(world, wrong(code, place), at=NOW + number * codes.GAP_MS)
    at = NOW + 11 * 60_000
    code = make(world, "c9", at=at).code
    assert check(world, code, at=at) is None


async def count_evaluated(world: World, monkeypatch: pytest.MonkeyPatch, unit: Any) -> int:
    code = (await world.store.write(lambda tx: codes.make(tx, KEY, "c1", "p1", PHONE, "verify", NOW))).code
    compared = []
    real = hmac.compare_digest

    def compare(a: Any, b: Any) -> bool:
        compared.append(a)
        return bool(real(a, b))

    monkeypatch.setattr(hmac, "compare_digest", compare)
    async with asyncio.timeout(10):
        await asyncio.gather(*(unit(wrong(code, number)) for number in range(200)))
    return len(compared)


async def test_two_hundred_guesses_at_once_are_five_guesses(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def guess(code: str) -> Any:
        return await world.store.write(lambda tx: codes.check(tx, KEY, "p1", "verify", code, NOW))

    assert await count_evaluated(world, monkeypatch, guess) == codes.TRIES_MAX


async def test_the_count_bites(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that is read in one unit and written in another lets more through: so the test above can fail."""

    async def guess(code: str) -> Any:
        tries = await world.store.read(lambda tx: tx.one("select tries from one_time_code"))
        assert tries is not None
        if tries[0] < codes.TRIES_MAX:
            hmac.compare_digest(b"", code.encode())
            await world.store.write(lambda tx: tx.execute("update one_time_code set tries = ?", (tries[0] + 1,)))

    assert await count_evaluated(world, monkeypatch, guess) > codes.TRIES_MAX


@pytest.mark.parametrize("by", ["address", "party"])
def test_sending_has_limits_for_the_number_and_for_whoever_asks(world: World, by: str) -> None:
    def ask(number: int, at: int) -> str | None:
        party = "p1" if by == "party" else f"p{number}"
        address = PHONE if by == "address" else Address(AddressKind.MSISDN, f"+2547000001{number:02d}")
        return make(world, f"c{number}", party=party, address=address, at=at).problem  # type: ignore[no-any-return]

    assert ask(0, NOW) is None
    assert ask(1, NOW + codes.GAP_MS - 1) == "throttled"
    assert ask(2, NOW + codes.GAP_MS) is None
    assert ask(3, NOW + 2 * codes.GAP_MS) is None
    assert ask(4, NOW + 3 * codes.GAP_MS) == "throttled"
    at, given = NOW + codes.BURST_MS, 3
    for number in range(5, 40):
        at += codes.BURST_MS
        given += ask(number, at) is None
    assert given == codes.DAY_MAX


def test_no_code_goes_to_other_countries_or_dear_numbers(world: World) -> None:
    regions = ("US", "GB", "DE", "RU", "CU", "LV", "SO", "TN", "UG", "TZ", "IN", "FR", "NG", "ZA", "EG")
    found = (phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE) for region in regions)
    numbers = [phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) for number in found if number is not None]
    numbers += ["+881612345678", "+8816123456789", "+882161234567", "+254900123456", "+254202012345", "+2547", "0900123456", "*100#", ""]
    assert len(numbers) >= 20
    for number in numbers:
        assert codes.sendable_number(number, "KE")[1] in {"not_allowed", "bad_number"}, number
    assert codes.sendable_number("0712345678", "KE") == ("+254712345678", None)


def test_codes_do_not_follow_from_each_other(world: World) -> None:
    found = {make(world, f"c{n}", party=f"p{n}", address=Address(AddressKind.MSISDN, f"+25470000{n:04d}")).code for n in range(300)}
    assert len(found) > 290
    under_another_key = world.store.write_sync(lambda tx: codes.make(tx, b"j" * 32, "d1", "q1", PHONE, "verify", NOW)).code
    world.store.write_sync(lambda tx: tx.execute("delete from one_time_code"))
    assert make(world, "d1", party="q1").code != under_another_key
