"""Takes a raw mail apart into header fields and a tree of parts, in time linear in its size.

The standard library's parser is not used for this: it takes 20 seconds for a megabyte of empty parts and ends in a RecursionError
for 60 kB of nested ones, and a check before it would have to understand the same structure. Must not decode; see `headers`, `bodies`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from channels.mail import model
from channels.mail.fields import Value, parameters
from channels.mail.model import Cap

_LINE_END = re.compile(rb"\r\n|\n|\r")
_END = rb"(?:\r\n|\n|\r(?!\n))"
# A line of nothing but spaces ends the header too, unless the header clearly goes on behind it (RFC 5322 section 4.2 allows that).
_BLANK = re.compile(_END + rb"(?:" + _END + rb"|[ \t]{1,200}" + _END + rb"(?![ \t]{1,200}[^ \t\r\n]|[A-Za-z][A-Za-z0-9-]{1,40}:[ \t]))")
_FIELD = re.compile(rb"\A([!-9;-~]{1,200})[ \t]*:[ \t]*(.*)", re.DOTALL)
_MBOX = re.compile(rb"\A>?From [^\r\n]{0,998}(?:\r\n|\n|\r)")
_SOME_BOUNDARY = re.compile(rb"(?:\A|(?<=[\r\n]))--([!-~]{1,200})[ \t]{0,80}(?:\r\n|\n|\r)(?=[Cc]ontent-)")
_PREAMBLE_MAX = 20_000
_MULTIPART_MAX = 200  # boundary lines looked at in one multipart, so that empty parts cost nothing


@dataclass(slots=True)
class Part:
    """One part: header fields in order (names in lower case, values unfolded bytes), its body as sent, and the parts within."""

    fields: list[tuple[str, bytes]]
    body: bytes
    type: Value
    children: list[Part] = field(default_factory=list)

    def first(self, name: str) -> bytes:
        """Return the value of the first field of this name, or nothing."""
        return next((value for known, value in self.fields if known == name), b"")

    def all(self, name: str) -> list[bytes]:
        """Return the values of every field of this name."""
        return [value for known, value in self.fields if known == name]

    def walk(self) -> Iterator[Part]:
        """Yield this part and all within, in the order of the mail, but nothing of mails that are enclosed; the depth is capped."""
        yield self
        if not self.type.value.startswith("message/"):
            for child in self.children:
                yield from child.walk()


@dataclass(slots=True)
class Budget:
    """What may still be read of one mail, and which caps were met."""

    parts: int = model.PARTS_MAX
    over: set[Cap] = field(default_factory=set)


def read(raw: bytes, budget: Budget) -> Part:
    """Return the tree of a mail's parts; caps that it goes over are noted in `budget`."""
    if len(raw) > model.RAW_BYTES_MAX:
        budget.over.add(Cap.RAW)
        raw = raw[: model.HEADERS_BYTES_MAX]
    raw = raw.lstrip(b"\r\n\t ") if raw[:1] in b"\r\n\t " else raw
    if mbox := _MBOX.match(raw):
        raw = raw[mbox.end() :]
    return _part(raw, "text/plain", 0, budget)


def _part(raw: bytes, default_type: str, depth: int, budget: Budget) -> Part:
    budget.parts -= 1
    fields, body = _split(raw, budget)
    given = next((value for name, value in fields if name == "content-type"), b"")
    kind = parameters(given, budget.over)
    if "/" not in kind.value:
        kind = Value(default_type, kind.values)
    part = Part(fields, body, kind)
    if kind.value.startswith("multipart/"):
        _divide(part, depth, budget)
    elif kind.value in {"message/rfc822", "message/global", "message/partial"} and _plainly_encoded(part):
        _enter(part, depth, budget)
    return part


def _plainly_encoded(part: Part) -> bool:
    return part.first("content-transfer-encoding").strip().lower() not in {b"base64", b"quoted-printable"}


def _enter(part: Part, depth: int, budget: Budget) -> None:
    if depth >= model.DEPTH_MAX:
        budget.over.add(Cap.DEPTH)
    elif budget.parts <= 0:
        budget.over.add(Cap.PARTS)
    else:
        part.children.append(_part(part.body.lstrip(b"\r\n"), "text/plain", depth + 1, budget))


