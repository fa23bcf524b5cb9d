"""Says in words what a voice would read wrongly: amounts of money, and dates for voices that cannot be told what a date is.

Languages and currencies without words here stay as they are written. Must not know TwiML.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

MONEY = r"(?P<money>\b(?P<code>[A-Z]{3}) ?(?P<whole>\d{1,3}(?:,\d{3})+|\d{1,12})(?:\.(?P<cents>\d\d))?(?![\d.,]\d|\d))"
DATE = r"(?P<date>(?<![\d/-])(?:(?P<iso>\d{4}-\d{2}-\d{2})|(?P<dmy>\d{2}/\d{2}/\d{4}))(?![\d/-]))"
_IN_WORDS = re.compile(f"{MONEY}|{DATE}")


@dataclass(frozen=True, slots=True)
class _Unit:
    """What one of a currency is called, and several; and its hundredth part."""

    one: str
    many: str
    part: str
    parts: str


_SHILLING = {
    "en": _Unit("shilling", "shillings", "cent", "cents"),
    "fr": _Unit("shilling", "shillings", "centime", "centimes"),
    "sw": _Unit("shilingi", "shilingi", "senti", "senti"),
}
_FRANC = {
    "en": _Unit("franc", "francs", "centime", "centimes"),
    "fr": _Unit("franc", "francs", "centime", "centimes"),
    "sw": _Unit("faranga", "faranga", "senti", "senti"),
}
_CURRENCIES = {
    **dict.fromkeys(("KES", "TZS", "UGX", "SOS"), _SHILLING),
    **dict.fromkeys(("XOF", "XAF", "CDF", "RWF", "BIF", "DJF", "GNF", "KMF", "CHF"), _FRANC),
    "USD": {
        "en": _Unit("dollar", "dollars", "cent", "cents"),
        "fr": _Unit("dollar", "dollars", "cent", "cents"),
        "sw": _Unit("dola", "dola", "senti", "senti"),
    },
    "EUR": {
        "en": _Unit("euro", "euros", "cent", "cents"),
        "fr": _Unit("euro", "euros", "centime", "centimes"),
        "sw": _Unit("yuro", "yuro", "senti", "senti"),
    },
    "GBP": {
        "en": _Unit("pound", "pounds", "penny", "pence"),
        "fr": _Unit("livre", "livres", "penny", "pence"),
        "sw": _Unit("pauni", "pauni", "peni", "peni"),
    },
    "ZAR": {"en": _Unit("rand", "rand", "cent", "cents"), "fr": _Unit("rand", "rands", "cent", "cents")},
    "NGN": {"en": _Unit("naira", "naira", "kobo", "kobo"), "fr": _Unit("naira", "nairas", "kobo", "kobos")},
    "GHS": {"en": _Unit("cedi", "cedis", "pesewa", "pesewas"), "fr": _Unit("cédi", "cédis", "pesewa", "pesewas")},
    "ETB": {"en": _Unit("birr", "birr", "santim", "santim"), "fr": _Unit("birr", "birrs", "santim", "santims")},
    "ZMW": {"en": _Unit("kwacha", "kwacha", "ngwee", "ngwee"), "fr": _Unit("kwacha", "kwachas", "ngwee", "ngwees")},
    "MWK": {"en": _Unit("kwacha", "kwacha", "tambala", "tambala"), "fr": _Unit("kwacha", "kwachas", "tambala", "tambalas")},
    "MAD": {"en": _Unit("dirham", "dirhams", "centime", "centimes"), "fr": _Unit("dirham", "dirhams", "centime", "centimes")},
}
_AND = {"en": "and", "fr": "et", "sw": "na"}
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "sw": "Januari Februari Machi Aprili Mei Juni Julai Agosti Septemba Oktoba Novemba Desemba",
}


def in_words(text: str, language: str) -> str:
    """Return `text` with its amounts and dates in words."""
    return _IN_WORDS.sub(lambda found: money(found, language) if found["money"] else day(found, language), text)


def money(found: re.Match[str], language: str) -> str:
    """Return an amount that `MONEY` found in words: `KES 250.50` is 250 shillings and 50 cents."""
    unit = _CURRENCIES.get(found["code"], {}).get(language)
    whole, cents = int(found["whole"].replace(",", "")), int(found["cents"] or 0)
    if unit is None:
        return found["money"]
    said = _counted(whole, unit.one, unit.many, language) if whole or not cents else ""
    part = _counted(cents, unit.part, unit.parts, language) if cents else ""
    return f" {_AND[language]} ".join(filter(None, (said, part)))


def _counted(count: int, one: str, many: str, language: str) -> str:
    """Return a count with its unit; zero is one in French, and Swahili names the unit first."""
    name = one if count == 1 or (count == 0 and language == "fr") else many
    return f"{name} {count}" if language == "sw" else f"{count} {name}"


def day(found: re.Match[str], language: str) -> str:
    """Return a date that `DATE` found in words; what is no day of the calendar stays as it is."""
    year, month, number = found["iso"].split("-") if found["iso"] else reversed(found["dmy"].split("/"))
    try:
        date(int(year), int(month), int(number))
    except ValueError:
        return found["date"]
    if language not in _MONTHS:
        return found["date"]
    spoken = "1er" if language == "fr" and int(number) == 1 else str(int(number))
    return f"{spoken} {_MONTHS[language].split()[int(month) - 1]} {year}"
