"""Cleans text that came from outside, so that nothing behind the adapters meets characters that no person typed.

Must not translate, shorten or interpret text.
"""

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LINE_END = re.compile("\r\n?|[\u2028\u2029\x0b\x0c]")


def clean(text: str) -> str:
    """Return `text` with line ends as newlines, without control characters, and with lone surrogates replaced by U+FFFD."""
    if text.replace("\n", "").isprintable():
        return text
    text = _CONTROL.sub("", _LINE_END.sub("\n", text))
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
