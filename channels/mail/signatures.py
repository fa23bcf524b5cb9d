"""Takes the signature, farewell, legal notices and banners of gateways out of what somebody wrote.

Works on one run of new lines at a time, from its end upwards. Must not touch quoted lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from channels.mail import words
from channels.mail.farewells import PUNCTUATION, farewell
from channels.mail.lines import Line, Mark
from channels.mail.quotes import LINE_CHARS_MAX, is_rule

_DELIMITER = re.compile(r"^[ \t]?(?:--|—|––|\u2015|- -|__|_{3,})[ \t\u00a0]?$")
_CONTACT = re.compile(
    r"(?:\b(?:tel|fon|phone|mobile|mob|cell|fax|direct|office|e-?mail|telefon|handy|web|skype|whatsapp|tél|móvil|gsm|www)\b\.?\s?[:.]?)"
    r"|\+?\d[\d\s()./-]{6,24}\d|https?://|www\.|[^\s@]{1,64}@[^\s@]{1,255}\.[a-z]{2,}",
    re.IGNORECASE,
)
_LINK = re.compile(r"[<(\[]?https?://[^\s<>]{1,300}[>)\]]?")
_DASHED_NAME = re.compile(r"^[ \t]?[-–—~/][ \t]?[^\W\d_][\w.'’-]{0,30}(?: [^\W\d_][\w.'’-]{0,30}){0,3}$")
_TITLED = re.compile(r"^[^\W\d_][\w.'’-]{0,30}(?: [^\W\d_][\w.'’-]{0,30}){1,3} ?\| ?\S")
_NOT_A_NAME = re.compile(r"[\d@:：;=$#<>{}\[\]\"\\]|www\.")
_FEW_DASHES = re.compile(r"^ ?(?:-{3,4}|={3,4}|\* \* \*) ?$")
_NOTICE_BYTES_MIN = 70  # a sentence shorter than that is somebody's own; bytes, as few characters say much in Chinese
_FIELDS_MAX = 4
_NOTICE_STARTS = tuple(parts[0] for parts in words.NOTICES if len(parts) == 1 and len(parts[0].split()) <= 2)  # said in sentences too
_NOTICE_PHRASES = tuple(parts[0] for parts in words.NOTICES if len(parts) == 1 and len(parts[0].split()) > 2)
_NOTICE_PARTS = tuple(parts for parts in words.NOTICES if len(parts) > 1)
_NOTICE_MARKS = " \t*_-–—•·#>[]"
_AFTER_FAREWELL_MAX = 12
_UNNAMED_DEVICE_MAX = 5  # words of a line such as "Sent from Mailbox"
_SENTENCE_WORDS_MIN = 4
_DEVICE_WITHIN = 8  # words; what comes later is told, not signed
_AFTER_DELIMITER_MAX = 30
_AFTER_OTHER_MAX = 15  # below delimiters that are not the one of the standard
_AFTER_RULE_MAX = 8
_AFTER_SHORT_MAX = 12
_SHORT = 80


def signed(lines: Sequence[Line], *, name: str = "") -> list[bool]:
    """Return for each line of a run whether it belongs to a signature; `name` is how the sender is called."""
    marks = [line.mark is Mark.SIGNATURE or (_begins(lines, index) and _is_device(line.text)) for index, line in enumerate(lines)]
    for index in range(len(lines) - 1, -1, -1):  # and those that end the run, under text too
        marks[index] = marks[index] or _is_device(lines[index].text)
        if lines[index].text.strip() and not marks[index]:
            break
    for index in _banner(lines):
        marks[index] = True
    start = _start(lines, marks, name)
    if start is not None:
        marks[start:] = [True] * (len(lines) - start)
    return marks


def closes_nothing(texts: Sequence[str]) -> bool:
    """Tell whether what looks like a signature is all that somebody writes: greetings, a name, and no delimiter or device above."""
    first = next((text for text in texts if text.strip()), "--")
    return not (_DELIMITER.match(first) or _is_device(first))


def _start(lines: Sequence[Line], marks: Sequence[bool], name: str) -> int | None:
    """Return the index of the first line of the block that ends the run, or None."""
    found: list[int] = []
    end = len(lines)
    delimiter = _delimiter(lines)
    if delimiter is not None:
        end = delimiter
        found.append(delimiter)
    notice = _notice(lines[:end])
    if notice is not None:
        end = notice
        found.append(notice)
    while end and (not lines[end - 1].text.strip() or marks[end - 1]):
        end -= 1
    for finder in (_farewell, _contact_block):
        start = finder(lines[:end])
        if start is not None:
            found.append(start)
            end = start
            break
    else:
        start = _bare_name(lines[:end], name)
        if start is not None:
            found.append(start)
    return min(found) if found else None


def _delimiter(lines: Sequence[Line]) -> int | None:
    """Return the index of the highest line that divides text from signature with little enough below it."""
    best: int | None = None
    below = 0
    for index in range(len(lines) - 1, -1, -1):
        text = lines[index].text
        other = len(text) <= LINE_CHARS_MAX and _DELIMITER.match(text)
        room = _AFTER_DELIMITER_MAX if text == "-- " else _AFTER_OTHER_MAX if other else _room(lines, index)
        if below <= room and (text.strip() == "--" or not _written_below(lines, index)):
            best = index
        below += bool(text.strip())
        if below > _AFTER_DELIMITER_MAX:
            break
    return best


def _room(lines: Sequence[Line], index: int) -> int:
    """Return how many lines a signature may have below a drawn line, more if they are short; -1 if none is drawn."""
    text = lines[index].text
    drawn = is_rule(text)
    if not (drawn or _FEW_DASHES.match(text)):
        return -1
    below = [line.text.strip() for line in lines[index + 1 : index + _AFTER_SHORT_MAX + 2] if line.text.strip()]
    if all(len(line) <= _SHORT and not line.endswith((".", "!")) for line in below):
        return _AFTER_SHORT_MAX
    return _AFTER_RULE_MAX if drawn else -1


def _written_below(lines: Sequence[Line], index: int) -> bool:
    """Tell whether somebody writes on below a line that is only drawn: their farewell follows, a question, or sentences set apart."""
    texts = [line.text.strip() for line in lines[index + 1 :] if line.text.strip()]
    if any(farewell(text) for text in texts[1:]) or any(text.endswith("?") for text in texts):
        return True
    apart = 0 < index < len(lines) - 1 and not (lines[index - 1].text.strip() or lines[index + 1].text.strip())
    return apart and any(text.endswith(".") for text in texts) and not any(_CONTACT.search(text[:LINE_CHARS_MAX]) for text in texts)


def _begins(lines: Sequence[Line], index: int) -> bool:
    """Tell whether a line is the first of its paragraph, or follows another of a signature."""
    return index == 0 or not lines[index - 1].text.strip() or _is_device(lines[index - 1].text)


def _is_device(text: str) -> bool:
    if len(text) > LINE_CHARS_MAX:
        return False
    plain = _LINK.sub("", text).strip(" \t*_[]<>()\u200f\u200e\u202b").lower().replace("\u00a0", " ")
    if not 5 <= len(plain) <= 140:
        return False
    if plain.endswith("?"):
        return False
    spelled = plain.split()
    if plain.startswith(words.DEVICE):
        bare = len(spelled) <= _UNNAMED_DEVICE_MAX and "," not in plain and not plain.endswith(".")
        return bare or "http" in plain or _names_device(" ".join(spelled[:_DEVICE_WITHIN]))
    ended = plain.rstrip(".!。")
    around = len(plain) <= 80 and any(ended.startswith(start) and ended.endswith(end) for start, end in words.DEVICE_AROUND)
    return around and _names_device(plain)


def _names_device(text: str) -> bool:
    return any(word in text for word in words.DEVICES)


def _notice(lines: Sequence[Line]) -> int | None:
    """Return the index of the paragraph with which legal notices begin, if they last to the end."""
    for index, line in enumerate(lines):
        ruled = index > 0 and is_rule(lines[index - 1].text)
        begins = index == 0 or ruled or not lines[index - 1].text.strip()
        if begins and line.text.strip() and _is_notice(lines, index):
            return index - 1 if ruled else index
    return None


def _is_notice(lines: Sequence[Line], index: int) -> bool:
    paragraph: list[str] = []
    for line in lines[index : index + 5]:
        if not line.text.strip():
            break
        paragraph.append(line.text)
    beginning = " ".join(paragraph)[:400].lower()
    starts = [text.strip(_NOTICE_MARKS).lower() for line in paragraph for text in line.split("|")[:_FIELDS_MAX]]
    if any(start.startswith(_NOTICE_STARTS) for start in starts) or any(phrase in beginning for phrase in _NOTICE_PHRASES):
        return True
    return len(beginning.encode()) >= _NOTICE_BYTES_MIN and any(all(part in beginning for part in parts) for parts in _NOTICE_PARTS)


def _banner(lines: Sequence[Line]) -> range:
    """Return the lines on top that a gateway added: a paragraph that begins as such banners do."""
    first = next((index for index, line in enumerate(lines) if line.text.strip()), None)
    if first is None or not lines[first].text.strip(" \t*_-").lower().startswith(words.BANNERS):
        return range(0)
    end = first
    while end < len(lines) and lines[end].text.strip():
        end += 1
    return range(first, end if any(line.text.strip() for line in lines[end:]) else first)


def _farewell(lines: Sequence[Line]) -> int | None:
    """Return the index of the highest farewell near the end that only short lines follow, and no sentence but a company's own."""
    first = next((index for index, line in enumerate(lines) if line.text.strip()), 0)
    best: int | None = None
    below = 0
    sentence = written = False
    for index in range(len(lines) - 1, -1, -1):
        text = lines[index].text.strip()
        if not text:
            written = written or sentence
            continue
        kind = farewell(text)
        contact = _CONTACT.search(text[:LINE_CHARS_MAX])
        if (kind and written) or (kind == "thanks" and index == first and best is not None):
            break
        if kind and (below or kind == "regards" or (_is_named(text) and best is None)):
            best = index
        elif len(text) > _SHORT and not contact:
            break
        sentence = _is_sentence(text) or (sentence and not contact)
        below += 1
        if below > _AFTER_FAREWELL_MAX:
            break
    if best is not None and best == first and farewell(lines[best].text) == "thanks":
        return best + 1  # thanks alone are what somebody wrote
    return best


