"""What leaves: replies, addressed messages, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.model.address import Address
from core.model.ids import MessageId
from core.model.inbound import Letter, Media


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a prompt. `key` is what a person types, `token` what a button sends (opaque, at most 64 bytes)."""

    key: str
    label: str
    token: str


@dataclass(frozen=True, slots=True)
class Listen:
    """How a call waits for the answer to a prompt.

    `timeout_s` of silence are no answer; `digits` is the most keys of an answer, None where that is not known; with `keys_only` nothing
    that is spoken counts. With `record_s` the answer is a spoken message of at most so many seconds, which is kept as it is.
    """

    timeout_s: float = 7.0
    digits: int | None = None
    keys_only: bool = False
    record_s: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a dialog says on one channel. `choices` is filled only for channels with buttons; elsewhere the options are part of `text`.

    `listen` is filled only on the phone, with an open prompt; there `text` is what is spoken.
    """

    text: str
    choices: tuple[Choice, ...] = ()
    media: tuple[Media, ...] = ()
    ends_session: bool = False
    language: str = "en"
    sensitive: bool = False  # shown masked in record, log and desk
    listen: Listen | None = None
    asks_number: str = ""  # label of the button by which people share their own number, on channels that have one
    transfer: str | None = None  # the queue to whose people the call is put through, or the phone of one of them, in E.164
    holds: bool = False  # the person is asked to wait: the provider is to ask again for what follows


class Author(StrEnum):
    """Who wrote a message."""

    CUSTOMER = "customer"
    BOT = "bot"
    AGENT = "agent"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """A message ready for an adapter: addressed, rendered, with our id, which the provider gives back in its reports.

    `letter` is the mail that is answered, on a channel of mails. `heard_at` is when the recipient last wrote on this channel, ms UTC;
    filled where a time without a word from them closes the channel to free text, and None if they never wrote or it is closed.
    `author` is who speaks; a machine says so where the channel has a word for it.
    """

    id: MessageId
    sender: Address
    recipient: Address
    reply: Reply
    attempt: int = 1
    letter: Letter | None = None
    heard_at: int | None = None
    author: Author = Author.BOT


@dataclass(frozen=True, slots=True)
class SendResult:
    """The provider has taken the message. `external_id` is its id for it, empty where it gives none."""

    external_id: str
    status: str = "accepted"


class SendErrorCode(StrEnum):
    """Why a send failed: a closed vocabulary; a provider's own code goes into `provider_code`."""

    NOT_CONNECTED = "not_connected"  # nothing was transmitted for sure
    TIMEOUT = "timeout"  # transmitted, no answer: the outcome is unknown
    THROTTLED = "throttled"
    PROVIDER_DOWN = "provider_down"
    UNREADABLE_ANSWER = "unreadable_answer"
    BAD_CREDENTIALS = "bad_credentials"
    BAD_ADDRESS = "bad_address"
    OPTED_OUT = "opted_out"
    REFUSED = "refused"
    TOO_LONG = "too_long"
    UNSUPPORTED = "unsupported"


class SendError(Exception):
    """One attempt failed. `retryable`: trying again may help. `unknown`: it may have been sent. `ours`: our configuration is at fault.

    `retry_after_s` is the provider's own wish. The dispatcher decides; an adapter never retries.
    """

    def __init__(
        self,
        code: SendErrorCode,
        *,
        retryable: bool,
        unknown: bool = False,
        ours: bool = False,
        provider_code: str = "",
        retry_after_s: float | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(f"{code}: {detail}" if detail else str(code))
        self.code = code
        self.retryable = retryable
        self.unknown = unknown
        self.ours = ours
        self.provider_code = provider_code
        self.retry_after_s = retry_after_s
        self.detail = detail


class DeliveryStatus(StrEnum):
    """Where an outbound message stands."""

    QUEUED = "queued"
    SENDING = "sending"
    RETRY_WAIT = "retry_wait"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    SENT = "sent"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    DELIVERED = "delivered"
    READ = "read"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Answer:
    """The HTTP answer of a webhook, stored with the message so that a repeated request gets the same bytes."""

    status: int = 200
    content_type: str = "text/plain; charset=utf-8"
    body: bytes = b""
