"""Takes the mail out of an S/MIME envelope that only signs it (RFC 8551 section 3.5.2), in which it cannot be read as it stands.

The signature is not checked: who wrote a mail is a claim anyhow. Must not raise; what is encrypted or damaged is None.
"""

from __future__ import annotations

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_DATA = bytes.fromhex("2a864886f70d010701")
_OID, _OCTETS, _SEQUENCE, _CONTENT = 0x06, 0x04, 0x30, 0xA0
_CONSTRUCTED = 0x20
_NEST_MAX = 8
_PIECES_MAX = 20_000


def signed_content(envelope: bytes) -> bytes | None:
    """Return what is signed within a CMS envelope (RFC 5652), or None if it is none that signs or has no content."""
    try:
        outer = _children(envelope, 0, _SEQUENCE)
        if outer[0] != (_OID, _SIGNED_DATA) or outer[1][0] != _CONTENT:
            return None
        _, _, enclosed, *_ = _children(outer[1][1], 0, _SEQUENCE)
        inner = [_element(enclosed[1], 0)[:2], *_elements(enclosed[1], _element(enclosed[1], 0)[2])]
        if inner[0] != (_OID, _DATA) or inner[1][0] != _CONTENT:
            return None
        return _octets(*_element(inner[1][1], 0)[:2], 0)
    except (ValueError, IndexError):
        return None


def _children(block: bytes, position: int, tag: int) -> list[tuple[int, bytes]]:
    found, content, _ = _element(block, position)
    if found != tag:
        raise ValueError
    return _elements(content, 0)


def _elements(block: bytes, position: int) -> list[tuple[int, bytes]]:
    found = []
    while position < len(block) and block[position : position + 2] != b"\0\0":
        tag, content, position = _element(block, position)
        found.append((tag, content))
        if len(found) > _PIECES_MAX:
            raise ValueError
    return found


def _element(block: bytes, position: int, depth: int = 0) -> tuple[int, bytes, int]:
    """Return tag, content and the position behind the BER element that begins at a position, of definite length or not."""
    tag, length = block[position], block[position + 1]
    position += 2
    if length == 0x80:
        if depth > _NEST_MAX:
            raise ValueError
        begin = position
        pieces = 0
        while block[position : position + 2] != b"\0\0":
            _, _, position = _element(block, position, depth + 1)
            pieces += 1
            if pieces > _PIECES_MAX:
                raise ValueError
        return tag, block[begin:position], position + 2
    if length > 0x80:
        digits = length & 0x7F
        length = int.from_bytes(block[position : position + digits], "big")
        position += digits
    if position + length > len(block):
        raise ValueError
    return tag, block[position : position + length], position + length


def _octets(tag: int, content: bytes, depth: int) -> bytes:
    if tag == _OCTETS:
        return content
    if tag != _OCTETS | _CONSTRUCTED or depth > _NEST_MAX:
        raise ValueError
    return b"".join(_octets(kind, piece, depth + 1) for kind, piece in _elements(content, 0))
