"""How a hand-over can end: a short list, so that reports can count."""

from __future__ import annotations

DISPOSITIONS: tuple[tuple[str, str], ...] = (
    ("resolved", "Resolved"),
    ("informed", "Question answered"),
    ("case_opened", "Case opened"),
    ("referred", "Referred to a shop or partner"),
    ("no_answer", "Customer did not answer"),
    ("not_needed", "No reply needed"),
)
CODES = frozenset(code for code, _ in DISPOSITIONS)
