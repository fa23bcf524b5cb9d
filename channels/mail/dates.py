"""Reads dates as mails have them: RFC 5322 with what became of it, ISO 8601, and what `date` and its like print.

Must not guess: what cannot be told for certain is None, but a missing or unknown zone counts as UTC, as RFC 5322 has it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_CHARS_MAX = 200
_COMMENT = re.compile(r"\([^()]{0,80}\)")
_MONTH_FIRST = re.compile(
    r"^(?:[A-Za-z]{3},?\s+)?([A-Za-z]{3})\s+(\d{1,2})\s+(\d\d?:\d\d(?::\d\d)?)\s+(?:([A-Z]{3,4}|[+-]\d{4})\s+)?(\d{4})\b(.*)$"
)
_ZONED = re.compile(r"\b(?:GMT|UTC|UT) ?([+-])(\d\d):?(\d\d)\b|([+-])(\d\d):(\d\d)$")
_HALF_OF_DAY = re.compile(r"\b(\d{1,2})(:\d\d(?::\d\d)?) ?([AaPp])\.?[Mm]\.?(?= |$)")
_AROUND_COLONS = re.compile(r"(?<=\d) {0,3}: {0,3}(?=\d)")
_FRACTION = re.compile(r"(:\d\d)[.,]\d{1,9}\b")
_LEAP_SECOND = re.compile(r"(:\d\d):6[01]\b")
_MONTH = re.compile(r"(?<=\d[ .])([A-Za-z]{3})[a-z]{0,9}\.?(?= \d{2,4} )")
# Months of other languages by their first letters, where those mean one month only.
_OTHER_MONTHS = {
    "Jan": "ene gen",
    "Feb": "fev",
    "Mar": "mrt",
    "Apr": "avr abr",
    "May": "mai maj mei mag",
    "Jun": "giu",
    "Jul": "lug",
    "Aug": "ago",
    "Sep": "set",
    "Oct": "okt out ott",
    "Dec": "dic dez",
}
_MONTHS = {other: month for month, others in _OTHER_MONTHS.items() for other in others.split()}
_ISO = re.compile(r"^\d{4}-?\d\d-?\d\d")
# Names of zones beyond those of RFC 5322 that mean one thing only.
_OFFSETS = {
    "+0000": "WET",
    "+0100": "CET MET MEZ BST WEST WAT",
    "+0200": "CEST MEST MESZ EET SAST CAT",
    "+0300": "EEST MSK EAT TRT",
    "+0500": "PKT",
    "+0700": "WIB",
    "+0800": "HKT SGT",
    "+0900": "JST KST",
    "+1000": "AEST",
    "+1100": "AEDT",
    "+1200": "NZST",
    "+1300": "NZDT",
    "-0300": "BRT ART",
    "-0900": "AKST",
    "-1000": "HST",
}
_ZONES = {"MET DST": "+0200"} | {name: offset for offset, names in _OFFSETS.items() for name in names.split()}
_ZONE = re.compile(rf"\b({'|'.join(_ZONES)})$")


def read(raw: bytes) -> datetime | None:
    """Return the date in a header field with its zone, or None if it cannot be read."""
    plain = raw.decode("ascii", "ignore")[:_CHARS_MAX]
    plain = " ".join(_COMMENT.sub(" ", plain).split())
    if _ISO.match(plain):
        return _zoned(_iso(plain))
    plain = _LEAP_SECOND.sub(r"\1:59", _FRACTION.sub(r"\1", _AROUND_COLONS.sub(":", plain)))
    plain = _MONTH_FIRST.sub(lambda found: f"{found[2]} {found[1]} {found[5]} {found[3]} {found[4] or found[6]}".strip(), plain)
    plain = _MONTH.sub(lambda found: _MONTHS.get(found[1].lower(), found[1]), plain)
    plain = _HALF_OF_DAY.sub(_of_24_hours, plain)
    plain = _ZONED.sub(lambda found: "".join(part for part in found.groups() if part), plain)
    plain = _ZONE.sub(lambda found: _ZONES[found[1]], plain)
    try:
        found = parsedate_to_datetime(plain)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return _zoned(found.replace(year=found.year + 1900) if found.year < 1000 else found)


def _iso(plain: str) -> datetime | None:
    try:
        return datetime.fromisoformat(re.sub(r" (?=[+-]\d\d:?\d\d$)", "", plain))
    except (ValueError, OverflowError):
        return None


def _zoned(found: datetime | None) -> datetime | None:
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found


def _of_24_hours(found: re.Match[str]) -> str:
    hour = int(found[1])
    if not 1 <= hour <= 12:  # a half of the day beside an hour of 24 says nothing
        return found[1] + found[2]
    return f"{hour % 12 + 12 * (found[3] in 'pP'):02}{found[2]}"
