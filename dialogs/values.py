"""Reads typed values from what people write: amounts, numbers, phone numbers, dates, yes and no, codes, mail addresses.

A parser returns the value, or None if the text is none; it never guesses, and bounded input keeps each of them quick.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

import phonenumbers

from dialogs.model import Slot
from dialogs.normal import words_of
from dialogs.words import Words

_NUMBER = re.compile(r"[-+]?\d[\d., \u00a0']*")
_AMOUNT = re.compile(r"(?:[a-z]{2,4}\.?|[$€£])?\s*(\d[\d., ']*?)\s*(?:/[=-]|[a-z]{2,9}\.?|[$€£])?")
_EMAIL = re.compile(r"[^\s@<>\"(),:;\\\[\]]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}")
_TIME = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s*([ap])?\.?m?\.?|(\d{1,2})h")
_DATE = re.compile(r"(\d{1,2})[/.\s-](\d{1,2})(?:[/.\s-](\d{4}|\d{2}))?")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_PLAIN_MAX = 40
_LARGEST = 1e12


@dataclass(frozen=True, slots=True)
class Reading:
    """What a parser is given: the text, its normalised form, and what it may know; time in ms UTC."""

    text: str
    word: str
    words: Words
    country: str
    now_ms: int
    zone: tzinfo
    slot: Slot
    digits: tuple[int, int] | None = None


def number_of(text: str) -> float | None:
    """Read a number with a point or a comma before the decimals, and either of them, a space or an apostrophe between groups of three."""
    text = text.strip().replace(" ", "").replace("\u00a0", "").replace("'", "")
    sign = -1.0 if text.startswith("-") else 1.0
    text = text.lstrip("+-").rstrip(".,")
    point, comma = text.rfind("."), text.rfind(",")
    if point >= 0 and comma >= 0:
        group, decimal = (",", ".") if point > comma else (".", ",")
        text = text.replace(group, "").replace(decimal, ".")
    elif point >= 0 or comma >= 0:
        mark = "." if point >= 0 else ","
        parts = text.split(mark)
        grouped = len(parts) > 2 or (len(parts[-1]) == 3 and parts[0] != "0")
        if grouped and any(len(part) != 3 for part in parts[1:]):
            return None
        text = "".join(parts) if grouped else ".".join(parts)
    try:
        value = sign * float(text)
    except ValueError:
        return None
    return value if abs(value) <= _LARGEST else None


def _spelled(reading: Reading) -> float | None:
    """Read a number in words: "fifty", "two hundred", "mia mbili" are sums and products of the table."""
    total = current = 0
    words = [word for word in words_of(reading.word.replace("-", " ")) if word not in {"and", "et", "na"}]
    if not words:
        return None
    before = ""
    for word in words:
        number = reading.words.numbers.get(word)
        if number is None:
            return None
        if before in reading.words.multiplied_after and number < 10:
            current += (number - 1) * reading.words.numbers[before]
        elif number in {100, 1000} and current:
            current *= number
        else:
            current += number
        if number == 1000 and word not in reading.words.multiplied_after:
            total, current = total + current, 0
        before = word
    return float(total + current)


def _amount(reading: Reading) -> float | None:
    text = reading.text.casefold().strip(" .,;:!?\t\n")
    if len(text) > _PLAIN_MAX:
        return None
    match = _AMOUNT.fullmatch(text)
    if match is None:
        return _spelled(reading)
    figures = match.group(1)
    if figures[0] == "0" and figures[1:2].isdigit():
        return None  # a phone number rather than an amount
    value = number_of(figures)
    return None if value is None or round(value, 2) != value else value


def _number(reading: Reading) -> float | None:
    text = reading.text.strip()
    if len(text) > _PLAIN_MAX:
        return None
    return number_of(text) if _NUMBER.fullmatch(text) else _spelled(reading)


def _integer(reading: Reading) -> int | None:
    value = _number(reading)
    return int(value) if value is not None and value.is_integer() else None


def _digits_of(reading: Reading, shortest: int, longest: int) -> str | None:
    digits = re.sub(r"[\s-]", "", reading.text)
    low, high = reading.digits or (shortest, longest)
    return digits if digits.isascii() and digits.isdigit() and low <= len(digits) <= high else None


def _digits(reading: Reading) -> str | None:
    return _digits_of(reading, 1, 40)


def _code(reading: Reading) -> str | None:
    return _digits_of(reading, 4, 8)


def _luhn_ok(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _luhn(reading: Reading) -> str | None:
    digits = _digits(reading)
    return digits if digits is not None and len(digits) > 1 and _luhn_ok(digits) else None


def _iccid(reading: Reading) -> str | None:
    digits = re.sub(r"[\s-]", "", reading.text).rstrip("fF")
    if not (digits.isascii() and digits.isdigit() and digits.startswith("89") and 18 <= len(digits) <= 20):
        return None
    return digits if len(digits) == 18 or _luhn_ok(digits) else None


def _msisdn(reading: Reading) -> str | None:
    text = reading.text.strip()
    if len(text) > _PLAIN_MAX or sum(character.isdigit() for character in text) < 5:
        return None
    try:
        number = phonenumbers.parse(text, reading.country or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _email(reading: Reading) -> str | None:
    return reading.word if len(reading.word) <= 254 and _EMAIL.fullmatch(reading.word) else None


def _yesno(reading: Reading) -> bool | None:
    if reading.word in reading.words.yes:
        return True
    return False if reading.word in reading.words.no else None


def _date(reading: Reading) -> str | None:
    today = datetime.fromtimestamp(reading.now_ms / 1000, reading.zone).date()
    if reading.word in reading.words.days:
        return (today + timedelta(days=reading.words.days[reading.word])).isoformat()
    if reading.word in reading.words.weekdays:
        return (today + timedelta(days=(reading.words.weekdays[reading.word] - today.isoweekday() - 1) % 7 + 1)).isoformat()
    if (match := _ISO.fullmatch(reading.word)) is not None:
        return _calendar(int(match.group(1)), int(match.group(2)), int(match.group(3)))
    if (match := _DATE.fullmatch(reading.word)) is None:
        return None
    day, month = int(match.group(1)), int(match.group(2))
    if reading.country == "US":
        day, month = month, day
    year = int(match.group(3)) if match.group(3) else today.year
    return _calendar(year + 2000 if year < 100 else year, month, day)


def _calendar(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _time(reading: Reading) -> str | None:
    match = _TIME.fullmatch(reading.word)
    if match is None:
        return None
    hour, minute = int(match.group(1) or match.group(4)), int(match.group(2) or 0)
    if match.group(3):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match.group(3) == "p" else 0)
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else None


def _text(reading: Reading) -> str | None:
    text = reading.text.strip()
    return text if any(character.isalnum() for character in text) else None


def _recording(_: Reading) -> None:
    """Take no text for a spoken message."""


def _choice(reading: Reading) -> str | None:
    return next((value for value in reading.slot.values if value.casefold() == reading.word), None)


PARSERS: dict[str, Callable[[Reading], Any]] = {
    "amount": _amount,
    "number": _number,
    "integer": _integer,
    "digits": _digits,
    "pin": _code,
    "otp": _code,
    "luhn": _luhn,
    "iccid": _iccid,
    "msisdn": _msisdn,
    "email": _email,
    "yesno": _yesno,
    "date": _date,
    "time": _time,
    "text": _text,
    "choice": _choice,
    "recording": _recording,
}
"""By type of a question: what reads an answer to it."""


def parse_value(kind: str, reading: Reading) -> Any:
    """Return the value of `kind` that the text is, within the bounds of the slot, else None."""
    value = PARSERS[kind](reading)
    if isinstance(value, int | float) and not isinstance(value, bool):
        slot = reading.slot
        if (slot.low is not None and value < slot.low) or (slot.high is not None and value > slot.high):
            return None
    return value
