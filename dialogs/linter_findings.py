"""What the linter finds, and how it is collected."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """An error keeps a project from being published; a warning is advice."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong or unwise: file relative to the project, line from 1, a stable code, a sentence."""

    file: str
    line: int
    code: str
    text: str
    level: Level = Level.ERROR

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.level}: {self.text} [{self.code}]"


class Findings:
    """The findings so far; the same one is kept once, and the package's own patterns are not the project's business."""

    def __init__(self) -> None:
        self._found: set[Finding] = set()

    def error(self, code: str, file: str, line: int, text: str) -> None:
        """Note something that is wrong."""
        self._add(Finding(file, line, code, text))

    def warning(self, code: str, file: str, line: int, text: str) -> None:
        """Note something that is unwise."""
        self._add(Finding(file, line, code, text, Level.WARNING))

    def sorted(self) -> list[Finding]:
        """Return the findings in the order of files and lines."""
        return sorted(self._found)

    def _add(self, finding: Finding) -> None:
        if not finding.file.startswith("patterns/"):
            self._found.add(finding)
