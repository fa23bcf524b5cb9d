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
_ISO = re.compile(r"^\d{4}-?\d\d-?\d\d")
# Names of zones beyond those of RFC 5322 that mean one thing only.
_ZONES = {
    "MET DST": "+0200",
    **dict.fromkeys(("CET", "MET", "MEZ", "BST", "WEST"), "+0100"),
    **dict.fromkeys(("CEST", "MEST", "MESZ", "EET", "SAST", "CAT"), "+0200"),
    **dict.fromkeys(("EEST", "MSK", "EAT", "TRT"), "+0300"),
    "WET": "+0000",
    "WAT": "+0100",
    "PKT": "+0500",
    "WIB": "+0700",
    "HKT": "+0800",
    "SGT": "+0800",
    "JST": "+0900",
    "KST": "+0900",
    "AEST": "+1000",
    "AEDT": "+1100",
    "NZST": "+1200",
    "NZDT": "+1300",
    "BRT": "-0300",
    "ART": "-0300",
    "AKST": "-0900",
    "HST": "-1000",
}
_ZONE = re.compile(rf"\b({'|'.join(_ZONES)})$")


def read(raw: bytes) -> datetime | None:
    """Return the date in a header field with its zone, or None if it cannot be read."""
    plain = raw.decode("ascii", "ignore")[:_CHARS_MAX]
    plain = " ".join(_COMMENT.sub(" ", plain).split())
    if _ISO.match(plain):
        return _zoned(_iso(plain))
    plain = _LEAP_SECOND.sub(r"\1:59", _FRACTION.sub(r"\1", _AROUND_COLONS.sub(":", plain)))
    plain = _MONTH_FIRST.sub(lambda found: f"{found[2]} {found[1]} {found[5]} {found[3]} {found[4] or found[6]}".strip(), plain)
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
