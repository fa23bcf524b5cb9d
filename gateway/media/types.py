"""What a content is, by its first bytes, and as what it may be served; what anybody calls it counts for nothing.

A small table of what customers send. Whatever could act in a browser (pages, drawings with scripts, programs) and whatever is not known
is served as bytes to be kept, never to be shown. Must not decode pictures: their size is read from their heads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.media import OPAQUE

PIXELS_MAX = 50_000_000
SIDE_MAX = 16_384
_HEAD = 4_096
_TEXT_BYTES_MAX = 1_048_576  # a longer one is looked at for too long
_MARKERS_MAX = 1_000
_AT_START: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"\xff\xf1", "audio/aac"),
    (b"\xff\xf9", "audio/aac"),
    (b"#!AMR", "audio/amr"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),  # the offices of the nineties, macros included
    (b"MZ", "application/x-msdownload"),
    (b"\x7fELF", "application/x-executable"),
    (b"#!", "text/x-script"),
)
_RIFF = {b"WAVE": "audio/wav", b"WEBP": "image/webp"}
_ISO_BRANDS = {b"M4A ": "audio/mp4", b"M4B ": "audio/mp4", b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heic"}
_MARKUP = re.compile(rb"<(!doctype|html|head|body|script|iframe|svg|\?xml|style|title|meta|a|img|table|div|!--)[\s>/]?", re.IGNORECASE)
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_ACTIVE = frozenset({"text/html", "text/x-script", "application/x-msdownload", "application/x-executable"})
_SERVED_AS_THEY_ARE = frozenset(
    {"image/jpeg", "image/png", "image/gif", "image/webp", "audio/ogg", "audio/mpeg", "audio/mp4", "audio/aac", "audio/amr", "audio/wav"}
    | {"video/mp4", "video/webm", "video/3gpp", "application/pdf", "text/plain"}
)
ENDINGS = {
    "image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp", "audio/ogg": "ogg", "audio/mpeg": "mp3",
    "audio/mp4": "m4a", "audio/aac": "aac", "audio/amr": "amr", "audio/wav": "wav", "video/mp4": "mp4", "video/webm": "webm",
    "video/3gpp": "3gp", "application/pdf": "pdf", "text/plain": "txt",
}  # fmt: skip


def detect(content: bytes) -> str:
    """Return the type of a content by what it begins with."""
    head = content[:_HEAD]
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], OPAQUE)
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return _ISO_BRANDS.get(brand, "video/3gpp" if brand[:3] in {b"3gp", b"3g2"} else "video/mp4")
    for start, kind in _AT_START:
        if head.startswith(start):
            return kind
    if _MARKUP.search(head):
        return "text/html"
    return "text/plain" if _is_text(content) else OPAQUE


def _is_text(content: bytes) -> bool:
    if not 0 < len(content) <= _TEXT_BYTES_MAX or _NOT_TEXT.search(content) or _MARKUP.search(content):
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_active(content: bytes) -> bool:
    """Tell whether a content is made to do something where it is opened: a page, a drawing with scripts, a program."""
    return detect(content) in _ACTIVE


def served_as(content: bytes) -> str:
    """Return the type as which a content is served: its own where that is harmless, else that of mere bytes."""
    kind = detect(content)
    if kind not in _SERVED_AS_THEY_ARE:
        return OPAQUE
    return kind if not kind.startswith("image/") or _is_showable(content, kind) else OPAQUE


def _is_showable(content: bytes, kind: str) -> bool:
    size = dimensions(content, kind)
    if size is None:
        return False
    width, height = size
    return 0 < width <= SIDE_MAX and 0 < height <= SIDE_MAX and width * height <= PIXELS_MAX


def dimensions(content: bytes, kind: str) -> tuple[int, int] | None:
    """Return width and height of a picture in pixels as its head says, None where it does not."""
    match kind:
        case "image/png" if content[12:16] == b"IHDR" and len(content) >= 24:
            return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
        case "image/gif" if len(content) >= 10:
            return int.from_bytes(content[6:8], "little"), int.from_bytes(content[8:10], "little")
        case "image/jpeg":
            return max(_jpeg_frames(content), default=None, key=lambda size: size[0] * size[1])
        case "image/webp" if len(content) >= 30:
            return _webp(content)
    return None


def _jpeg_frames(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield the size in each frame header before the picture itself."""
    at = 2
    for _ in range(_MARKERS_MAX):
        if at + 9 > len(content) or content[at] != 0xFF:
            return
        marker = content[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        if marker == 0xDA:
            return
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            yield int.from_bytes(content[at + 7 : at + 9], "big"), int.from_bytes(content[at + 5 : at + 7], "big")
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if length < 2:
            return
        at += 2 + length


def _webp(content: bytes) -> tuple[int, int] | None:
    match content[12:16]:
        case b"VP8X":
            return int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1
        case b"VP8L" if content[20] == 0x2F:
            bits = int.from_bytes(content[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 " if content[23:26] == b"\x9d\x01\x2a":
            return int.from_bytes(content[26:28], "little") & 0x3FFF, int.from_bytes(content[28:30], "little") & 0x3FFF
    return None
