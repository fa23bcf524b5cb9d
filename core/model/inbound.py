"""What arrives: the raw request, and the events that an adapter makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.model.address import Address


@dataclass(frozen=True, slots=True)
class RawRequest:
    """One request as received. `url` is the public one that was signed; header names are in lower case; `received_at` in ms UTC."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    received_at: int
    remote: str = ""


class Session(StrEnum):
    """Where a message stands in its transport session."""

    NONE = "none"
    NEW = "new"
    RESUME = "resume"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Media:
    """Something that is not text: mostly a reference that a job fetches later; `content` where it came with the message itself."""

    kind: str  # image, audio, video, document, location, contact
    url: str = ""
    content_type: str = ""
    caption: str = ""
    name: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail has besides its text. Ids are without angle brackets; all of it is what the sender claims.

    `references` are In-Reply-To and References, the nearest first. `token` is the thread named by the address that the mail was sent to.
    `automatic` is empty for a mail that a person wrote, else its kind (auto_reply, bounce, complaint, list, unreadable): never answered.
    `through` are the addresses and ids of the lists that a person's mail came through; if all are ours, it is a person's after all, of
    whom `author` and `author_name` tell where From has the list's address.
    """

    mail_id: str = ""
    subject: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    token: str = ""
    automatic: str = ""
    through: tuple[str, ...] = ()
    author: str = ""
    author_name: str = ""
    quoted: str = ""
    signature: str = ""
    safe_html: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a long message a message is: number `number` of `total`, from 1; `series` is the same for all that one sender wrote."""

    series: str
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A customer said something. `choice` is an opaque option token; `cumulative` says that `text` is the whole session's input so far."""

    external_id: str
    sender: Address
    recipient: Address
    text: str = ""
    choice: str | None = None
    media: tuple[Media, ...] = ()
    session: Session = Session.NONE
    session_id: str | None = None
    cumulative: bool = False
    sent_at: int | None = None
    profile_name: str | None = None
    language_hint: str | None = None
    edits: str | None = None  # the `edit_key` of the message that this one corrects
    edit_key: str | None = None  # what a later correction will name this message by
    part: Part | None = None  # of a long message, where the provider does not join them
    letter: Letter | None = None


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """The provider tells what became of a message of ours. `message_id` is our own id where the provider returned it."""

    external_id: str
    status: str  # a DeliveryStatus value
    message_id: str | None = None
    code: str | None = None
    at: int | None = None
    recipient: Address | None = None  # to whom it went, as the report says
    verdict: str = ""  # what it says of that address: `unreachable`, `opted_out`; counts only if the message went there


@dataclass(frozen=True, slots=True)
class ContactSignal:
    """Something other than a message: `opted_out`, `opted_in`, `typing`, `joined`, `read`, `hung_up`, and in calls eight more.

    `holding` is a person who was asked to wait by our message `value` and now asks for what follows. `whisper` is one of our people
    who picked up for a caller whom message `value` put through, `take` their answer, in `text`. `dialled` is what came of it: `value`
    is completed, or why not, and the seconds. `answered` is somebody whom message `value` called: `text` is person, machine or fax.
    `waiting` is a caller who stands in a queue because of message `value`, at place `text`; `leave` is a key that they press there, in
    `text`, and `fetched` a caller who was called out of it for one of our people.
    """

    external_id: str
    sender: Address
    recipient: Address
    signal: str
    session_id: str | None = None
    value: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Strange but harmless input, with the reason as a stable code."""

    reason: str


InboundEvent = InboundMessage | DeliveryReport | ContactSignal | Ignored


class AuthenticationFailed(Exception):
    """The request is not from the provider. `code` is stable; the text is for operators and names no secret."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


class UnreadableRequest(Exception):
    """An authenticated body that the adapter cannot read: it is kept raw, answered 2xx and shown to operators."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
