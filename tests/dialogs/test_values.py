from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogs.model import Slot
from dialogs.normal import normal
from dialogs.values import PARSERS, Reading, parse_value
from tests.golden.player import START_MS, engine_of

WORDS = engine_of("lab").project.words
NAIROBI = ZoneInfo("Africa/Nairobi")


def read(kind: str, text: str, *, country: str = "KE", now_ms: int = START_MS, slot: Slot | None = None, digits: Any = None) -> Any:
    slot = slot or Slot("x", "text", kind)
    return parse_value(kind, Reading(text, normal(text), WORDS, country, now_ms, NAIROBI, slot, digits))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("amount", "20", 20.0),
        ("amount", " 20.50 ", 20.5),
        ("amount", "20,5", 20.5),
        ("amount", "1,000", 1000.0),
        ("amount", "1.000,50", 1000.5),
        ("amount", "1 000", 1000.0),
        ("amount", "KES 50", 50.0),
        ("amount", "50 bob", 50.0),
        ("amount", "50/=", 50.0),
        ("amount", "€5", 5.0),
        ("amount", "twenty", 20.0),
        ("amount", "two hundred and fifty", 250.0),
        ("amount", "mia mbili", 200.0),
        ("amount", "elfu moja", 1000.0),
        ("amount", "deux cent", 200.0),
        ("amount", "five thousand two hundred", 5200.0),
        ("amount", "0", 0.0),
        ("amount", "-5", None),
        ("amount", "0712345678", None),
        ("amount", "5.555", 5555.0),
        ("amount", "0.555", None),
        ("amount", "much", None),
        ("amount", "50 and more", None),
        ("amount", "9" * 40, None),
        ("amount", "٥٠", 50.0),
        ("amount", "cent cinq", 105.0),
        ("amount", "elfu tano", 5000.0),
        ("number", "-7", -7.0),
        ("number", "1'000", 1000.0),
        ("integer", "7", 7),
        ("integer", "7.0", 7),
        ("integer", "7.5", None),
        ("integer", "seven", 7),
        ("digits", "12 34-56", "123456"),
        ("digits", "12a", None),
        ("digits", "１２", None),
        ("otp", "123456", "123456"),
        ("otp", "123", None),
        ("pin", "0000", "0000"),
        ("luhn", "4539 1488 0343 6467", "4539148803436467"),
        ("luhn", "4539148803436468", None),
        ("iccid", "8925402000000000007", None),
        ("iccid", "89014103211118510720", "89014103211118510720"),
        ("msisdn", "0712 345 678", "+254712345678"),
        ("msisdn", "+254712345678", "+254712345678"),
        ("msisdn", "254712345678", "+254712345678"),
        ("msisdn", "12345", None),
        ("msisdn", "call me", None),
        ("email", "Someone@Example.org", "someone@example.org"),
        ("email", "a@b", None),
        ("email", "a b@example.org", None),
        ("email", "<a@example.org>,b@example.org", None),
        ("yesno", "Yes!", True),
        ("yesno", "NDIYO", True),
        ("yesno", "d’accord", True),
        ("yesno", "hapana", False),
        ("yesno", "perhaps", None),
        ("date", "today", "2026-01-01"),
        ("date", "kesho", "2026-01-02"),
        ("date", "thursday", "2026-01-08"),
        ("date", "ijumaa", "2026-01-02"),
        ("date", "31/12", "2026-12-31"),
        ("date", "5.3.27", "2027-03-05"),
        ("date", "2026-02-30", None),
        ("date", "31/31", None),
        ("date", "soon", None),
        ("time", "14:30", "14:30"),
        ("time", "2pm", "14:00"),
        ("time", "12 am", "00:00"),
        ("time", "14h30", "14:30"),
        ("time", "14h", "14:00"),
        ("time", "25:00", None),
        ("time", "13pm", None),
        ("text", "  Asha ", "Asha"),
        ("text", "🙂", None),
        ("text", "...", None),
    ],
)
def test_a_text_is_read(kind: str, text: str, value: Any) -> None:
    found = read(kind, text)
    assert found == value
    assert type(found) is type(value)


def test_tomorrow_is_the_persons_own() -> None:
    late_evening_utc = START_MS + 12 * 3_600_000  # 21:30 UTC is half past midnight of the next day in Nairobi
    assert read("date", "today", now_ms=late_evening_utc) == "2026-01-02"


def test_the_month_comes_first_in_the_united_states() -> None:
    assert read("date", "3/5", country="US") == "2026-03-05"
    assert read("date", "3/5") == "2026-05-03"


def test_bounds_of_the_slot_hold() -> None:
    slot = Slot("x", "float", "amount", low=5, high=10)
    assert [read("amount", text, slot=slot) for text in ("4", "5", "10", "11")] == [None, 5.0, 10.0, None]


def test_length_of_a_code() -> None:
    assert read("otp", "123456", digits=(6, 6)) == "123456"
    assert read("otp", "12345", digits=(6, 6)) is None


@given(st.sampled_from(sorted(PARSERS)), st.text(max_size=700))
def test_nothing_that_is_written_breaks_a_parser(kind: str, text: str) -> None:
    value = read(kind, text)
    assert value is None or isinstance(value, str | int | float)
