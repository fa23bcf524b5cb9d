"""One measured line, and how lines are shown. Budgets are ratios within one run; absolute figures are this machine's only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """What one path came to. `ratio` is what the budget speaks of, `met` None where there is no budget.

    `cpu_us` is the processor time of the measured program for one answer: the figure that a busy machine disturbs least.
    """

    path: str
    rps: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    ratio: float | None = None
    budget: str = ""
    met: bool | None = None
    cpu_us: float | None = None
    memory_mb: float | None = None
    seconds: float | None = None
    note: str = ""


COLUMNS = (
    ("rps", ".0f"),
    ("p50_ms", ".2f"),
    ("p99_ms", ".2f"),
    ("ratio", ".3f"),
    ("cpu_us", ".0f"),
    ("memory_mb", ".0f"),
    ("seconds", ".3f"),
)


def lines(results: list[Measured]) -> list[str]:
    """Return the table."""
    rows = [("PATH", *(name.upper().replace("_", " ") for name, _ in COLUMNS), "BUDGET", "")]
    for result in results:
        numbers = (getattr(result, name) for name, _ in COLUMNS)
        shown = tuple("-" if number is None else format(number, form) for number, (_, form) in zip(numbers, COLUMNS, strict=True))
        verdict = {True: "met", False: "MISSED", None: ""}[result.met]
        rows.append((result.path, *shown, result.budget, " ".join(filter(None, (verdict, result.note)))))
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
