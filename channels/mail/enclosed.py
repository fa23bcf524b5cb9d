"""Finds what older programs write into a plain text: files in uuencode, base64 or yEnc between marks, and signatures in OpenPGP armour.

What is not complete stays text. Must not change a text in which none of this is found.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence

from channels.mail import model

_BEGIN = re.compile(rb"begin(-base64)? [0-7]{3,4}(?: ([^\r\n]{1,300}))?[ \t]*(?=[\r\n]|\Z)")
_YENC = re.compile(rb"=ybegin .{0,200}?\bname=([^\r\n]{1,300})")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{2,200}={0,2}")
_YENC_SHIFT = bytes((value - 42) & 255 for value in range(256))
_SIGNED = re.compile(
    r"^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\n((?:[A-Za-z][A-Za-z-]{0,20}: [^\n]{0,200}\n){0,20}[ \t]*\n)"
    r"|^-----BEGIN PGP SIGNATURE-----[ \t]*$",
    re.MULTILINE,
)
_SIGNATURE_END = re.compile(r"^-----END PGP SIGNATURE-----[ \t]*\n?", re.MULTILINE)
_DASHED = re.compile(r"^- (?=[-F])", re.MULTILINE)


def files_in(content: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Return a plain text without the files written into it, and the files: name as it stands there, and content."""
    if b"begin" not in content:
        return content, []
    lines = content.splitlines(keepends=True)
    kept: list[bytes] = []
    files: list[tuple[bytes, bytes]] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        found = _file_at(lines, position) if line.startswith((b"begin", b"=ybegin ")) and len(files) < model.PARTS_MAX else None
        if found is None:
            kept.append(line)
            position += 1
        else:
            name, file, position = found
            files.append((name, file))
    return (b"".join(kept), files) if files else (content, [])


def _file_at(lines: Sequence[bytes], position: int) -> tuple[bytes, bytes, int] | None:
    """Return name, content and the number of the line after the file that begins here, or None if it is no whole file."""
    line = lines[position]
    if begun := _BEGIN.match(line):
        read = _base64(lines, position + 1) if begun[1] else _uuencoded(lines, position + 1)
        return ((begun[2] or b"").strip(), *read) if read else None
    if begun := _YENC.match(line):
        read = _yenc(lines, position + 1)
        return (begun[1].strip(), *read) if read else None
    return None


def _uuencoded(lines: Sequence[bytes], position: int) -> tuple[bytes, int] | None:
    done: list[bytes] = []
    for number in range(position, len(lines)):
        line = lines[number].rstrip(b"\r\n")
        if line == b"end" and done:
            return b"".join(done), number + 1
        read = uuline(line)
        if read is None:
            return None
        done.append(read)
    return None


def uuline(line: bytes) -> bytes | None:
    """Return what one line of uuencode holds, or None if it is none; lost spaces and check characters at its end are borne."""
    if not line.strip() or line == b"`":
        return b""
    characters = -(-((line[0] - 32) & 63) // 3) * 4 + 1
    if not 32 <= line[0] <= 96 or len(line) > characters + 2:
        return None
    try:
        return binascii.a2b_uu(line[:characters])
    except binascii.Error:
        return None


def _base64(lines: Sequence[bytes], position: int) -> tuple[bytes, int] | None:
    done: list[bytes] = []
    for number in range(position, len(lines)):
        line = lines[number].strip()
        if line == b"====":
            return binascii.a2b_base64(b"".join(done)), number + 1
        if not _BASE64.fullmatch(line) or len(line) % 4:
            return None
        done.append(line)
    return None


def _yenc(lines: Sequence[bytes], position: int) -> tuple[bytes, int] | None:
    done: list[bytes] = []
    for number in range(position, len(lines)):
        line = lines[number]
        if line.startswith(b"=yend"):
            first, *escaped = b"".join(done).split(b"=")
            plain = first + b"".join(bytes([(part[0] - 64) & 255]) + part[1:] for part in escaped if part)
            return plain.translate(_YENC_SHIFT), number + 1
        if line.startswith(b"=ybegin "):
            return None
        if not line.startswith(b"=ypart "):
            done.append(line.rstrip(b"\r\n"))
    return None


def without_armour(text: str) -> str:
    """Return a text without the lines that OpenPGP puts around what it signs (RFC 9580 section 7), and with its dashes undone."""
    if "-----BEGIN PGP SIGNED MESSAGE-----" not in text:
        return text
    done: list[str] = []
    position = 0
    signed = False
    for mark in _SIGNED.finditer(text):
        if mark.start() < position or (mark[1] is None) is not signed:
            continue
        between = text[position : mark.start()]
        done.append(_DASHED.sub("", between) if signed else between)
        position = mark.end()
        if signed:
            end = _SIGNATURE_END.search(text, position)
            position = end.end() if end else len(text)
        signed = not signed
    return "".join([*done, text[position:]])
