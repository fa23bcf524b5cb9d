"""Finds where an earlier mail begins in a body: attribution lines, dividers, header blocks, quoted lines, in many languages.

Each pattern is small and linear, and the words are data (`words`). Must not decide on signatures; that is `signatures`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import takewhile

from channels.mail import words
from channels.mail.lines import Line, Mark

LINE_CHARS_MAX = 500  # a longer line is prose, whatever it holds
_ATTRIBUTION_LINES_MAX = 5
_ATTRIBUTION_CHARS_MAX = 400
_BLOCK_LINES_MAX = 14
_BLOCK_HEAD_MAX = 5  # lines in which an address or a date shows that a block of fields is one
_WRAPPED_FROM = 60  # characters of a quoted line that may have been wrapped
_NEAR = 20  # lines, blank ones counted


def _any(of: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(of), key=len, reverse=True))


_DECORATION = "-_=*~#+ \t>|•‐–—\u200e\u200f\u202a-\u202e\u2066-\u2069"
_STRIPPED = re.compile(f"^[{_DECORATION}]+|[{_DECORATION}:：]+$")
_DATED = re.compile(r"\d{1,2}\s?[:.h時时시]\s?\d{2}|\b(?:19|20)\d\d\b|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\d年")
_BETWEEN_DASHES = re.compile(r"[ \t]{0,3}[-_=]{3,40} ?([^-_=]{4,60}?) ?[-_=]{3,40}")
_LINK_ALONE = re.compile(r"\(https?://[^\s()]{1,300}\)[ >]{0,4}$")
_TIME = re.compile(r"(?<![\d./-])\d{1,2}\s?[:.h時时시点點]\s?\d{2}(?![\d/-]|\.\d)")
_ADDRESS = re.compile(r"[^\s<>@()\[\]]{1,64}@[^\s<>@()\[\]]{1,255}")
_WROTE = re.compile(rf"(?<!\w)(?:{_any(words.WROTE)})(?!\w)|写道|寫道|のメール|님이 작성|쓴 글|書きました", re.IGNORECASE)
_WROTE_LAST = re.compile(rf"(?<!\w)(?:{_any(words.WROTE)})$", re.IGNORECASE)
_ON = re.compile(rf"^\W{{0,4}}(?:{_any(words.ON)})(?!\w)", re.IGNORECASE)
_ENDS = re.compile(r"[:：]\W{0,6}$")
_RULE = re.compile(r"^[ \t]{0,3}(?:[-_=*~─—–]\s?){5,200}$")
_LABELLED = re.compile(r"^[ \t>|*_\u200e\u200f\u202a-\u202e]{0,8}([^\W\d_][^:：<>@*]{0,25}?)[ \t\u00a0*_]{0,4}[:：]")
_LABEL_IN_LINE = re.compile(r"(?:^|[\s*_])([^\W\d_]{1,20})[ \t\u00a0*_]{0,4}[:：]")
_LOTUS = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\s{1,5}\d{1,2}[:.]\d{2}(?:[:.]\d{2})?.{0,12}$")


@lru_cache(maxsize=4096)
def role(text: str) -> str:
    """Return what the header label at the beginning of a line stands for (`from`, `date`, …), or nothing."""
    if len(text) > LINE_CHARS_MAX:
        return ""
    found = _LABELLED.match(text)
    return words.LABELS.get(" ".join(found[1].lower().split()), "") if found else ""


def heading(text: str) -> str:
    """Return `original` or `forwarded` for the line that a program writes over an earlier mail, else nothing."""
    drawn = _BETWEEN_DASHES.match(text)  # where line breaks were lost, the fields follow on the line
    if len(text) > 120 and not drawn:
        return ""
    bare = drawn[1].strip().lower() if drawn else _bare(text)
    if bare.startswith("original message processed by "):  # what Tobit david writes, without dashes
        return "original"
    if not bare or (not drawn and len(bare) + 1 >= len(text.strip()) and not _ENDS.search(text)):
        return ""  # the bare words may be anyone's; programs put dashes or a colon around them
    if bare in words.ORIGINAL:
        return "original"
    return "forwarded" if bare in words.FORWARDED or bare.startswith(("forwarded by ", "weitergeleitet von ")) else ""


def _bare(text: str) -> str:
    return _STRIPPED.sub("", text[:LINE_CHARS_MAX]).strip().lower()


def is_rule(text: str) -> bool:
    """Tell whether a line is drawn, of dashes or underscores."""
    return len(text) <= 200 and _RULE.match(text) is not None


def attribution(lines: Sequence[Line], start: int) -> int:
    """Return how many lines from `start` say who wrote what is quoted below, such as `On …, Jo wrote:`; 0 if they do not."""
    joined = ""
    for count in range(1, _ATTRIBUTION_LINES_MAX + 1):
        if start + count > len(lines):
            return 0
        text = lines[start + count - 1].text.strip()
        if not text and count > 1 and start + count < len(lines) and lines[start + count].text.strip() == "<":
            continue  # Polymail puts the address apart
        if not text or len(joined) + len(text) > _ATTRIBUTION_CHARS_MAX:
            return 0
        joined = f"{joined} {text}".strip()
        if count == 1 and _dashed(text) and _WROTE.search(text) and (_attributes(text, 1) or _followed_by_quote(lines, start + 1)):
            return 1
        if count == 1 and not (_ON.match(joined) or _DATED.search(joined) or _ADDRESS.search(joined) or _WROTE.search(joined)):
            return 0
        if count == 2 and _ON.match(text) and not (_DATED.search(lines[start].text) or _ADDRESS.search(lines[start].text)):
            return 0  # the line before only began with such a word
        if _ENDS.search(text) and role(text) == "":
            known = _attributes(joined, count) and (_followed_by_quote(lines, start + count) or not _told(joined))
            return count if known else 0
        if _ON.match(joined) and _WROTE_LAST.search(text) and _DATED.search(joined) and _ADDRESS.search(joined):
            return count
        named = _WROTE.search(text) or (text.endswith((">", ")")) and _DATED.match(joined))
        if named and count <= 3 and _followed_by_quote(lines, start + count) and _attributes(joined, count):
            return count
    return 0


def _attributes(joined: str, count: int) -> bool:
    dated, address = _DATED.search(joined), _ADDRESS.search(joined)
    if _WROTE.search(joined):
        return bool(dated or address) and (count == 1 or bool(_ON.match(joined) or address or dated))
    return bool(dated and address)  # some programs write a date and an address alone


def _told(joined: str) -> bool:
    """Tell whether somebody writes of a letter, rather than their program: with what "I" did, or with neither address nor time."""
    if joined.lower().startswith(words.OWN):
        return True
    return not (_ON.match(joined) or _DATED.match(joined) or _ADDRESS.search(joined) or _TIME.search(joined))


def _header_line(text: str) -> bool:
    """Tell whether the header fields of an earlier mail stand in one line, as HTML without line breaks leaves them."""
    if role(text) not in {"from", "date"} or not (_ADDRESS.search(text) and _DATED.search(text)):
        return False
    roles = {words.LABELS.get(label.lower(), "") for label in _LABEL_IN_LINE.findall(text)}
    return {"from", "date"} <= roles


def _followed_by_quote(lines: Sequence[Line], index: int) -> bool:
    following = next_text(lines, index)
    return following is not None and lines[following].quoted


def next_text(lines: Sequence[Line], index: int) -> int | None:
    """Return the index of the first line from `index` that is not blank, or None if there is none near."""
    return next((number for number in range(index, min(index + _NEAR, len(lines))) if lines[number].text.strip()), None)


def header_block(lines: Sequence[Line], start: int, *, announced: bool) -> bool:
    """Tell whether the header fields of an earlier mail begin at `start`; `announced` by a divider, fewer of them are enough."""
    first = role(lines[start].text)
    if first in {"", "reply_to"}:
        return announced and _unknown_block(lines, start)
    roles = {first}
    blanks = 0
    for line in lines[start + 1 : start + _BLOCK_LINES_MAX]:
        if not line.text.strip():
            blanks += 1
            if blanks > 4 or len(roles) > 3:
                break
            continue
        found = role(line.text)
        if not found and blanks and len(roles) < 2:
            break
        if found:
            roles.add(found)
    roles.discard("reply_to")
    if announced:
        return len(roles) >= 2
    if first not in {"from", "date", "subject", "to"}:
        return False
    few = len(roles) < 3 and not ("from" in roles and roles & {"date", "subject"})
    if few and not (roles == {"date", "to"} and _has(_TIME, lines, start) and _has(_ADDRESS, lines, start)):
        return False
    return _has(_ADDRESS, lines, start) or ("date" in roles and _has(_DATED, lines, start))


def _has(pattern: re.Pattern[str], lines: Sequence[Line], start: int) -> bool:
    return any(pattern.search(line.text[:LINE_CHARS_MAX]) for line in lines[start : start + _BLOCK_HEAD_MAX])


def _unknown_block(lines: Sequence[Line], start: int) -> bool:
    """Tell whether lines in a language that we do not know look like header fields."""
    block = [line.text for line in lines[start : start + 6] if line.text.strip()][:4]
    labelled = [text for text in block if len(text) <= LINE_CHARS_MAX and _LABELLED.match(text)]
    return len(labelled) >= 3 and any(_ADDRESS.search(text) for text in labelled)


def roles_of_lines(lines: Sequence[Line]) -> list[bool]:
    """Return for each line whether it belongs to an earlier mail, its attribution, or the divider above it."""
    quoted = [line.quoted for line in lines]
    index = 0
    while index < len(lines):
        line = lines[index]
        if line.mark is Mark.CUT:
            return _rest(quoted, _with_rule_above(lines, index))
        if not line.text.strip():
            quoted[index] = index > 0 and quoted[index - 1]
            index += 1
            continue
        if line.quoted or line.mark is Mark.SIGNATURE or len(line.text) > LINE_CHARS_MAX:
            if _heads_forward(lines, index):
                return _rest(quoted, index)
            index += 1
            continue
        if _wrapped(lines, index):
            quoted[index] = True
            index += 1
            continue
        count = _heading_lines(lines, index)
        if count < 0:
            return _rest(quoted, _with_rule_above(lines, index))
        quoted[index : index + count] = [True] * count
        index += max(count, 1)
    return quoted


def _heads_forward(lines: Sequence[Line], index: int) -> bool:
    """Tell whether a forwarded mail is below whose head only is marked as quoted, as Gmail does."""
    if not lines[index].quoted or lines[index].text.lstrip().startswith(">") or heading(lines[index].text) != "forwarded":
        return False
    head = [line.text for line in takewhile(lambda line: line.quoted, lines[index + 1 : index + _BLOCK_LINES_MAX])]
    fields = [text for text in head if text.strip()]
    return len(fields) >= 2 and len(head) < _BLOCK_LINES_MAX - 1 and all(role(text) for text in fields)


def _wrapped(lines: Sequence[Line], index: int) -> bool:
    """Tell whether a line is the rest of the quoted one above, broken off without its mark by a program that wraps what it sends."""
    if not 0 < index < len(lines) - 1 or not (lines[index - 1].quoted and lines[index + 1].quoted):
        return False
    above, text = lines[index - 1].text.rstrip(), lines[index].text.lstrip()
    if _LINK_ALONE.match(text):
        return True
    link = max(above.rfind("(http"), above.rfind("<http"))
    if link > max(above.rfind(")"), above.rfind(">")):
        return True
    return len(above) >= _WRAPPED_FROM and text[:1].islower() and not above.endswith(("?", "!"))


def _heading_lines(lines: Sequence[Line], index: int) -> int:
    """Return how many lines from `index` head quoted lines; 0 if none, -1 if what they head lasts to the end of the body."""
    text = lines[index].text
    if heading(text):
        return 1 if _followed_by_quote(lines, index + 1) else -1
    if is_rule(text):
        following = next_text(lines, index + 1)
        announced = following is not None and not lines[following].quoted and header_block(lines, following, announced=True)
        return -1 if announced else 0
    if role(text) and (_header_line(text) or header_block(lines, index, announced=_under_heading(lines, index))):
        return -1
    count = attribution(lines, index)
    if count:
        return count if _followed_by_quote(lines, index + count) else -1
    announces = _dashed(text) or _bare(text) in words.ORIGINAL
    if announces and (following := next_text(lines, index + 1)) is not None and header_block(lines, following, announced=True):
        return -1
    return -1 if _lotus(lines, index) else 0


def _under_heading(lines: Sequence[Line], index: int) -> bool:
    above = [line.text for line in lines[max(0, index - 3) : index] if line.text.strip()]
    return bool(above) and _dashed(above[-1])


def _dashed(text: str) -> bool:
    stripped = text.strip()
    return len(stripped) <= 120 and stripped.startswith(("--", "__", "==", "**")) and stripped.endswith(("--", "__", "==", "**"))


def _lotus(lines: Sequence[Line], index: int) -> bool:
    """Tell whether the two columns begin with which Lotus Notes heads a quotation: a name and a date over `To`, `cc`, `Subject`."""
    if not _LOTUS.search(lines[index].text[:LINE_CHARS_MAX]):
        return False
    labels = [line.text.strip().lower().rstrip(":") for line in lines[index + 1 : index + 10]]
    first_words = {label.split("  ")[0].split("\t")[0].rstrip(": ") for label in labels if label}
    return len({words.LABELS.get(word, "") for word in first_words} & {"to", "cc", "subject"}) >= 2


def _with_rule_above(lines: Sequence[Line], index: int) -> int:
    above = index - 1
    while above >= 0 and not lines[above].text.strip():
        above -= 1
    return above if above >= 0 and (is_rule(lines[above].text) or heading(lines[above].text)) else index


def _rest(quoted: list[bool], index: int) -> list[bool]:
    return quoted[:index] + [True] * (len(quoted) - index)
