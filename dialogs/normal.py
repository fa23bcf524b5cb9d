"""One form for words that are compared: without case, width, surrounding punctuation and double spaces.

A leading slash, star or hash stays, since these mean something of their own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import normalize

TEXT_MAX_CHARS = 640
_AROUND = " \t\r\n.,;:!…\"'“”‘’«»()[]<>¡·-_"


_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@[A-Za-z0-9_]+)?(\s.*)?", re.DOTALL)
_CONTROLS = dict.fromkeys(code for code in (*range(32), *range(127, 160)) if code not in {9, 10})


def clean(text: str) -> str:
    """Return what counts of a text: its first `TEXT_MAX_CHARS` characters, without control characters."""
    text = text[:TEXT_MAX_CHARS]
    return text if text.isprintable() else text.translate(_CONTROLS)


def without_slash(text: str) -> str:
    """Return a command of a bot as the words that it stands for (`/top_up@some_bot 50` as `top up 50`), any other text as it is."""
    found = _COMMAND.fullmatch(text)
    return text if found is None else found[1].replace("_", " ") + (found[2] or "")


def normal(text: str) -> str:
    """Return the form of `text` that is compared; only the first `TEXT_MAX_CHARS` characters count."""
    text = text[:TEXT_MAX_CHARS]
    if not text.isascii():
        text = normalize("NFKC", text).replace("’", "'")
    text = " ".join(text.casefold().split()).strip(_AROUND)
    return text.rstrip("?¿") or text


@lru_cache(maxsize=4096)
def normal_label(text: str) -> str:
    """Return `normal(text)`, kept for the next time: for the texts of a project, of which there are few."""
    return normal(text)


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a normalised text, without punctuation at their ends."""
    return tuple(word for word in (part.strip(_AROUND + "?¿") for part in text.split()) if word)
