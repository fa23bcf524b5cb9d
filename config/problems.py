"""Mistakes in a configuration, each with the place where it stands.

Must not know what the configuration means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Where:
    """A dotted key, and the file and line it came from, as far as they are known. `lines` maps dotted keys to lines."""

    key: str = ""
    source: str = ""
    lines: Mapping[str, int] = field(default_factory=dict, repr=False)

    def __truediv__(self, name: str) -> Where:
        return Where(f"{self.key}.{name}" if self.key else name, self.source, self.lines)

    def __str__(self) -> str:
        line = self._line()
        place = f"{self.source}:{line}" if self.source and line else self.source
        return ": ".join(part for part in (place, self.key) if part)

    def _line(self) -> int | None:
        """Return the line of the key or of the nearest table around it."""
        key = self.key
        while key:
            if key in self.lines:
                return self.lines[key]
            key = key.rpartition(".")[0]
        return None


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where, and a sentence that says what would be right."""

    where: Where
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" if str(self.where) else self.text


class ConfigWrong(Exception):
    """The configuration cannot be used. `problems` has every mistake; the text is a line for each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