def _is_sentence(text: str) -> bool:
    """Tell whether a line ends a sentence of its author."""
    if farewell(text) or _is_device(text):
        return False
    return text.endswith(("?", "。", "？")) or (text.endswith(".") and len(text.split()) >= _SENTENCE_WORDS_MIN)


def _is_named(text: str) -> bool:
    return "," in text.rstrip(PUNCTUATION)


def _contact_block(lines: Sequence[Line]) -> int | None:
    """Return where the last paragraph begins if it is somebody's name, place and ways to reach them.

    Numbers and addresses without a name above them, or announced by a colon, are what somebody writes about.
    """
    start, block = _paragraph(lines, len(lines))
    if start == 0 or not 2 <= len(block) <= 12 or any(len(text) > _SHORT for text in block):
        return None
    end = start
    while end and not lines[end - 1].text.strip():
        end -= 1
    above, names = _paragraph(lines, end)
    if (names and names[-1].endswith((":", "："))) or block[0].endswith((":", "：")):
        return None
    contacts = sum(1 for text in block if _CONTACT.search(text))
    if not _is_name(block[0]):
        apart = above > 0 and len(names) <= 3 and all(map(_is_name, names))
        return above if apart and contacts >= 2 else None
    return start if _TITLED.match(block[0]) or contacts >= 2 or (contacts == 1 and len(block) >= 3) else None


