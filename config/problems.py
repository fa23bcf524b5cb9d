"""Mistakes in a configuration, each with the place where it stands.

Must not know what the configuration means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Where:
    """A dotted key, and where it was set: `places` says so for single keys (`file:line`, a variable, an option), `source` for the rest."""

    key: str = ""
    source: str = ""
    places: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __truediv__(self, name: str) -> Where:
        return Where(f"{self.key}.{name}" if self.key else name, self.source, self.places)

    def __str__(self) -> str:
        return ": ".join(part for part in (self._place(), self.key) if part)

    def _place(self) -> str:
        """Return the place of the key or of the nearest table around it."""
        key = self.key
        while key:
            if key in self.places:
                return self.places[key]
            key = key.rpartition(".")[0]
        return self.source


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
