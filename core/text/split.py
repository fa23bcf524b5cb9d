"""Cuts text into pieces of a limited size without ever cutting what a reader sees as one character.

Boundaries are extended grapheme clusters as the `regex` library finds them, so no surrogate pair, accent, flag or joined emoji is
divided, and neither is a GSM-7 extension pair, which is one character here. Must not change or drop any text.
"""

from __future__ import annotations

from collections.abc import Callable

import regex  # type: ignore[import-untyped]  # ships no types; met here only

from core.text.segments import PART_UNITS, Encoding, measure, units

_CLUSTERS = regex.compile(r"\X")
_CLUSTER_CHARS_MAX = 32  # a longer pile of combining marks is no character of any language; it may be cut

Length = Callable[[str], int]


def split(text: str, limit: int, length: Length = len) -> list[str]:
    """Return `text` in pieces whose `length` is at most `limit`, cut at a space or line end in the second half where there is one.

    The pieces joined give the text again. Raises ValueError if a single character is longer than `limit`.
    """
    if length(text) <= limit:
        return [text]
    pieces: list[str] = []
    current: list[str] = []
    size = 0
    for cluster in _clusters(text):
        own = length(cluster)
        if own > limit:
            raise ValueError(f"one character needs {own} units, the limit is {limit}")
        while current and size + own > limit:
            done, current = _at_space(current)
            pieces.append(done)
            size = sum(map(length, current))
        current.append(cluster)
        size += own
    return [*pieces, "".join(current)] if current or not pieces else pieces


def cut(text: str, limit: int, length: Length = len) -> str:
    """Return the longest beginning of `text` whose `length` is at most `limit` and that ends between two characters."""
    size = 0
    kept: list[str] = []
    for cluster in _clusters(text):
        size += length(cluster)
        if size > limit:
            break
        kept.append(cluster)
    return "".join(kept)


def sms_parts(text: str) -> list[str]:
    """Return the text as the parts of one long short message: 160 or 70 units alone, 153 or 67 each in a series."""
    size = measure(text)
    if size.parts == 1:
        return [text]
    return split(text, PART_UNITS[size.encoding], gsm7_length if size.encoding is Encoding.GSM7 else ucs2_length)


def gsm7_length(text: str) -> int:
    """Return the length in septets; a character outside GSM-7 counts as one."""
    return units(text, Encoding.GSM7)


def ucs2_length(text: str) -> int:
    """Return the length in 16-bit units."""
    return units(text, Encoding.UCS2)


def _clusters(text: str) -> list[str]:
    clusters: list[str] = _CLUSTERS.findall(text)
    if all(len(cluster) <= _CLUSTER_CHARS_MAX for cluster in clusters):
        return clusters
    return [cluster[start : start + _CLUSTER_CHARS_MAX] for cluster in clusters for start in range(0, len(cluster), _CLUSTER_CHARS_MAX)]


def _at_space(clusters: list[str]) -> tuple[str, list[str]]:
    """Divide a full piece behind its last space, if that is in its second half; what follows the space begins the next piece."""
    for index in range(len(clusters) - 1, len(clusters) // 2, -1):
        if clusters[index].isspace():
            return "".join(clusters[: index + 1]), clusters[index + 1 :]
    return "".join(clusters), []
