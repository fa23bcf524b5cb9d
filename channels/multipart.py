"""Reads `multipart/form-data` bodies: limited in count, in time linear in their size, files beside fields.

Providers of mails use the short form of a form, too, where there is no file; `read_either` takes both. Must not decode the contents:
which character set they have, only the provider says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from channels.forms import NotAForm, is_form
from channels.mail.fields import parameters

PARTS_MAX = 300
HEAD_BYTES_MAX = 8_192
_PIECE_BYTES = 65_536
_TYPE = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class FormPart:
    """One field of a form; one with a `file` name is a file."""

    name: str
    file: str | None
    content_type: str
    content: bytes = field(repr=False)


def read(body: bytes, content_type: str) -> list[FormPart]:
    """Return the parts of a body in order; raises `NotAForm`."""
    given = parameters(content_type.encode("utf-8", "surrogateescape"), set())
    boundary = given.values.get("boundary", "").encode("utf-8", "surrogateescape") or _first(body)
    if given.value != _TYPE or not 0 < len(boundary) <= 200:
        raise NotAForm("content_type")
    end = b"\n" if body.startswith(b"--" + boundary + b"\n") else b"\r\n"  # recorded as text, without the returns
    opening = b"--" + boundary
    pieces = body.split(end + opening, PARTS_MAX + 2)
    if pieces[0].startswith(opening):
        pieces[0] = pieces[0][len(opening) :]
    else:
        del pieces[0]  # what stands before the first part is none
    if len(pieces) > PARTS_MAX + 1:
        raise NotAForm("too_many_fields")
    if not pieces or not pieces[-1].startswith(b"--"):
        raise NotAForm("incomplete")
    return [_part(piece, end) for piece in pieces[:-1]]


def _first(body: bytes) -> bytes:
    """Return the boundary that a body begins with, for the case that its type was written down without one."""
    line = body[:HEAD_BYTES_MAX].partition(b"\n")[0].rstrip(b"\r")
    return line.removeprefix(b"--") if line.startswith(b"--") else b""


def read_either(body: bytes, content_type: str) -> list[FormPart]:
    """Return the fields of a form of either kind in order; raises `NotAForm`."""
    if not is_form(content_type):
        return read(body, content_type)
    if body.count(b"&") > PARTS_MAX:
        raise NotAForm("too_many_fields")
    pairs = [piece.replace(b"+", b" ").partition(b"=") for piece in body.split(b"&") if piece]
    return [FormPart(_unescaped(name).decode("utf-8", "replace"), None, "", _unescaped(value)) for name, _, value in pairs]


def _unescaped(text: bytes) -> bytes:
    """Return a text without its escapes, taken piece by piece, for the library needs a hundred times the size of a piece."""
    found, begins = bytearray(), 0
    while begins < len(text):
        ends = begins + _PIECE_BYTES
        escape = text.rfind(b"%", ends - 2, ends) if ends < len(text) else -1
        ends = escape if escape >= 0 else ends
        found += unquote_to_bytes(text[begins:ends])
        begins = ends
    return bytes(found)


def _part(piece: bytes, end: bytes) -> FormPart:
    head, blank, content = piece.partition(end + end)
    if not blank or len(head) > HEAD_BYTES_MAX:
        raise NotAForm("bad_part")
    fields = {}
    for line in head.split(end):
        name, _, value = line.partition(b":")
        fields[name.strip().lower()] = value.strip()
    disposition = parameters(fields.get(b"content-disposition", b""), set()).values
    if "name" not in disposition:
        raise NotAForm("bad_part")
    kind = fields.get(b"content-type", b"").decode("utf-8", "replace")
    return FormPart(disposition["name"], disposition.get("filename"), kind, content)
