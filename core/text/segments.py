"""Counts text as phones do: GSM-7 septets or UCS-2 units, single messages and parts of long ones (3GPP TS 23.038, 23.040).

Also replaces typographic characters that would turn a whole message into UCS-2. Knows only the basic alphabet with its
extension table, no national shift tables. Must not cut text; that is `core.text.split`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from core.text.clusters import clusters

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")  # each is written as two septets, escape and character
_GSM7 = _BASIC | EXTENSION


class Encoding(StrEnum):
    """How the characters of a short message are written."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


SINGLE_UNITS = {Encoding.GSM7: 160, Encoding.UCS2: 70}
PART_UNITS = {Encoding.GSM7: 153, Encoding.UCS2: 67}  # a part of a long message gives seven septets to its header


@dataclass(frozen=True, slots=True)
class Measure:
    """The size of a text: `units` are septets in GSM-7 and 16-bit units in UCS-2; `parts` are short messages."""

    encoding: Encoding
    units: int
    parts: int


def is_gsm7(text: str) -> bool:
    """Tell whether every character is in the basic alphabet or its extension table."""
    return _GSM7.issuperset(text)


@lru_cache(maxsize=4_096)  # menus are counted again and again
def septets(text: str) -> int | None:
    """Return the length in GSM-7 septets, or None where the text needs UCS-2."""
    if not _GSM7.issuperset(text):
        return None
    return len(text) + sum(map(text.count, EXTENSION)) if not EXTENSION.isdisjoint(text) else len(text)


def units(text: str, encoding: Encoding) -> int:
    """Return the length in units of `encoding`; a character outside GSM-7 counts as one septet there."""
    if encoding is Encoding.GSM7:
        return len(text) + sum(map(text.count, EXTENSION))
    return len(text) + sum(character > "\uffff" for character in text)


def measure(text: str) -> Measure:
    """Return encoding, units and number of parts of a text as a handset counts them; an empty text is one part."""
    length = septets(text)
    encoding = Encoding.UCS2 if length is None else Encoding.GSM7
    if length is None:
        length = units(text, encoding)
    if length <= SINGLE_UNITS[encoding]:
        return Measure(encoding, length, 1)
    return Measure(encoding, length, _parts(text, encoding))


def _parts(text: str, encoding: Encoding) -> int:
    """Count parts as a network fills them: what a reader sees as one character, or an extension pair, is never divided.

    A text that turns out not to fit into one message gives up what its first part has no room for; that begins the second.
    """
    capacity, parts, room = PART_UNITS[encoding], 1, SINGLE_UNITS[encoding]
    first: list[int] = []
    for size in _sizes(text, encoding):
        if size > room:
            room = capacity
            if parts == 1:
                room -= _left_over(first, capacity)
            parts += 1
        elif parts == 1:
            first.append(size)
        room -= size
    return parts


def _left_over(sizes: list[int], capacity: int) -> int:
    """Return the units at the end of a first part that have to leave it for its header."""
    whole, fitting = sum(sizes), sum(sizes)
    while fitting > capacity:
        fitting -= sizes.pop()
    return whole - fitting


def _sizes(text: str, encoding: Encoding) -> Iterable[int]:
    """Return the units of each character as a reader sees them; in GSM-7 each is one of the alphabet."""
    pieces = text if encoding is Encoding.GSM7 else clusters(text)
    return (units(piece, encoding) for piece in pieces)


# What word processors and phone keyboards put where plain characters would do. Only look-alikes: no accent is ever dropped.
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′ʹʼʻ＇`´", "'"),
        **dict.fromkeys("“”„‟″«»＂", '"'),
        **dict.fromkeys("‐‑‒–—―−﹣－", "-"),
        **dict.fromkeys("\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t", " "),
        **dict.fromkeys("\u200b\u2060\ufeff\u00ad", None),
        **dict.fromkeys("\u2028\u2029", "\n"),
        **dict.fromkeys("•·‣∙◦", "-"),
        "…": "...",
        "‹": "<",
        "›": ">",
        "⁄": "/",
        "×": "x",
        "™": "TM",
        "©": "(c)",
        "®": "(R)",
        "№": "No",
        "½": "1/2",
        "¼": "1/4",
        "¾": "3/4",
    }
)


def transliterate(text: str) -> str:
    """Return the text with typographic characters replaced by plain ones where it is not GSM-7 already; other scripts stay as they are."""
    return text if _GSM7.issuperset(text) else text.translate(_PLAIN)
