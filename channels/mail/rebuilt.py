"""Makes a raw mail of the pieces that a provider took it apart into, so that there is one reader for all mails.

What stands in the pieces stays within them: no value begins a header line, and no content ends its part. Must not judge what they say.
"""

from __future__ import annotations

import re
from base64 import encodebytes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from urllib.parse import quote

from channels.mail import model

_NAME = re.compile(r"[!-9;-~]{1,100}")
_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,60}/[A-Za-z0-9!#$&^_.+-]{1,60}")
_REPORT = re.compile(r"multipart/report\b.{0,400}?report-type=\"?([A-Za-z-]{1,40})", re.IGNORECASE | re.DOTALL)
_OWN = {"content-type", "content-transfer-encoding", "content-disposition", "content-id", "mime-version", "content-length"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A file that was in a mail."""

    name: str
    content_type: str
    content: bytes = field(repr=False)
    content_id: str = ""


def rebuilt(headers: Iterable[tuple[str, str]], text: str | None, html: str | None, files: Sequence[Piece] = ()) -> bytes:
    """Return a raw mail with these header fields, bodies and files."""
    digest = blake2b(digest_size=16)
    for content in ((text or "").encode("utf-8", "replace"), (html or "").encode("utf-8", "replace"), *(file.content for file in files)):
        digest.update(content)
    boundary = f"=_{digest.hexdigest()}"
    lines, kind = [], "multipart/mixed"
    for name, value in headers:
        if name.lower() == "content-type" and (report := _REPORT.search(value[: model.HEADER_BYTES_MAX])):
            kind = f"multipart/report; report-type={report[1]}"
        if name.lower() not in _OWN and _NAME.fullmatch(name):
            lines.append(f"{name}: {_line(value)}")
    head = "\r\n".join([*lines, "MIME-Version: 1.0", f'Content-Type: {kind}; boundary="{boundary}"'])
    forms = [_text(form, subtype) for form, subtype in ((text, "plain"), (html, "html")) if form is not None] or [_text("", "plain")]
    inner = f"{boundary}a"
    body = (
        forms[0] if len(forms) == 1 else f'Content-Type: multipart/alternative; boundary="{inner}"\r\n\r\n'.encode() + _joined(forms, inner)
    )
    parts = [body, *(_file(file) for file in files[: model.PARTS_MAX])]
    return head.encode("utf-8", "replace") + b"\r\n\r\n" + _joined(parts, boundary)


def _joined(parts: Sequence[bytes], boundary: str) -> bytes:
    line = f"--{boundary}".encode()
    return b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"


def _line(value: str) -> str:
    return " ".join(value.replace("\x00", "").split())


def _text(text: str, subtype: str) -> bytes:
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head.encode() + encodebytes(text.encode("utf-8", "replace"))


def _file(file: Piece) -> bytes:
    plain = file.content_type.partition(";")[0].strip()
    kind = plain if _TYPE.fullmatch(plain) and not plain.lower().startswith("multipart/") else "application/octet-stream"
    disposition = "inline" if file.content_id else "attachment"
    head = f"Content-Type: {kind}\r\nContent-Disposition: {disposition}; filename*=utf-8''{quote(file.name, safe='')}\r\n"
    if file.content_id:
        head += f"Content-ID: <{_line(file.content_id).strip('<>')}>\r\n"
    if kind.lower().startswith("message/") or kind.lower() == "text/rfc822-headers":  # what is in it is looked at only if it is plain
        return head.encode("utf-8", "replace") + b"\r\n" + file.content
    return head.encode("utf-8", "replace") + b"Content-Transfer-Encoding: base64\r\n\r\n" + encodebytes(file.content)
