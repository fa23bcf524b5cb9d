"""Names and types of attached files that are safe to show, store and hand out.

A name keeps what people recognise and loses what a file system or a reader could be led astray by; the type follows the first bytes
where they are known. Must not open a file's content any further: an archive is not unpacked, a picture not decoded.
"""

from __future__ import annotations

import mimetypes
import re
import unicodedata

NAME_BYTES_MAX = 240  # a file system holds 255
_UNSAFE = re.compile(r'[<>:"|?*]')
_DEVICES = re.compile(r"^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
_TYPE = re.compile(r"^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,79}$")
_UNKNOWN = "application/octet-stream"

_FIRST_BYTES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"{\\rtf", "application/rtf"),
    (b"MZ", "application/x-msdownload"),
    (b"\x7fELF", "application/x-executable"),
)
# Containers: many types have these first bytes, so the type that was given is believed.
_CONTAINERS = {"application/zip", "application/gzip", "application/x-ole-storage", "audio/ogg", "application/x-msdownload"}
_ACTIVE = re.compile(rb"\A\s{0,40}(?:<!--[^>]{0,200}-->\s{0,40})?<(?:!doctype html|html|head|body|script|svg|iframe)\b", re.IGNORECASE)
_SPELLINGS = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png", "application/x-pdf": "application/pdf"}


def safe_name(given: str, number: int, content_type: str) -> str:
    """Return a file name without folders, control or direction characters; one of our own where none is left."""
    plain = unicodedata.normalize("NFC", given).replace("\\", "/").rpartition("/")[2]
    plain = "".join(character for character in plain if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
    plain = " ".join(_UNSAFE.sub("_", plain).split()).lstrip(". ").rstrip(". ")
    if len(plain.encode()) > NAME_BYTES_MAX:
        stem, dot, extension = plain.rpartition(".")
        ending = f".{extension}" if dot and len(extension.encode()) <= 20 else ""
        plain = (stem if ending else plain).encode()[: NAME_BYTES_MAX - len(ending.encode())].decode("utf-8", "ignore") + ending
    if not plain:
        return f"attachment-{number}{extension_of(content_type)}"
    return f"_{plain}" if _DEVICES.match(plain) else plain


def extension_of(content_type: str) -> str:
    """Return the usual file extension of a type with its dot, or nothing."""
    known = {"message/rfc822": ".eml", "text/calendar": ".ics", "image/jpeg": ".jpg", "text/plain": ".txt", "audio/amr": ".amr"}
    return known.get(content_type) or mimetypes.guess_extension(content_type) or ""


def real_type(given: str, name: str, content: bytes) -> str:
    """Return the type that the content shows, else the one that was given, else the one that the name suggests."""
    declared = _SPELLINGS.get(given, given) if _TYPE.match(given) else _UNKNOWN
    shown = _shown(content)
    if _ACTIVE.match(content) and not declared.startswith(("text/", "message/", "application/xhtml", "image/svg")):
        return "text/html"
    if shown and (shown not in _CONTAINERS or declared == _UNKNOWN or declared.startswith(("image/", "text/"))):
        if not (declared == _UNKNOWN and shown in _CONTAINERS and (guessed := mimetypes.guess_type(name)[0])):
            return shown
        return guessed
    if declared == _UNKNOWN:
        return mimetypes.guess_type(name)[0] or _UNKNOWN
    return declared


def _shown(content: bytes) -> str:
    if content[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(content[8:12], "")
    if content[4:8] == b"ftyp":
        return "image/heic" if content[8:11] in {b"hei", b"mif"} else "audio/mp4" if content[8:11] == b"M4A" else "video/mp4"
    return next((kind for first, kind in _FIRST_BYTES if content.startswith(first)), "")
