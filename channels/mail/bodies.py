"""Finds the bodies and the attachments in the parts of a mail, as RFC 8621 section 4.1.4 does, and decodes them.

Must not look into what the texts say.
"""

from __future__ import annotations

import quopri
import re
from dataclasses import dataclass, field

from channels.mail import charsets, enclosed, fields, model, smime, tnef
from channels.mail.attachments import extension_of, real_type, safe_name
from channels.mail.mime import Budget, Part, read
from channels.mail.model import Attachment, Cap
from channels.mail.tnef import Enclosed
from channels.texts import clean

_META = re.compile(rb"<meta[^>]{0,200}charset\s{0,3}=\s{0,3}[\"']?([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_BASE64_LINE = re.compile(rb"\A[ \t]{0,20}[A-Za-z0-9+/]{1,200}(?:=|[ \t]{0,20}\Z)")
_CID = re.compile(r"[<>\s]")
_FORMS = {"text/plain", "text/html"}
_ENRICHED = {"text/enriched", "text/richtext"}
_ENRICHED_MARK = re.compile(r"<<|<param>[^<]{0,200}</param>|</?[A-Za-z0-9-]{1,60}>", re.IGNORECASE)
_ENVELOPES = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
_ENVELOPES_MAX = 3
_LEFT_OUT = {"text/x-amp-html", "text/watch-html"}  # further forms of a body that is there anyway
_TNEF, _TNEF_NAME = "application/ms-tnef", "winmail.dat"
_DEFAULT_NAMES = {_TNEF: _TNEF_NAME, "application/pgp-signature": "signature.asc", "text/calendar": "invite.ics"}


@dataclass(slots=True)
class Section:
    """One stretch of the body, in one or both forms; `flowed` lines are joined already."""

    plain: str | None = None
    html: str | None = None


@dataclass(slots=True)
class Bodies:
    """What a mail shows, in order, and what is attached to it."""

    sections: list[Section] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    envelopes: int = 0  # of S/MIME that were opened


def collect(root: Part, over: set[Cap]) -> Bodies:
    """Return the bodies and attachments of a mail."""
    found = Bodies()
    _visit(root, "mixed", found, over, first=True)
    return found


def _visit(part: Part, within: str, found: Bodies, over: set[Cap], *, first: bool) -> None:
    kind = part.type.value
    if kind == "multipart/alternative":
        _alternative(part, found, over)
    elif kind.startswith("multipart/"):
        subtype = kind.partition("/")[2]
        for number, child in enumerate(part.children):
            _visit(child, subtype, found, over, first=number == 0)
    elif _is_body(part, within, first=first):
        content = content_of(part)
        if kind == "text/html":
            found.sections.append(Section(html=_text(part, content, over)))
            return
        content, files = enclosed.files_in(content)
        found.sections.append(Section(plain=_text(part, content, over)))
        for label, file in files:
            found.attachments.append(_file(Enclosed(charsets.decode(label), content=file), len(found.attachments) + 1))
    else:
        if kind in _ENVELOPES and found.envelopes < _ENVELOPES_MAX and (signed := smime.signed_content(content_of(part))):
            found.envelopes += 1
            _visit(read(signed, Budget(over=over)), within, found, over, first=first)
        _attach(_attachment(part, len(found.attachments) + 1, over), found)


def _attach(attached: Attachment, found: Bodies) -> None:
    """Add a file, or in place of one that only Outlook can read the files in it."""
    opened = tnef.files(attached.content) if attached.content_type == _TNEF or attached.name.lower() == _TNEF_NAME else None
    if not opened:
        found.attachments.append(attached)
    for file in opened or []:
        found.attachments.append(_file(file, len(found.attachments) + 1))


def _alternative(part: Part, found: Bodies, over: set[Cap]) -> None:
    """Join the forms of one body into one section; what is no form of a body, such as an invitation, is attached."""
    inner = Bodies(attachments=found.attachments, envelopes=found.envelopes)
    further = _LEFT_OUT | _ENRICHED if any(child.type.value in _FORMS for child in part.children) else set()
    for child in part.children:
        if child.type.value not in further:
            _visit(child, "alternative", inner, over, first=True)
    found.envelopes = inner.envelopes
    plains = [section.plain for section in inner.sections if section.plain is not None]
    htmls = [section.html for section in inner.sections if section.html is not None]
    if plains or htmls:
        found.sections.append(Section("\n".join(plains) if plains else None, "\n".join(htmls) if htmls else None))


def _is_body(part: Part, within: str, *, first: bool) -> bool:
    kind = part.type.value
    if kind not in {"text/plain", "text/html", "text/enriched", "text/richtext"} and (kind != "text/markdown" or not first):
        return False
    disposition = fields.parameters(part.first("content-disposition"), set())
    if disposition.value.startswith("attach"):
        return False
    named = disposition.values.get("filename") or part.type.values.get("name")
    # Beside what a text refers to, only its first part is body; a footer that a list or a filter adds there has neither name nor id.
    return first or (not named and (within != "related" or (kind == "text/plain" and not part.first("content-id"))))


def content_of(part: Part) -> bytes:
    """Return the body of a part with its transfer encoding undone."""
    encoding = part.first("content-transfer-encoding").strip().strip(b'"').lower().partition(b";")[0].strip()
    if encoding == b"base64":
        return part.body if part.type.value.startswith("text/") and _never_encoded(part.body) else fields.unbase64(part.body)
    if encoding == b"quoted-printable":
        return quopri.decodestring(part.body)
    if encoding in {b"x-uuencode", b"uuencode", b"x-uue", b"uue"}:
        return _uudecoded(part.body)
    return part.body


def _never_encoded(body: bytes) -> bool:
    """Tell whether a text that claims to be in base64 is none: it begins with words, and most of its lines have several."""
    lines = [line for line in body[:4000].splitlines() if line.strip()]
    return bool(lines) and not _BASE64_LINE.match(lines[0]) and sum(len(line.split()) > 1 for line in lines) * 2 > len(lines)


def _uudecoded(body: bytes) -> bytes:
    done: list[bytes] = []
    inside = False
    for line in body.splitlines():
        if not inside:
            inside = line.startswith(b"begin ")
        elif line.strip() == b"end":
            break
        else:
            done.append(enclosed.uuline(line) or b"")
    return b"".join(done)


def _text(part: Part, content: bytes, over: set[Cap]) -> str:
    """Return the text of a part, cleaned and capped."""
    is_html = part.type.value == "text/html"
    if not is_html and len(content) > model.BODY_BYTES_MAX:
        over.add(Cap.TEXT)
        content = content[: model.BODY_BYTES_MAX]
    charset = part.type.values.get("charset", "")
    if is_html and charsets.codec(charset) is None and (meta := _META.search(content, 0, 4096)):
        charset = meta[1].decode("ascii")
    text = clean(charsets.decode(content, charset))
    if part.type.value in _ENRICHED:
        text = unenriched(text)
    if not is_html and len(text) > model.TEXT_CHARS_MAX:
        over.add(Cap.TEXT)
        text = text[: model.TEXT_CHARS_MAX]
    if part.type.value == "text/plain" and part.type.values.get("format", "").lower() == "flowed":
        text = unflowed(text, delete_space=part.type.values.get("delsp", "").lower() == "yes")
    return text if is_html else enclosed.without_armour(text)


def unenriched(text: str) -> str:
    """Return a text of text/enriched (RFC 1896) without its marks; one line end in it is a space, each further one counts."""
    plain = _ENRICHED_MARK.sub(lambda mark: "<" if mark[0] == "<<" else "", text)
    return re.sub(r"\n+", lambda ends: "\n" * (len(ends[0]) - 1) or " ", plain)


def unflowed(text: str, *, delete_space: bool) -> str:
    """Return a text of format=flowed (RFC 3676) with its soft line ends taken out."""
    done: list[str] = []
    open_depth: int | None = None  # of quotation in the line that the next one continues
    for line in text.split("\n"):
        plain = line.lstrip(">")
        depth = len(line) - len(plain)
        plain = plain.removeprefix(" ")
        if open_depth == depth and plain != "-- ":
            done[-1] += plain
        else:
            done.append(">" * depth + (" " if depth and plain else "") + plain)
        soft = plain.endswith(" ") and plain != "-- "
        if soft and delete_space:
            done[-1] = done[-1][:-1]
        open_depth = depth if soft else None
    return "\n".join(done)


def _file(file: Enclosed, number: int) -> Attachment:
    content = file.content or b""
    shown = real_type(file.content_type, file.name, content)
    return Attachment(
        safe_name(file.name, number, shown), shown, len(content), file.content_id, inline=bool(file.content_id), content=content
    )


def _attachment(part: Part, number: int, over: set[Cap]) -> Attachment:
    disposition = fields.parameters(part.first("content-disposition"), over)
    given = disposition.values.get("filename") or part.type.values.get("name") or _DEFAULT_NAMES.get(part.type.value, "")
    content = content_of(part)
    if not given and part.type.value == "message/rfc822" and part.children:
        subject = fields.text(part.children[0].first("subject"), over)
        given = f"{subject[:80].replace('/', '_')}{extension_of('message/rfc822')}" if subject else ""
    content_type = real_type(part.type.value, given, content)
    return Attachment(
        name=safe_name(given, number, content_type),
        content_type=content_type,
        size=len(content),
        content_id=_CID.sub("", part.first("content-id").decode("utf-8", "replace")),
        inline=disposition.value == "inline" or (not disposition.value and bool(part.first("content-id"))),
        content=content,
    )
