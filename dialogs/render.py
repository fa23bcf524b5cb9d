"""Makes replies of what was said: one text or several, options as lines or buttons, on USSD screens that fit, on the phone speech.

A screen keeps to the budget of the channel and is never cut inside an option; what does not fit follows on the next page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from math import ceil
from unicodedata import normalize

from core.model.capabilities import Capabilities, ChoiceStyle, Family
from core.model.inbound import Media
from core.model.outbound import Choice, Reply
from core.text.segments import septets, transliterate
from core.text.split import split
from dialogs.interpret import is_legal, read
from dialogs.model import KEYS_MORE_LESS
from dialogs.pages import keep_pages
from dialogs.spoken import listening, spoken_reply
from dialogs.turn import Option, Turn, Utterance


def replies(turn: Turn) -> tuple[Reply, ...]:
    """Return the replies of this turn for its channel."""
    capabilities = turn.context.capabilities
    prompt = turn.prompt
    options: Sequence[Option] = prompt.get("opts", ()) if prompt is not None and _shows_prompt(turn) else ()
    if turn.page is not None:
        page = Reply(turn.page, ends_session=turn.ends, language=turn.language, sensitive=turn.page_sensitive, listen=listening(turn))
        return (page,)
    if turn.family == Family.VOICE and (turn.said or options or turn.ends):
        return (spoken_reply(turn, options),)
    if not turn.said and not options:
        return ()
    if capabilities.session and capabilities.gsm7:
        return (_screen_reply(turn, options),)
    buttons = capabilities.choices is ChoiceStyle.BUTTONS and len(options) <= capabilities.choices_max
    messages = _merged(turn.said, turn.project.limits.messages_per_turn, one=capabilities.merge_replies)
    text, media, sensitive = messages.pop() if messages else ("", (), False)
    if options and not buttons:
        text = "\n".join(([text] if text else []) + lines(options))
    out = [
        Reply(piece, (), media if last else (), language=turn.language, sensitive=sensitive)
        for body, media, sensitive in [*messages, (text, media, sensitive)]
        for piece, last in _pieces(body, capabilities)
    ]
    if prompt is not None and buttons and options:
        choices = tuple(Choice(str(place), option[0], f"{prompt['nonce']}:{place}") for place, option in enumerate(options, 1))
        final = out.pop()
        out.append(Reply(final.text, choices, final.media, language=final.language, sensitive=final.sensitive))
    if out and capabilities.shares_number and not options and _asks_number(turn):
        out.append(replace(out.pop(), asks_number=turn.text("utter_share_number")))
    if turn.ends and out:
        final = out.pop()
        out.append(Reply(final.text, final.choices, final.media, ends_session=True, language=final.language, sensitive=final.sensitive))
    return tuple(out)


def _shows_prompt(turn: Turn) -> bool:
    return turn.prompt is not None and any(said.asks or turn.prompt["frame"] == 0 for said in turn.said)


def _asks_number(turn: Turn) -> bool:
    """Tell whether the open question wants the number by which the person is to be known."""
    step = turn.collect_step()
    asked = step is not None and step.type == "msisdn" and turn.frame["flow"] == turn.project.auth_flow
    return asked and _shows_prompt(turn)


def lines(options: Sequence[Option]) -> list[str]:
    """Return options as numbered lines."""
    return [f"{place} {option[0]}" for place, option in enumerate(options, 1)]


def _merged(said: list[Utterance], most: int, *, one: bool) -> list[tuple[str, tuple[Media, ...], bool]]:
    """Join utterances to one message, or to at most `most`."""
    rows = [(item.text, item.media, item.sensitive) for item in said]
    limit = 1 if one else most
    while len(rows) > limit:
        first, second = rows.pop(0), rows.pop(0)
        rows.insert(0, ("\n".join(filter(None, (first[0], second[0]))), first[1] + second[1], first[2] or second[2]))
    return rows


def _pieces(text: str, capabilities: Capabilities) -> list[tuple[str, bool]]:
    if len(text) <= capabilities.text_max_chars:
        return [(text, True)]
    pieces = split(text, capabilities.text_max_chars)
    return [(piece, place == len(pieces)) for place, piece in enumerate(pieces, 1)]


def _screen_reply(turn: Turn, options: Sequence[Option]) -> Reply:
    """Return the screen that is to be shown now, and remember in the state what follows it."""
    text = "\n".join(item.text for item in turn.said if item.text)
    sensitive = any(item.sensitive for item in turn.said)
    more, less = turn.text("utter_more"), turn.text("utter_less")
    budget, rows = turn.context.capabilities.text_budget_chars, tuple(lines(options))
    pages = screens(text, rows, budget, more=more, less=less, footer=_footer(turn), ends=turn.ends)
    if len(pages) > 1:
        keep_pages(turn, pages, sensitive=sensitive)
    return Reply(pages[0], ends_session=turn.ends, language=turn.language, sensitive=sensitive)


def _footer(turn: Turn) -> str:
    """The keys back and menu, where they mean that and there is somewhere to go."""
    if turn.prompt is None or not turn.stack or turn.frame["kind"] == "pattern" or turn.stack[0]["flow"] == turn.project.start_flow:
        return ""
    step = turn.collect_step()
    if step is not None and (step.force or "back" in step.refuse):
        return ""
    zero = None if step is None else read(turn, step.type, "0", turn.project.slots[step.slot], step)
    return turn.text("utter_keys") if step is None or zero is None or step.type == "text" or not is_legal(turn, step, zero) else ""


def plain(text: str) -> str:
    """Return `text` in GSM-7 where only accents stand in the way; other scripts stay as they are."""
    if septets(text) is not None:
        return text
    text = transliterate(text)
    bare = "".join(character if septets(character) is not None else normalize("NFD", character)[0] for character in text)
    return bare if septets(bare) is not None else text


def room_taken(text: str, *, wide: bool) -> float:
    """Return how much of a screen `text` takes, in septets; a `wide` screen has 16 bits a character, 16/7 septets."""
    return len(text.encode("utf-16-be")) / 2 * 16 / 7 if wide else septets(text) or 0


@lru_cache(maxsize=1_024)  # most screens are menus
def screens(text: str, rows: tuple[str, ...], budget: int, *, more: str, less: str, footer: str, ends: bool) -> tuple[str, ...]:
    """Return the pages of `text` and the lines of options under it, each within the `budget`, none with an option cut in two.

    A last page that `ends` the session offers no way back.
    """
    text, rows = plain(text), tuple(map(plain, rows))
    whole = "\n".join((text, *rows) if text else rows)
    wide = septets(whole) is None or (bool(footer) and septets(footer) is None)
    if footer and room_taken(f"{whole}\n{footer}", wide=wide) <= budget:
        return (f"{whole}\n{footer}",)
    if room_taken(whole, wide=wide) <= budget:
        return (whole,)
    keys = [f"{key} {name}" for key, name in zip(KEYS_MORE_LESS[""], (more, less), strict=True)]
    room = budget - max(room_taken("\n" + key, wide=wide) for key in (*keys, " ".join(keys)))
    pages: list[list[str]] = [[]]
    for unit in (piece for row in (text, *rows) for piece in _units(row, room, wide=wide)):
        if pages[-1] and room_taken("\n".join([*pages[-1], unit]), wide=wide) > room:
            pages.append([])
        pages[-1].append(unit)
    middle = ["\n".join([*page, " ".join(keys)]) for page in pages[1:-1]]
    return ("\n".join([*pages[0], keys[0]]), *middle, "\n".join(pages[-1] if ends else [*pages[-1], keys[1]]))


def _units(text: str, room: float, *, wide: bool) -> list[str]:
    """Return `text` in pieces that each fit on a page: lines, and lines that are too long cut between words."""
    found = []
    for line in text.split("\n"):
        if room_taken(line, wide=wide) <= room:
            found.append(line)
        else:
            found.extend(piece.strip() for piece in split(line, int(room), lambda piece: ceil(room_taken(piece, wide=wide))))
    return [line for line in found if line]
