"""Knows the words with which people close a letter, however they type them.

The words are data (`words`). Must not look at more than one line; where a signature begins is for `signatures` to say.
"""

from __future__ import annotations

import re
import unicodedata

from channels.mail import words

PUNCTUATION = " \t,.!;:*_-–—~،。，！、؛)(\u200f\u200e\u202b\u202c🙂😊"
_UNMARKED = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "ß": "ss", "æ": "a", "’": "'"})
_AND = re.compile(r" (?:and|und|et|y|e|en|og|och|oraz|i|a|ve|и) |[/&]")


def _unmarked(text: str) -> str:
    """Return text in lower case without accents, as many people type it, and umlauts as one letter."""
    plain = "".join(char for char in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(char)).translate(_UNMARKED)
    return plain.replace("ae", "a").replace("oe", "o").replace("ue", "u")


_REGARDS = frozenset(map(_unmarked, words.REGARDS))
_THANKS = frozenset(map(_unmarked, words.THANKS))


def farewell(text: str) -> str:
    """Return `regards` or `thanks` for a line that is nothing but a farewell, perhaps with a name, else nothing."""
    if len(text) > 70:
        return ""
    spelled = " ".join(text.replace("\u00a0", " ").strip(PUNCTUATION).split())
    if kind := _closing(spelled):
        return kind
    head, comma, name = spelled.partition(",")
    words_of_name = name.split()
    if comma and 0 < len(words_of_name) <= 4 and all(word[0].isalpha() and not word[0].islower() for word in words_of_name):
        return _closing(head.strip())
    return ""


def _closing(spelled: str) -> str:
    plain = _unmarked(spelled)
    if plain in _REGARDS:
        return "regards"
    if plain in _THANKS:
        return "thanks"
    parts = [part.strip(PUNCTUATION) for part in _AND.split(plain)]
    if len(parts) > 1 and all(part in _REGARDS or part in _THANKS for part in parts):
        return "regards"  # "many thanks and kind regards", in two languages too
    return ""
