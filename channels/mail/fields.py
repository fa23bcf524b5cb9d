"""Reads structured header values: content types with their parameters, encoded words, addresses and message ids.

Must not trust anything: each value has a cap, and what makes no sense is left as it stands.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from channels.mail import addresses, charsets, model
from channels.mail.model import Cap, Mailbox
from channels.texts import clean

_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*(?:\?(?!=)[^?]*){0,20})\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t\r\n]+(?==\?[^?\s]{1,80}\?[bBqQ]\?)")
_PARAMETER = re.compile(r';\s*([^=;\s"]{1,80})\s*=\s*("(?:[^"\\]|\\.)*"?|[^;"]*)', re.DOTALL)
_WINDOWS_PATH = re.compile(r'"(?:[A-Za-z]:\\|\\\\)[^\\]')
_QUOTED_LOCAL = re.compile(r'"[^"\\]{1,64}"@[^\s"@]{1,255}\Z')
_ID = re.compile(r"<([^<>\s]{1,998})>")
_INVISIBLE = dict.fromkeys([*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF, 0xAD])
_NEST_MAX = 20


@dataclass(frozen=True, slots=True)
class Value:
    """A header value with parameters: `text/plain; charset=utf-8`. Names are in lower case."""

    value: str
    values: Mapping[str, str]


def text(raw: bytes, over: set[Cap], charset: str = "") -> str:
    """Return a header value as one line of text: encoded words and 8-bit bytes (in `charset`) decoded, control characters gone."""
    plain = charsets.decode_header(raw, charset)
    if "=?" in plain:
        plain = _words(plain, over)
        if "=?" in plain:  # a sender encoded twice; a third time is not looked at
            plain = _words(plain, over)
    return " ".join(clean(plain).split())


def name(raw: str) -> str:
    """Return a display name without quotes and without characters that hide or turn what stands there."""
    plain = " ".join(raw.translate(_INVISIBLE).split())
    return plain.strip("\"' ") if plain[:1] in "\"'" else plain


def _words(plain: str, over: set[Cap]) -> str:
    if plain.count("=?") > model.WORDS_MAX:
        over.add(Cap.WORDS)
        plain = plain.partition("=?")[0] + "=?" + "=?".join(plain.split("=?", model.WORDS_MAX + 1)[1:-1])
    plain = _BETWEEN_WORDS.sub(r"\1", plain)
    done: list[str] = []
    position = 0
    pending: tuple[str, bytes] = ("", b"")  # neighbours of one set are joined: a character may be divided between them
    for word in _WORD.finditer(plain):
        if pending[1] and (word.start() > position or word[1].lower() != pending[0]):
            done.append(charsets.decode(pending[1], pending[0]))
            pending = ("", b"")
        done.append(plain[position : word.start()])
        pending = (word[1].lower(), pending[1] + _word_bytes(word[2], word[3]))
        position = word.end()
    if pending[1]:
        done.append(charsets.decode(pending[1], pending[0]))
    return "".join(done) + plain[position:]


def _word_bytes(encoding: str, content: str) -> bytes:
    raw = content.encode("utf-8", "replace")
    if encoding in "qQ":
        return quopri.decodestring(raw.replace(b" ", b"_"), header=True)
    return unbase64(raw)


def unbase64(raw: bytes) -> bytes:
    """Return what base64 holds, leaving out what is none and bearing a missing or early end."""
    try:
        return binascii.a2b_base64(raw)
    except binascii.Error:
        kept = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        kept = kept[:-1] if len(kept) % 4 == 1 else kept
        return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4))


def parameters(raw: bytes, over: set[Cap]) -> Value:
    """Return a value and its parameters, pieces and percent-encoding (RFC 2231) and encoded words in them decoded."""
    plain = charsets.decode(raw, "utf-8")
    value, _, _ = plain.partition(";")
    if "=" in value:  # no semicolon, or no value at all
        first = value.split(None, 1)[0]
        value = "" if "=" in first else first
        plain = f";{plain.lstrip().removeprefix(value)}"
    simple: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bool, str]]] = {}
    for count, found in enumerate(_PARAMETER.finditer(plain), start=1):
        if count > model.PIECES_MAX:
            over.add(Cap.PIECES)
            break
        label, given = found[1].lower(), _unquoted(found[2].strip())
        base, star, number = label.partition("*")
        if not star:
            simple.setdefault(base, text(given.encode("utf-8", "surrogateescape"), over) if "=?" in given else given)
        elif number in {"", "*"}:
            pieces.setdefault(base, {}).setdefault(0, (True, given))
        elif number.rstrip("*").isdecimal() and len(number) <= 4:
            pieces.setdefault(base, {}).setdefault(int(number.rstrip("*")), (number.endswith("*"), given))
    for base, parts in pieces.items():
        joined = _joined(parts)
        simple[base] = text(joined.encode("utf-8", "surrogateescape"), over) if "=?" in joined else joined
    return Value(value.strip().strip('"').lower(), {key: clean(content) for key, content in simple.items()})


def _unquoted(given: str) -> str:
    if given[:1] != '"':
        return given
    if _WINDOWS_PATH.match(given):  # whose backslashes nobody doubled
        return given.strip('"')
    return re.sub(r"\\(.)", r"\1", given.strip('"'), flags=re.DOTALL)


def _joined(parts: Mapping[int, tuple[bool, str]]) -> str:
    charset, content = "", b""
    for number in sorted(parts):
        encoded, given = parts[number]
        if encoded and number == min(parts) and given.count("'") >= 2:
            charset, _, given = given.split("'", 2)
        content += unquote_to_bytes(given) if encoded else given.encode("utf-8", "surrogateescape")
    return charsets.decode(content, charset or "utf-8")


def mailboxes(raw: Iterable[bytes], over: set[Cap], charset: str = "") -> tuple[Mailbox, ...]:
    """Return the mailboxes of address fields, at most `ADDRESSES_MAX`; groups are opened, comments are no addresses."""
    found: list[Mailbox] = []
    for value in raw:
        plain = charsets.decode_header(value, charset)
        if plain.count("(") > _NEST_MAX or plain.count(":") > _NEST_MAX:  # nobody nests them, but for harm
            over.add(Cap.ADDRESSES)
            plain = plain.translate({ord("("): None, ord(")"): None, ord(":"): None})
        # Some senders encode the whole field, address and all; then its words have to be decoded before it is read.
        if "@" not in plain and "=?" in plain:
            plain = _words(plain, over)
        if "@" not in plain:
            label = name(text((plain.partition("<")[0].strip() or plain.strip("<> ")).encode("utf-8", "surrogateescape"), over))
            found += [Mailbox("", label)] if label and ":" not in label else []
            continue
        surname = ""
        for shown, address in addresses.split(plain):
            if len(found) >= model.ADDRESSES_MAX:
                over.add(Cap.ADDRESSES)
                return tuple(found)
            if shown and not address and not surname:
                surname = shown  # `Doe, Jane <jane@…>` without the quotes that it needs
                continue
            if mailbox := _mailbox(f"{surname}, {shown}" if surname and shown else shown or surname, address, over):
                found.append(mailbox)
            surname = ""
        if surname:
            found.append(Mailbox("", name(clean(surname))))
    return tuple(found)


def _mailbox(shown: str, address: str, over: set[Cap]) -> Mailbox | None:
    label = name(text(shown.encode("utf-8", "surrogateescape"), over))
    plain = clean(address).translate(_INVISIBLE)
    if not _QUOTED_LOCAL.match(plain):
        plain = "".join(plain.split()).strip("<>'\"")
    if "=?" in plain:
        plain = text(plain.encode("utf-8", "surrogateescape"), over)
    if "@" not in plain and "@" in label and " " not in label:
        plain, label = label, ""
    if plain.lower().startswith("mailto:"):
        plain = plain[7:]
    if not plain or len(plain) > 320:
        return Mailbox("", label) if label else None
    local, _, domain = plain.rpartition("@")
    return Mailbox(f"{local}@{domain.lower()}" if local else "", "" if label.lower() == plain.lower() and local else label)


def message_ids(raw: Iterable[bytes]) -> tuple[str, ...]:
    """Return the message ids of a field without their brackets, each once; without any bracket, the words that hold an @."""
    plain = " ".join(value.decode("utf-8", "replace") for value in raw)
    ids = _ID.findall(plain) or [word.strip("<>,;") for word in plain.split() if "@" in word]
    return tuple(dict.fromkeys(clean(found) for found in ids))


def message_id(raw: bytes) -> str:
    """Return the id in a Message-ID field without its brackets; some programs give one without brackets or without an @."""
    words = raw.decode("utf-8", "replace").split()
    return next(iter(message_ids([raw])), words[0].strip("<>,;") if len(words) == 1 else "")
