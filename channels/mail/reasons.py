"""Finds the status in what servers say: the one that they give, else the one that their code and their words stand for.

Must not look at a whole mail, only at the stretch of text that it is handed.
"""

from __future__ import annotations

import re

from channels.mail import machines

_STATUS = re.compile(r"(?<![\d.])([45]\.[0-7]\.\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.#-])([45]\d\d)(?=[ \t#]|-(?!\d{3}\b)|$)", re.MULTILINE)


def status(said: str) -> str:
    """Return the status or the code that a server gives; a code is told more exactly by the words beside it."""
    if found := _STATUS.search(said):
        return found[1]
    if code := _CODE.search(said):
        meant = meaning(said)
        return meant if meant.startswith(code[1][0]) else f"{code[1][0]}.0.0"
    return ""


def meaning(said: str) -> str:
    """Return the status that a server's words stand for, or nothing."""
    lowered = " ".join(said.lower().split())
    return next((found for words, found in machines.REASONS if words in lowered), "")
