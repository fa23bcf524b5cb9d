"""Puts together what `quotes` and `signatures` find: the new text, the quoted part and the signature of a body."""

from __future__ import annotations

import re
from collections.abc import Sequence

from channels.mail import model
from channels.mail.lines import Line, Mark, apart
from channels.mail.model import Divided
from channels.mail.quotes import roles_of_lines
from channels.mail.signatures import closes_nothing, signed

_MANY_BLANKS = re.compile(r"\n{3,}")


def divide(lines: Sequence[Line], *, name: str = "") -> Divided:
    """Return a body taken apart; `name` is what the sender is called, which often ends the text."""
    lines, beyond = apart(lines[: model.TEXT_LINES_MAX]), lines[model.TEXT_LINES_MAX :]
    quoted = roles_of_lines(lines)
    new: list[str] = []
    earlier: list[str] = []
    signature: list[str] = []
    start = 0
    for end in range(1, len(lines) + 1):
        if end < len(lines) and quoted[end] == quoted[start]:
            continue
        run = lines[start:end]
        if quoted[start]:
            earlier += [line.text for line in run]
        else:
            marks = signed(run, name=name)
            new += [line.text for line, mark in zip(run, marks, strict=True) if not mark] + [""]
            signature += [line.text for line, mark in zip(run, marks, strict=True) if mark]
        start = end
    earlier += [line.text for line in beyond]
    if not tidy(new) and not tidy(earlier) and closes_nothing(signature):
        new, signature = signature, []
    return Divided(tidy(new), tidy(earlier), tidy(signature))


def has_quotation(lines: Sequence[Line]) -> bool:
    """Tell whether any line belongs to an earlier mail."""
    return any(line.mark is not Mark.NONE for line in lines) or any(roles_of_lines(lines[: model.TEXT_LINES_MAX]))


def tidy(lines: Sequence[str]) -> str:
    """Return lines as text without blank ones around it and with at most one between paragraphs."""
    return _MANY_BLANKS.sub("\n\n", "\n".join(line.rstrip() for line in lines)).strip()
