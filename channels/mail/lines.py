"""A body as lines, each with what is known of it before its words are looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

_QUOTED = re.compile(r"[ \t]{0,3}[>＞](?!.{0,200}<<[ \t]*$)")  # >>> a heading may be set off so <<<


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
    return [Line(line.rstrip() if line != "-- " else line, Mark.QUOTE if _QUOTED.match(line) else Mark.NONE) for line in text.split("\n")]
