"""One-time codes: how long they live, what they are bound to, how often they may be tried and sent: exact counts, also all at once."""

from __future__ import annotations

import asyncio
import hmac
from typing import Any

import phonenumbers
import pytest

from core.identity import code_limits, codes
from core.model.address import Address, AddressKind
from core.model.dialog import Advanced, RunAction
from core.reports.invariants import check as invariants
from tests.core.conftest import ANNA, NOW, RULES, World

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
    found = {make(world, f"c{n}", party=f"p{n}", address=Address(AddressKind.MSISDN, f"+2547{n:03d}00000")).code for n in range(300)}
    assert len(found) > 290
    under_another_key = world.store.write_sync(lambda tx: codes.make(tx, b"j" * 32, "d1", "q1", PHONE, "verify", NOW)).code
    world.store.write_sync(lambda tx: tx.execute("delete from one_time_code"))
    assert make(world, "d1", party="q1").code != under_another_key


def guess_wrong(world: World, times: int, at: int, beginning: int = 0) -> int:
    """Type so many wrong codes, as quickly as is allowed; return when the last one was typed."""
    left = times
    while left:
        code = make(world, f"g{beginning}-{left}", at=at).code
        assert code, "asked too often"
        for number in range(min(codes.TRIES_MAX, left)):
            assert check(world, wrong(code, number), at=at) is None
            left -= 1
        at += codes.DAY_MS // codes.DAY_MAX
    return at


def test_a_hundred_wrong_codes_in_a_row_are_the_end_until_a_person_says_so(world: World) -> None:
    at = guess_wrong(world, code_limits.FAILURES_MAX - 1, NOW)
    last = make(world, "last", at=at).code
    assert check(world, wrong(last), at=at) is None
    assert world.rows("select failures, locked_at from code_lock") == [(code_limits.FAILURES_MAX, at)]
    assert check(world, last, at=at) is None, "the right one is not looked at any more"
    assert make(world, "more", at=at + codes.DAY_MS).problem == "locked"
    assert make(world, "other", party="p2", address=Address(AddressKind.MSISDN, "+254700000078"), at=at).code
    world.store.write_sync(lambda tx: tx.execute("delete from code_lock where party_id = 'p1'"))
    code = make(world, "again", at=at + codes.DAY_MS).code
    assert check(world, code, at=at + codes.DAY_MS) == PHONE.value


def test_a_right_code_begins_the_count_anew(world: World) -> None:
    at = guess_wrong(world, code_limits.FAILURES_MAX - 1, NOW)
    assert check(world, make(world, "right", at=at).code, at=at) == PHONE.value
    assert world.rows("select * from code_lock") == []
    at = guess_wrong(world, code_limits.FAILURES_MAX - 1, at + codes.DAY_MS // codes.DAY_MAX, 1)
    assert check(world, make(world, "right again", at=at).code, at=at) == PHONE.value


def pump(world: World, numbers: int, *, typed: int = 0, beginning: str = "+2547001", every_ms: int = 1_000, at: int = NOW) -> int:
    """Have codes sent to numbers of one range, each by another party, of which every `typed`-th comes back; return how many were sent."""
    sent = 0
    for number in range(numbers):
        address, party, now = Address(AddressKind.MSISDN, f"{beginning}{number:04d}"), f"{at}-{number}", at + number * every_ms
        made = make(world, f"{party}-{beginning}", party=party, address=address, at=now)
        sent += made.problem is None
        if made.code and typed and number % typed == 0:
            assert check(world, made.code, party=party, at=now) == address.value
    return sent


def test_who_is_paid_for_messages_gets_sixty_at_most_out_of_a_thousand_numbers(world: World) -> None:
    assert pump(world, 1_000) <= 60
    ((beginning, until),) = world.rows("select range, until from code_stop")
    assert (beginning, until) == ("+2547001", NOW + 50_000 + code_limits.STOP_MS)
    assert make(world, "elsewhere", at=NOW + 60_000).problem is None, "numbers of other ranges get theirs"
    assert [stop.range for stop in world.store.read_sync(lambda tx: code_limits.stops(tx, NOW + 60_000))] == ["+2547001"]
    assert world.store.read_sync(lambda tx: code_limits.stops(tx, until)) == []
    assert pump(world, 200, at=until + 1) == code_limits.SENT_MIN, "an hour later it is looked at anew"


def test_without_the_brake_there_would_be_a_thousand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_limits, "TYPED_LEAST", 0.0)
    assert pump(world, 200) == 200


def test_a_range_whose_codes_are_typed_in_gets_them_all(world: World) -> None:
    assert pump(world, 300, typed=4) == 300
    assert world.rows("select * from code_stop") == []


def test_a_day_has_so_many_codes_for_everybody_together(world: World) -> None:
    def ask(number: int, at: int) -> codes.Made:
        address = Address(AddressKind.MSISDN, f"+2547{number:03d}00000")
        return world.store.write_sync(lambda tx: codes.make(tx, KEY, f"c{number}", f"p{number}", address, "verify", at, 20))

    made = [ask(number, NOW + number * 1_000) for number in range(30)]
    assert [one.problem for one in made] == [None] * 20 + ["throttled"] * 10
    assert [one.stop is not None for one in made] == [False] * 20 + [True] + [False] * 9, "it is told once"
    assert ask(40, NOW + codes.DAY_MS + 60_000).problem is None


def test_a_locked_person_is_told_to_ask_for_an_agent_who_can_allow_codes_again(world: World) -> None:
    world.dialog.then(Advanced({}, ()))
    world.hear("sms", ANNA, "hi")
    ((party_id, conversation_id),) = world.rows("select party_id, id from conversation")
    tries = [("insert into code_lock (party_id, failures) values (?, ?)", (party_id, code_limits.FAILURES_MAX - 1))]
    world.store.write_sync(lambda tx: [tx.execute(*one) for one in tries])
    code = world.store.write_sync(lambda tx: codes.make(tx, RULES.code_key, "c", party_id, PHONE, "verify", world.now)).code
    run = RunAction("action_check_code", "k1", {"slots": {"verification_code": wrong(code)}})
    world.dialog.then(Advanced({}, (), (run,)), Advanced({}, ()))
    world.hear("sms", ANNA, wrong(code))
    assert world.dialog.told[-1][0].events == ({"event": "slot", "name": "number_verified", "value": False},)  # type: ignore[union-attr]
    send = RunAction("action_send_code", "k2", {"slots": {"verify_msisdn": "0712345678"}})
    world.dialog.then(Advanced({}, (), (send,)), Advanced({}, ()))
    world.hear("sms", ANNA, "a new code")
    assert {"event": "slot", "name": "code_problem", "value": "locked"} in world.dialog.told[-1][0].events  # type: ignore[union-attr]
    assert world.rows("select count(*) from event where kind = 'codes.locked'") == [(1,)]
    assert world.store.write_sync(lambda tx: code_limits.unlock(tx, party_id, "susan", world.now)) is True
    assert world.store.write_sync(lambda tx: code_limits.unlock(tx, party_id, "susan", world.now)) is False
    assert world.rows("select body from event where kind = 'codes.unlocked'") == [('{"by":"susan"}',)]
    assert world.store.read_sync(invariants) == []
    assert conversation_id
