"""Opens `winmail.dat`, in which Outlook encloses files for receivers that it takes for Outlook (MS-OXTNEF).

Only the files are taken out; what formats the text is left. Must not raise: what is no whole TNEF is None.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from channels.mail import charsets, model

_SIGNATURE = 0x223E9F78
_RENDERING, _TITLE, _DATA, _PROPERTIES, _CODE_PAGE = 0x00069002, 0x00018010, 0x0006800F, 0x00069005, 0x00069007
_P_DATA, _P_NAME, _P_TYPE, _P_CONTENT_ID, _P_SHORT_NAME = 0x3701, 0x3707, 0x370E, 0x3712, 0x3704
_WIDTHS = {0x2: 4, 0x3: 4, 0x4: 4, 0xA: 4, 0xB: 4, 0x5: 8, 0x6: 8, 0x7: 8, 0x14: 8, 0x40: 8, 0x48: 16}
_OBJECT, _NARROW, _WIDE, _BINARY = 0xD, 0x1E, 0x1F, 0x102
_MULTIPLE = 0x1000
_MESSAGE = bytes.fromhex("0703020000000000c000000000000046")  # what an enclosed message, which is no file, begins with


@dataclass(slots=True)
class Enclosed:
    """A file as it lies in TNEF; type and content id are empty where Outlook gave none."""

    name: str = ""
    content_type: str = ""
    content_id: str = ""
    content: bytes | None = None


def files(content: bytes) -> list[Enclosed] | None:
    """Return the files in a TNEF stream, or None if it is none, is damaged, or holds something that is no file."""
    try:
        found = list(_files(content))
    except (struct.error, ValueError, IndexError):
        return None
    return found if all(file.content is not None for file in found) else None


def _files(content: bytes) -> Iterator[Enclosed]:
    if struct.unpack_from("<I", content)[0] != _SIGNATURE:
        raise ValueError
    charset = ""
    current: Enclosed | None = None
    count = 0
    for name, value in _attributes(content):
        if name == _CODE_PAGE:
            charset = f"cp{struct.unpack_from('<I', value)[0]}"
        elif name == _RENDERING:
            count += 1
            if count > model.PARTS_MAX:
                raise ValueError
            if current is not None:
                yield current
            current = Enclosed()
        elif current is not None:
            _learn(current, name, value, charset)
    if current is not None:
        yield current


def _attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    position = 6
    while position < len(content):
        _, name, length = struct.unpack_from("<BII", content, position)
        position += 9
        if position + length + 2 > len(content):
            raise ValueError
        yield name, content[position : position + length]
        position += length + 2


def _learn(file: Enclosed, name: int, value: bytes, charset: str) -> None:
    if name == _TITLE:
        file.name = file.name or charsets.decode(value.rstrip(b"\0"), charset)
    elif name == _DATA:
        file.content = value
    elif name == _PROPERTIES:
        for known, kind, given in _properties(value):
            text = charsets.decode(given, "utf-16le" if kind == _WIDE else charset).rstrip("\0") if kind in {_NARROW, _WIDE} else ""
            if known == _P_NAME or (known == _P_SHORT_NAME and not file.name):
                file.name = text or file.name
            elif known == _P_TYPE:
                file.content_type = text.lower()
            elif known == _P_CONTENT_ID:
                file.content_id = text
            elif known == _P_DATA and kind == _BINARY and file.content is None:
                file.content = given
            elif known == _P_DATA and kind == _OBJECT and given.startswith(_MESSAGE):
                raise ValueError


def _properties(block: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield number, kind and value of each MAPI property; of one with several values, the last."""
    (count,) = struct.unpack_from("<I", block)
    position = 4
    for _ in range(min(count, len(block) // 8)):
        kind, number = struct.unpack_from("<HH", block, position)
        position += 4
        if number >= 0x8000:
            (by_name,) = struct.unpack_from("<I", block, position + 16)
            (length,) = struct.unpack_from("<I", block, position + 20)
            position += 24 + (_padded(length) if by_name else 0)
        several = bool(kind & _MULTIPLE)
        kind &= ~_MULTIPLE
        values = 1
        if several or kind in {_OBJECT, _NARROW, _WIDE, _BINARY}:
            (values,) = struct.unpack_from("<I", block, position)
            position += 4
        given = b""
        for _ in range(values):
            given, position = _value(block, position, kind)
        yield number, kind, given


def _value(block: bytes, position: int, kind: int) -> tuple[bytes, int]:
    if kind in _WIDTHS:
        length = _WIDTHS[kind]
    elif kind in {_OBJECT, _NARROW, _WIDE, _BINARY}:
        (length,) = struct.unpack_from("<I", block, position)
        position += 4
    else:
        raise ValueError
    if position + length > len(block):
        raise ValueError
    return block[position : position + length], position + _padded(length)


def _padded(length: int) -> int:
    return (length + 3) // 4 * 4
