"""A voice note as telephones make one, in which nothing is said: it has a length, and every player plays it.

It is Opus in Ogg (RFC 6716, RFC 7845). Must not hold anybody's voice.
"""

from __future__ import annotations

import struct
from functools import cache

_POLYNOMIAL = 0x04C11DB7
_SAMPLES_PER_S = 48_000
_FRAME_SAMPLES = 960  # 20 ms
_FRAMES_PER_PAGE = 50
_SILENCE = b"\xf8\xff\xfe"  # one frame of 20 ms
_SERIAL = 1
_BEGINS, _ENDS = 2, 4


@cache
def voice_note(seconds: int) -> bytes:
    """Return an Ogg file with `seconds` of silence."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, _SAMPLES_PER_S, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 0) + struct.pack("<I", 0)
    pages = [_page(0, 0, [head], _BEGINS), _page(1, 0, [tags])]
    left = seconds * _SAMPLES_PER_S // _FRAME_SAMPLES
    played = 0
    while left:
        count = min(left, _FRAMES_PER_PAGE)
        left -= count
        played += count * _FRAME_SAMPLES
        pages.append(_page(len(pages), played, [_SILENCE] * count, 0 if left else _ENDS))
    return b"".join(pages)


def _page(number: int, played: int, packets: list[bytes], flags: int = 0) -> bytes:
    """Return a page of whole packets, each shorter than 255 bytes."""
    sizes = bytes(map(len, packets))
    fields = struct.pack("<BBQII", 0, flags, played, _SERIAL, number)
    rest = bytes([len(sizes)]) + sizes + b"".join(packets)
    unchecked = b"OggS" + fields + bytes(4) + rest
    return b"OggS" + fields + struct.pack("<I", _checksum(unchecked)) + rest


def _checksum(content: bytes) -> int:
    value = 0
    for byte in content:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (_POLYNOMIAL if value >> 31 else 0)) & 0xFFFFFFFF
    return value
