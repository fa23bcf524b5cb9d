"""How a unit of work of an agent says no."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """An agent asked for what is not possible now; nothing was changed. `code` is stable, `details` plain JSON for the page.

    Codes: not_found, taken, not_yours, done, outdated, empty, too_long, no_channel, bad_text, not_held_back, and for files
    no_files, type_refused, too_large, no_caption, too_late.
    """

    def __init__(self, code: str, text: str, **details: Any) -> None:
        super().__init__(text)
        self.code = code
        self.details = details
