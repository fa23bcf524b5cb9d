"""Divides text into characters as those see them who count short messages: extended grapheme clusters of Unicode 10 (UAX 29, revision 31).

What is sent is cut by the present rules, in `core.text.split`; what it counts as is agreed with others, whose rules are these. Emoji that
came later are not joined by them, nor are the consonants of Indic scripts. Must not change any text.
"""

from __future__ import annotations

import regex  # type: ignore[import-untyped]  # ships no types

_TONE = r"\U0001F3FB-\U0001F3FF"
_TONED = (  # what can have another tone of skin
    r"\u261D\u26F9\u270A-\u270D\U0001F385\U0001F3C2-\U0001F3C4\U0001F3C7\U0001F3CA-\U0001F3CC\U0001F442\U0001F443\U0001F446-\U0001F450"
    r"\U0001F466-\U0001F469\U0001F46E\U0001F470-\U0001F478\U0001F47C\U0001F481-\U0001F483\U0001F485-\U0001F487\U0001F4AA\U0001F574"
    r"\U0001F575\U0001F57A\U0001F590\U0001F595\U0001F596\U0001F645-\U0001F647\U0001F64B-\U0001F64F\U0001F6A3\U0001F6B4-\U0001F6B6"
    r"\U0001F6C0\U0001F6CC\U0001F918-\U0001F91C\U0001F91E\U0001F91F\U0001F926\U0001F930-\U0001F939\U0001F93D\U0001F93E\U0001F9D1-\U0001F9DD"
)
_PERSON = r"\U0001F466-\U0001F469"
_JOINED = (  # what a joiner joins to what is before it; persons besides
    r"\u2640\u2642\u2695\u2696\u2708\u2764\U0001F308\U0001F33E\U0001F373\U0001F393\U0001F3A4\U0001F3A8\U0001F3EB\U0001F3ED\U0001F48B"
    r"\U0001F4BB\U0001F4BC\U0001F527\U0001F52C\U0001F5E8\U0001F680\U0001F692"
)
_JOINER = r"\u200D"
_MARKS = rf"[\p{{GCB=Extend}}{_JOINER}--[{_TONE}]]"
_LETTER = "|".join(
    (
        r"\p{RI}\p{RI}",
        r"\p{GCB=L}*(?:\p{GCB=V}+|\p{GCB=LV}\p{GCB=V}*|\p{GCB=LVT})\p{GCB=T}*|\p{GCB=L}+|\p{GCB=T}+",
        rf"[{_TONED}]{_MARKS}*+[{_TONE}]",
        r"[^\p{GCB=Control}\r\n\uD800-\uDFFF]",
    )
)
_AFTER = rf"[\p{{GCB=SpacingMark}}]|{_MARKS}|(?<={_JOINER})(?:[{_PERSON}]{_MARKS}*+[{_TONE}]|[{_PERSON}{_JOINED}])"
_CLUSTER = regex.compile(rf"(?V1)(?:\p{{GCB=Prepend}}++(?:{_LETTER})?+|{_LETTER})(?:{_AFTER})*+|(?s:.)")


def clusters(text: str) -> list[str]:
    """Return the characters of a text, which joined give it again; the two that end a line are two."""
    found: list[str] = _CLUSTER.findall(text)
    return found
