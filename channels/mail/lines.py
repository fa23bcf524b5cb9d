"""A body as lines, each with what is known of it before its words are looked at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

_QUOTED = re.compile(r"[ \t]{0,3}[>＞]")

_ON_DATE = re.compile(r"(?<=[ -])On (?:[A-Z][a-z]{2,8}|\d{1,2})\b")
_JOINED_CHARS_MAX = 500


class Mark(Enum):
    """What a mail program said of a line by the way in which it wrote it."""

    NONE = 0
    QUOTE = 1
    SIGNATURE = 2
    CUT = 3  # this line and every one after it belong to an earlier mail


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end."""

    text: str
    mark: Mark = Mark.NONE

    @property
    def quoted(self) -> bool:
        """Tell whether the line is marked as quoted."""
        return self.mark is Mark.QUOTE


def plain_lines(text: str) -> list[Line]:
    """Return the lines of a plain text; those that begin with `>` are quoted."""
    return [Line(line.rstrip() if line != "-- " else line, Mark.QUOTE if _is_quoted(line) else Mark.NONE) for line in text.split("\n")]


def _is_quoted(line: str) -> bool:
    return _QUOTED.match(line) is not None and not line.rstrip().endswith("<<")  # >>> a heading may be set off so <<<


def apart(lines: Sequence[Line]) -> list[Line]:
    """Return lines in which text and the `On …, Jo wrote:` that a program put behind it are two."""
    done: list[Line] = []
    for line in lines:
        start = _joined_at(line)
        done += [Line(line.text[:start].rstrip(" -")), Line(line.text[start:])] if start else [line]
    return done


def _joined_at(line: Line) -> int:
    """Return where in a line the words over a quotation begin behind others, or 0."""
    text = line.text
    if line.mark is not Mark.NONE or len(text) > _JOINED_CHARS_MAX or not text.endswith(" wrote:"):
        return 0
    last = max((found.start() for found in _ON_DATE.finditer(text)), default=0)
    return last if any(char.isdigit() for char in text[last:]) and text[:last].strip(" -") else 0
