"""What is too long for one screen, or too much to listen to at once: keeps its pages with the prompt, and turns them.

It does not cut anything; `dialogs.render` and `dialogs.spoken` make the pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.model.capabilities import Family
from dialogs.model import KEYS_MORE_LESS
from dialogs.turn import Option, Turn


def keep_pages(turn: Turn, pages: Sequence[str], parts: Sequence[Sequence[int]] = (), *, sensitive: bool) -> None:
    """Remember what follows the first page; `parts` are the places of the options from which the digits count on each page."""
    prompt = turn.prompt or {"frame": 0, "nonce": turn.nonce(), "ends": turn.ends}
    more = {"parts": list(parts)} if parts else {}
    turn.prompt = prompt | {"pages": list(pages), "page": 0} | more | ({"sensitive": True} if sensitive else {})
    turn.ends = False


def turn_page(turn: Turn, step: int) -> None:
    """Show the next page of the open prompt (1), the one before (-1), or the same again (0)."""
    prompt = turn.prompt
    if prompt is None:
        return
    last = len(prompt["pages"]) - 1
    page = min(max(prompt["page"] + step, 0), last)
    turn.page = prompt["pages"][page]
    turn.page_sensitive = prompt.get("sensitive", False)
    turn.prompt = prompt | {"page": page}
    if page == last and prompt.get("ends"):
        turn.ends = True
        turn.prompt = None


def turned_by(turn: Turn, word: str) -> str | None:
    """Return `more` or `less` if `word` is the key for it here; on the phone, where keys are few, only where there is such a page."""
    prompt = turn.prompt
    if prompt is None or "pages" not in prompt:
        return None
    more, less = KEYS_MORE_LESS.get(turn.family, KEYS_MORE_LESS[""])
    spoken = turn.family == Family.VOICE
    if word == more and not (spoken and prompt["page"] == len(prompt["pages"]) - 1):
        return "more"
    return "less" if word == less and not (spoken and prompt["page"] == 0) else None


def option_at(prompt: Mapping[str, Any] | None, number: int) -> Option | None:
    """Return the option that has `number` on the page that is open; None if none has."""
    if prompt is None:
        return None
    options: list[Option] = prompt.get("opts", [])
    first, last = prompt["parts"][prompt["page"]] if "parts" in prompt else (0, len(options))
    return options[first + number - 1] if 0 < number <= last - first else None


def whole(turn: Turn) -> None:
    """Forget the pages of the open prompt: the person has gone where it is shown in another way."""
    if turn.prompt is not None and "pages" in turn.prompt:
        turn.prompt = {key: value for key, value in turn.prompt.items() if key not in {"pages", "page", "parts"}}