def _divide(part: Part, depth: int, budget: Budget) -> None:
    """Add the parts of a multipart; where the boundary is missing or wrong, the first line that looks like one is taken."""
    boundary = part.type.values.get("boundary", "").encode("utf-8", "surrogateescape").rstrip()
    pieces = _pieces(part.body, boundary, budget) if boundary else []
    if not pieces and (seen := _SOME_BOUNDARY.search(part.body, 0, _PREAMBLE_MAX)):
        pieces = _pieces(part.body, seen[1], budget)
    if not pieces:
        part.type = Value("text/html" if part.body[:400].lstrip()[:1] == b"<" else "text/plain", {})
        return
    inner = "message/rfc822" if part.type.value == "multipart/digest" else "text/plain"
    for piece in pieces:
        if depth >= model.DEPTH_MAX:
            budget.over.add(Cap.DEPTH)
            return
        if budget.parts <= 0:
            budget.over.add(Cap.PARTS)
            return
        part.children.append(_part(piece, inner, depth + 1, budget))


def _pieces(body: bytes, boundary: bytes, budget: Budget) -> list[bytes]:
    """Return what lies between the boundary lines; without a last one the rest of the body is the last piece."""
    line = re.compile(rb"(?:^|(?<=[\r\n]))--" + re.escape(boundary) + rb"(--)?[ \t]{0,80}(?:\r\n|\n|\r|\Z)")
    pieces: list[bytes] = []
    begin: int | None = None
    for found in line.finditer(body):
        if begin is not None:
            pieces.append(_without_line_end(body[begin : found.start()]))
        begin = found.end()
        if found[1]:
            return pieces
        if len(pieces) >= _MULTIPART_MAX:
            budget.over.add(Cap.PARTS)
            return pieces
    if begin is not None and body[begin:].strip():
        pieces.append(body[begin:])
    return pieces


def _without_line_end(piece: bytes) -> bytes:
    return piece[:-2] if piece.endswith(b"\r\n") else piece[:-1] if piece.endswith((b"\n", b"\r")) else piece


def _split(raw: bytes, budget: Budget) -> tuple[list[tuple[str, bytes]], bytes]:
    """Return header fields and body. A line that is no field ends the header, as a body without the blank line does."""
    if raw[:2] == b"\r\n":
        return [], raw[2:]
    if raw[:1] in {b"\n", b"\r"}:
        return [], raw[1:]
    blank = _BLANK.search(raw, 0, model.HEADERS_BYTES_MAX)
    if blank:
        head, body = raw[: blank.start()], raw[blank.end() :]
    elif len(raw) > model.HEADERS_BYTES_MAX:
        budget.over.add(Cap.HEADERS)
        far = _BLANK.search(raw, model.HEADERS_BYTES_MAX)
        head, body = raw[: model.HEADERS_BYTES_MAX], raw[far.end() :] if far else b""
    else:
        head, body = raw, b""
    fields, rest = _fields(head, budget)
    return fields, rest + body if rest is not None else body


def _fields(head: bytes, budget: Budget) -> tuple[list[tuple[str, bytes]], bytes | None]:
    lines: list[list[bytes]] = []
    position = 0
    strange = 0
    for end in [*_LINE_END.finditer(head), None]:
        line = head[position : end.start() if end else len(head)]
        if line[:1] in {b" ", b"\t"} and lines:
            lines[-1].append(line)
        elif _FIELD.match(line):
            lines.append([line])
        elif line.strip():
            strange += 1
            if not lines or strange > 3:  # no header at all: everything is body
                return _values(lines, budget), head[position:] + b"\r\n\r\n"
        position = end.end() if end else len(head)
    return _values(lines, budget), None


def _values(lines: list[list[bytes]], budget: Budget) -> list[tuple[str, bytes]]:
    fields: list[tuple[str, bytes]] = []
    for folded in lines:
        found = _FIELD.match(b"".join(folded))
        if found is None:
            continue
        value = found[2].strip()
        if len(value) > model.HEADER_BYTES_MAX:
            budget.over.add(Cap.HEADER)
            value = value[: model.HEADER_BYTES_MAX]
        fields.append((found[1].decode("ascii").lower(), value))
    return fields


def text_fields(block: bytes) -> Mapping[str, str]:
    """Return the fields of a block such as one of a delivery status (RFC 3464), the first of each name."""
    fields, _ = _fields(block[: model.HEADERS_BYTES_MAX], Budget())
    return {name: value.decode("utf-8", "replace") for name, value in reversed(fields)}
