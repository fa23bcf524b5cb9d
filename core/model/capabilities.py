"""What a kind of channel can do, as data: the renderer, the turn and the dispatcher read it and never ask for a kind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.model.address import Strength


class Family(StrEnum):
    """The medium as a customer sees it; flows name response variations and rules by it. Also TMF683's media type."""

    SMS = "sms"
    USSD = "ussd"
    VOICE = "ivr"
    WEB = "web"
    TELEGRAM = "telegram"
    WHATSAPP = "whatsapp"
    EMAIL = "email"
    CONSOLE = "console"


class ChoiceStyle(StrEnum):
    """How options are offered: as numbered lines of the text, or as buttons beside it."""

    NUMBERED = "numbered"
    BUTTONS = "buttons"


class OnUnknown(StrEnum):
    """What to do with a send whose outcome is unknown."""

    REPEAT = "repeat"
    ONCE = "once"
    KEYED = "keyed"


@dataclass(frozen=True, slots=True)
class FileLimits:
    """What a channel takes of the files that we send: their types and bytes, and the kinds beside which there can be text."""

    types: frozenset[str] = frozenset()  # empty: any
    max_bytes: int = 0  # 0: as many as are kept
    captioned: frozenset[str] = frozenset({"image", "audio", "video", "document"})
    caption_max_chars: int = 0  # 0: as many as without a file
    heard_within_ms: int = 0  # they go only so long after the person wrote; 0: at any time
    by_address: bool = False  # the provider fetches them from us, instead of being handed their bytes


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Limits and abilities of one kind of channel.

    `text_max_chars` is the hard limit of one message, `text_budget_chars` what a renderer should keep to (USSD: 182 and
    160 GSM-7 characters). `answer_deadline_s` is the time from the request to the last moment an inline answer is of use.
    """

    family: Family
    text_max_chars: int
    text_budget_chars: int
    gsm7: bool = False
    choices: ChoiceStyle = ChoiceStyle.NUMBERED
    choices_max: int = 10
    media: frozenset[str] = frozenset()  # kinds of attachments that can be sent
    file_limits: FileLimits = FileLimits()
    inline_reply: bool = False  # replies travel in the answer to the request
    outbound: bool = True  # messages can be sent at any time
    pulled: bool = False  # the customer's client reads the record itself: committing is sending
    session: bool = False  # the transport has sessions that end (USSD, voice)
    answer_deadline_s: float | None = None
    hold_s: float = 0.0  # how long beyond the deadline a person can be kept waiting, by an answer that makes the provider ask again
    shares_number: bool = False  # people can share their own number, which the provider then vouches for
    merge_replies: bool = False  # the replies of one turn become one message
    delivery_reports: bool = False
    on_unknown: OnUnknown = OnUnknown.REPEAT
    parts_wait_s: float = 0.0  # how long the parts of a long message wait for each other; 0: messages arrive whole
    methods: frozenset[str] = frozenset({"POST"})  # of HTTP, by which the provider calls
    provider_retries: str = "none"  # a sentence for operators
    body_max_bytes: int = 0  # what one request of the provider may have where that is more than the setting allows; 0: no more
    parsed_later: bool = False  # requests are kept and acknowledged first, and taken apart in a process of their own
    sends_per_s: float = 0.0  # what the provider takes from one account; 0: no limit
    sends_per_recipient_s: float = 0.0  # what it takes for one recipient; 0: no limit
    throttles_recipient: frozenset[str] = frozenset()  # provider codes by which it wants less for one recipient, not for the account
    resend_codes: frozenset[str] = frozenset()  # provider codes of a failure after which another form of the message may pass, once
    calls: bool = False  # people can be called, which only an agent decides
    records: bool = False  # the person can leave a spoken message
    transfers: frozenset[str] = frozenset()  # queues whose people can be called on the phone; an empty name is any other
    lines: frozenset[str] = frozenset()  # queues whose callers wait on the phone until somebody takes them; an empty name is any other
    secrets_allowed: bool = False  # PINs and codes may be typed here
    sender_strength: Strength = Strength.CLAIMED  # what a sender address on this channel proves by itself

    def through(self, queue: str, *, attended: bool) -> bool:
        """Tell whether a caller for `queue` can be put through: to its phone, or to a line of callers while people are at work."""
        entry = queue if queue in self.transfers | self.lines else ""
        return entry in self.transfers or (attended and entry in self.lines)
