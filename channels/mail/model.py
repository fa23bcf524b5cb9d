"""What is understood of a mail, as values, and the caps under which it is read.

Everything in these values is what the sender claims. Must not hold behaviour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

RAW_BYTES_MAX = 10 * 1024 * 1024
HEADERS_BYTES_MAX = 100_000
HEADER_BYTES_MAX = 8_000
PARTS_MAX = 100
DEPTH_MAX = 20
ADDRESSES_MAX = 100
PIECES_MAX = 50  # of one parameter value, RFC 2231
WORDS_MAX = 200  # encoded words of one header, RFC 2047
TEXT_CHARS_MAX = 500_000  # of one body; what people write ends long before
TEXT_LINES_MAX = 20_000  # that are looked at for quotations and signatures
BODY_BYTES_MAX = 2_000_000  # of one plain body, before its characters are counted
HTML_CHARS_MAX = 1_000_000  # of one HTML body, when long tags (pictures written out) have been shortened
HTML_TAGS_MAX = 50_000
TAG_CHARS_MAX = 2_000
SAFE_HTML_CHARS_MAX = 50_000
SAFE_HTML_TAGS_MAX = 5_000


class Kind(StrEnum):
    """What wrote a mail. Only one of a person is ever answered."""

    PERSON = "person"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    LIST = "list"


class Cap(StrEnum):
    """A limit that a mail went over; what lies beyond it was not read."""

    RAW = "raw"
    HEADERS = "headers"
    HEADER = "header"
    PARTS = "parts"
    DEPTH = "depth"
    ADDRESSES = "addresses"
    PIECES = "pieces"
    WORDS = "words"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address with the name that the sender gave to it; the name may be empty."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail: `name` is safe as a file name, `content_type` follows the content where it is known, `size` is in bytes."""

    name: str
    content_type: str
    size: int
    content_id: str = ""
    inline: bool = False
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Failure:
    """What a bounce or complaint is about: the address, the status as in RFC 3463 (`5.1.1`), and if trying again is of no use.

    `cause` is the status that the server's words stand for, where the one that it gives says nothing (`5.0.0`).
    """

    address: str = ""
    status: str = ""
    permanent: bool = False
    message_id: str = ""  # of the mail that came back
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Divided:
    """A body taken apart: what its author wrote now, what is quoted or forwarded, and signature with disclaimers."""

    text: str = ""
    quoted: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. Ids are without angle brackets; `body` is the whole text, of which `divided` are the pieces.

    `through` are the names of the lists that a person's mail came through, and `author` is who wrote it, where From has the list's address.
    """

    sender: Mailbox = Mailbox("")
    reply_to: tuple[Mailbox, ...] = ()
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    subject: str = ""
    date: datetime | None = None
    message_id: str = ""
    references: tuple[str, ...] = ()
    in_reply_to: tuple[str, ...] = ()
    body: str = ""
    safe_html: str = ""
    divided: Divided = Divided()
    attachments: tuple[Attachment, ...] = ()
    kind: Kind = Kind.PERSON
    failures: tuple[Failure, ...] = ()
    through: tuple[str, ...] = ()
    author: Mailbox | None = None
    over: frozenset[Cap] = frozenset()
