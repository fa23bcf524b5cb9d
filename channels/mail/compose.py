"""Builds the mail that carries a message of ours: threaded, marked as a machine's where it is one, in plain text and HTML.

The same message gives the same bytes, however often it is sent, so its date is that of its id. No value can begin a header line of its
own, and no text is read as markup. Must not connect, sign, or know a relay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from html import escape

from channels import email_addresses, texts
from channels.mail.attachments import safe_name
from core.model.inbound import Letter, Media
from core.model.mail_ids import message_id_of, thread_address
from core.model.outbound import Author, OutboundMessage, SendError, SendErrorCode

TEXT_CHARS_MAX = 100_000
ATTACHED_BYTES_MAX = 20 * 1024 * 1024
SUBJECT_CHARS_MAX = 250
REFERENCES_MAX = 20
_ID = re.compile(r"[!-;=?-~]{1,250}")
_IDS = {"message-id", "in-reply-to", "references"}
_AGAIN = re.compile(r"(?:re|aw|sv|vs|antw|odp|ynt|res|r) ?(?:\[\d{1,4}\] ?|\(\d{1,4}\) ?)?[:\uff1a] ?", re.IGNORECASE)  # in one line
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}")


class _Policy(EmailPolicy):
    """Writes ids as they are, one on a line: the library takes a long one for text and encodes it, so that no reader knows it again."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() in _IDS:
            return f"{name}: {f'{self.linesep} '.join(str(value).split())}{self.linesep}".encode()
        return super().fold_binary(name, value)


_POLICY = _Policy(linesep="\r\n", cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Composed:
    """A mail ready for a relay: its Message-ID without brackets; `international` if the relay must know SMTPUTF8.

    `sender` and `recipient` are the mailboxes of the envelope.
    """

    raw: bytes = field(repr=False)
    mail_id: str
    sender: str
    recipient: str
    international: bool


def compose(message: OutboundMessage, *, from_name: str, default_subject: str, headers: Mapping[str, str] | None = None) -> Composed:
    """Return the mail of a message; `headers` are further ones. Raises `SendError` for what cannot be a mail."""
    ours, theirs = email_addresses.mailbox(message.sender.value), email_addresses.mailbox(message.recipient.value)
    if ours is None or theirs is None:
        raise SendError(SendErrorCode.BAD_ADDRESS, retryable=False, ours=ours is None, detail="no mailbox")
    letter = message.letter or Letter()
    international = not (ours.value.isascii() and theirs.value.isascii())
    policy = _POLICY.clone(utf8=True, cte_type="8bit") if international else _POLICY
    mail = EmailMessage(policy=policy)
    mail_id = message_id_of(message.id, ours.value.rpartition("@")[2])
    mail["From"] = _header(ours.value, _line(from_name))
    mail["To"] = _header(theirs.value)
    mail["Subject"] = _subject(letter, default_subject)
    mail["Date"] = format_datetime(_written_at(message.id))
    mail["Message-ID"] = f"<{mail_id}>"
    _thread(mail, letter, ours.value)
    if message.author is not Author.AGENT:
        mail["Auto-Submitted"] = "auto-replied" if letter.mail_id else "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    for name, value in (headers or {}).items():
        mail[name] = _line(value)
    _content(mail, message)
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"=_{message.id}_{number}")
    return Composed(mail.as_bytes(), mail_id, ours.value, theirs.value, international)


def _header(mailbox: str, name: str = "") -> HeaderAddress:
    local, _, domain = mailbox.rpartition("@")
    return HeaderAddress(name, email_addresses.unquoted(local), domain)


def _line(text: str) -> str:
    """Return a text as one line without control characters."""
    return " ".join(texts.clean(text).split())


def _subject(letter: Letter, default: str) -> str:
    subject = _line(letter.subject)
    if not letter.mail_id:
        return (subject or default)[:SUBJECT_CHARS_MAX]
    while again := _AGAIN.match(subject):
        subject = subject[again.end() :]
    return f"Re: {subject or default}"[:SUBJECT_CHARS_MAX]


def _written_at(message_id: str) -> datetime:
    """Return the time within an id of ours."""
    return datetime.fromtimestamp(int(message_id.replace("-", "")[:12], 16) // 1_000, UTC)


def _thread(mail: EmailMessage, letter: Letter, ours: str) -> None:
    """Name the mail that is answered and those before it: the first, and as many of the last as there is room for."""
    if letter.token:
        mail["Reply-To"] = _header(thread_address(ours, letter.token))
    if not _ID.fullmatch(letter.mail_id):
        return
    mail["In-Reply-To"] = f"<{letter.mail_id}>"
    chain = [known for known in dict.fromkeys((*reversed(letter.references), letter.mail_id)) if _ID.fullmatch(known)]
    if len(chain) > REFERENCES_MAX:
        chain = [chain[0], *chain[1 - REFERENCES_MAX :]]
    mail["References"] = " ".join(f"<{known}>" for known in chain)


def _content(mail: EmailMessage, message: OutboundMessage) -> None:
    text = texts.clean(message.reply.text)
    if len(text) > TEXT_CHARS_MAX:
        raise SendError(SendErrorCode.TOO_LONG, retryable=False, detail=f"{len(text)} characters, at most {TEXT_CHARS_MAX}")
    mail.set_content(text + "\n", charset="utf-8", cte="quoted-printable")
    mail.add_alternative(_html(text, message.reply.language), subtype="html", charset="utf-8", cte="quoted-printable")
    if sum(len(media.content) for media in message.reply.media) > ATTACHED_BYTES_MAX:
        raise SendError(SendErrorCode.TOO_LONG, retryable=False, detail="the attachments are too large")
    for number, media in enumerate(message.reply.media, 1):
        _attach(mail, media, number)


def _html(text: str, language: str) -> str:
    paragraphs = "".join(f'<p dir="auto">{escape(paragraph).replace(chr(10), "<br>")}</p>\n' for paragraph in text.split("\n\n"))
    return (
        f'<!doctype html>\n<html lang="{escape(language)}"><head><meta charset="utf-8"></head>\n'
        f'<body style="font-family: sans-serif; line-height: 1.5">\n{paragraphs}</body></html>\n'
    )


def _attach(mail: EmailMessage, media: Media, number: int) -> None:
    if not media.content:
        raise SendError(SendErrorCode.UNSUPPORTED, retryable=False, detail=f"{media.kind} without a content")
    content_type = media.content_type.lower() if _TYPE.fullmatch(media.content_type.lower()) else "application/octet-stream"
    if content_type.startswith(("multipart/", "message/")):
        content_type = "application/octet-stream"
    main, _, sub = content_type.partition("/")
    mail.add_attachment(media.content, maintype=main, subtype=sub, filename=safe_name(media.name, number, content_type), cte="base64")