def _paragraph(lines: Sequence[Line], end: int) -> tuple[int, list[str]]:
    """Return where the paragraph that ends before `end` begins, and its lines."""
    start = end
    while start and lines[start - 1].text.strip():
        start -= 1
    return start, [line.text.strip() for line in lines[start:end]]


def _is_name(text: str) -> bool:
    """Tell whether a line may be a name or a title: few words, no sentence, no number, no label."""
    return len(text.split()) <= 7 and text[:1].isalpha() and not text.endswith((".", "?", "!", ",")) and _NOT_A_NAME.search(text) is None


def _bare_name(lines: Sequence[Line], name: str) -> int | None:
    """Return the index of a last line that is only a name: dashed, or the sender's own."""
    if len(lines) < 2:
        return None
    last = lines[-1].text.strip()
    parts = last.strip(PUNCTUATION).lower().split()
    own = {word.strip(PUNCTUATION) for word in name.lower().replace(",", " ").split()}
    above = lines[-2].text.strip()
    if _DASHED_NAME.match(last) and (not above or (above.endswith((".", "!", "?")) and len(parts) == 1 and last[1:2].isalpha())):
        return len(lines) - 1
    if 0 < len(parts) <= 4 and own and all(word.strip(PUNCTUATION) in own for word in parts):
        return len(lines) - 1
    start, block = _paragraph(lines, len(lines))
    named = {word.strip(PUNCTUATION) for word in block[0].lower().split()} if block else set()
    if start and len(named & own) >= 2 and _is_name(block[0]) and len(block) <= 6 and not any(map(_is_sentence, block)):
        return start  # with their title or company below
    return None
