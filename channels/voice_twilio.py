"""Calls through Twilio: signed webhooks in, TwiML out; keys and words are messages of a session that is the call.

A caller who hides their number is a new visitor in every call, never one person with all the others. What people key in is in the request
alone. Must not answer with silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from channels import forms, twilio_hooks, twilio_media
from channels.voice_events import CALLED, FETCHED, ONCE, STATUS, events, is_ours, is_verdict
from core.model.adapter import MediaSource
from core.model.address import Address, AddressKind
from core.model.capabilities import Capabilities, Family, OnUnknown
from core.model.ids import ChannelId
from core.model.inbound import InboundEvent, Media, RawRequest
from core.model.outbound import Answer, OutboundMessage, SendError, SendErrorCode, SendResult

TEXT_CHARS_MAX = 1_500
QUEUE = "queue:"  # before the name of a queue at Twilio


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(twilio_hooks.ApiAccount):
    """Settings of a number at Twilio that people call; its address is that number."""

    voices: tuple[str, ...] = field(
        default=("en-US", "fr-FR"),
        metadata={
            "doc": "For each language Twilio's tag of it, and a voice if wanted, such as `en-GB Polly.Amy`.",
            "pattern": r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*( [A-Za-z0-9._-]{1,60})?",
        },
    )
    otherwise: str = field(
        default="Thank you for calling. We will get back to you. Goodbye.",
        metadata={"doc": "What is said, in the first of the voices, where there is nothing else to say."},
    )
    sorry: str = field(
        default="The service is not available at the moment. Please try again later. Goodbye.",
        metadata={"doc": "What is said, in the first of the voices, when a call cannot be served at all."},
    )
    dial: tuple[str, ...] = field(
        default=(),
        metadata={
            "doc": "Where callers are put through, by queue: a phone, as in `billing +254711000222`, or a queue at Twilio in which they"
            " wait for who takes them, as in `technical queue:technical`; `* …` for all others; none: no call is put through.",
            "pattern": r"([a-z0-9_-]{1,60}|\*) (\+[1-9][0-9]{6,14}|queue:[A-Za-z0-9_-]{1,64})",
        },
    )
    dial_words: str = field(
        default="A customer is on the line. Press 1 to take the call.",
        metadata={"doc": "What a colleague hears first, in the first of the voices, who is called for a customer whom an agent calls."},
    )
    music: str = field(
        default="",
        metadata={
            "doc": "Web address of the music that callers hear in a queue, between the sentences; none: silence.",
            "pattern": r"(https?://[^\s\"<>]+)?",
        },
    )
    dial_timeout_s: int = field(default=20, metadata={"doc": "Seconds that a phone of ours rings.", "least": 5, "most": 60})
    answer_deadline_s: float = field(
        default=0.7, metadata={"doc": "Seconds after which a caller is asked to wait for an answer.", "least": 0.2, "most": 10}
    )
    hold_s: float = field(
        default=30.0,
        metadata={
            "doc": "Seconds that a caller may be asked to wait for a result, again and again; after that it follows by SMS.",
            "least": 0,
            "most": 300,
        },
    )

    def targets(self) -> dict[str, str]:
        """Return where callers are put through by queue, under an empty name that for all others: a phone, or `queue:` and a name."""
        pairs = (entry.split(" ") for entry in self.dial)
        return {"" if queue == "*" else queue: target for queue, target in pairs}

    def __post_init__(self) -> None:
        twilio_hooks.ApiAccount.__post_init__(self)
        if len(self.targets()) < len(self.dial):
            raise ValueError("dial names a queue twice")
        for name in ("otherwise", "sorry", "dial_words"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name} must be a sentence")


class Documents(Protocol):
    """What makes TwiML: the only part that needs Twilio's library."""

    def answer(self, messages: Sequence[OutboundMessage]) -> bytes:
        """Say messages, then do what they ask for."""
        ...

    def last_words(self, text: str) -> bytes:
        """Say a text and hang up."""
        ...

    def whisper(self, message_id: str, text: str, language: str) -> bytes:
        """Tell one of our people of a caller."""
        ...

    def connect(self, *, taken: bool) -> bytes:
        """Connect them, or not."""
        ...

    def waiting(self, message: OutboundMessage) -> bytes:
        """Speak to a caller in a queue, and listen for a key."""
        ...

    def leave(self) -> bytes:
        """Take a caller out of a queue."""
        ...


class Rest(Protocol):
    """What makes calls, also a part that needs Twilio's library."""

    async def call(self, *, to: str, from_: str, url: str, status_callback: str, ring_s: int) -> str:
        """Call a number and return the id of the call; raises `SendError`."""
        ...

    async def redirect(self, call: str, url: str) -> bool:
        """Have a call ask `url` what is next; False if it is over. Raises `SendError`."""
        ...

    async def close(self) -> None:
        """End all connections."""
        ...


class VoiceTwilio:
    """The adapter of one number that people call."""

    kind = "voice_twilio"

    def __init__(self, our_address: Address, settings: Settings, default_region: str, documents: Documents, rest: Rest, hook: str) -> None:
        self.capabilities = Capabilities(
            family=Family.VOICE,
            text_max_chars=TEXT_CHARS_MAX,
            text_budget_chars=300,
            choices_max=5,
            inline_reply=True,
            outbound=False,
            session=True,
            answer_deadline_s=settings.answer_deadline_s,
            hold_s=settings.hold_s,
            merge_replies=True,
            calls=True,
            delivery_reports=True,
            on_unknown=OnUnknown.ONCE,
            records=True,
            transfers=frozenset(queue for queue, target in settings.targets().items() if not target.startswith(QUEUE)),
            lines=frozenset(queue for queue, target in settings.targets().items() if target.startswith(QUEUE)),
            secrets_allowed=True,
            methods=twilio_hooks.METHODS,
            provider_retries="none for an answer that is late; then the fallback URL of the number, if it has one",
        )
        self._account = settings
        self._address = our_address
        self._region = default_region
        self._documents = documents
        self._rest = rest
        self._hook = hook
        self._sorry = _twiml(documents.last_words(settings.sorry))
        self._forms = forms.LastForm()
        self._signed = twilio_hooks.Signed(settings, ONCE, self._forms)

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` unless Twilio signed the request, for our account and our number."""
        form = self._signed.form_of(request)
        if form is not None and not is_verdict(form):
            twilio_hooks.check_parties(form, "From" if is_ours(form) else "To", self._address.value)

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Return what a caller keyed in or said, that they said nothing, or that the call is over."""
        return events(request, self._region, self._forms)

    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        """Return TwiML that says the replies, then listens or hangs up."""
        return _twiml(self._documents.answer(replies))

    def sorry(self) -> Answer:
        """Return TwiML that asks to call again, then hangs up."""
        return self._sorry

    def whisper(self, message_id: str, text: str, language: str) -> Answer:
        """Return TwiML that tells one of our people what a call is about and asks for one key."""
        words = (text, language) if text else (self._account.dial_words, "")
        return _twiml(self._documents.whisper(message_id, *words))

    def connect(self, *, taken: bool) -> Answer:
        """Return TwiML that connects one of our people with the caller, or hangs up."""
        return _twiml(self._documents.connect(taken=taken))

    def waiting(self, message: OutboundMessage) -> Answer:
        """Return TwiML that speaks to a caller in a queue and listens for a key."""
        return _twiml(self._documents.waiting(message))

    def leave(self) -> Answer:
        """Return TwiML that takes a caller out of a queue."""
        return _twiml(self._documents.leave())

    async def fetch(self, call: str, message_id: str) -> bool:
        """Call a caller out of a queue, who was put there by a message; False if the call is over. Raises `SendError`."""
        return await self._rest.redirect(call, twilio_hooks.url_for(self._hook, message_id, FETCHED))

    async def media_source(self, media: Media) -> MediaSource:
        """Say from where a spoken message is fetched."""
        return twilio_media.source(self._account, media)

    async def send(self, message: OutboundMessage) -> SendResult:
        """Call the recipient, who hears the message; raises `SendError`."""
        text = message.reply.text
        if not text.strip():
            raise SendError(SendErrorCode.UNSUPPORTED, retryable=False, detail=f"{message.id}: there is nothing to say")
        if len(text) > TEXT_CHARS_MAX:
            raise SendError(SendErrorCode.TOO_LONG, retryable=False, detail=f"{len(text)} characters, at most {TEXT_CHARS_MAX}")
        sid = await self._rest.call(
            to=message.recipient.value,
            from_=message.sender.value,
            url=twilio_hooks.url_for(self._hook, message.id, CALLED),
            status_callback=twilio_hooks.url_for(self._hook, message.id, STATUS),
            ring_s=self._account.dial_timeout_s,
        )
        return SendResult(external_id=sid)

    async def close(self) -> None:
        """End the connections to Twilio."""
        await self._rest.close()


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> VoiceTwilio:
    """Build the adapter of a number; raises ValueError for an address that nobody can call."""
    from channels.twilio_rest import connect  # noqa: PLC0415 - the library is for configured channels only
    from channels.voice_twiml import Dials, Twiml  # noqa: PLC0415 - as above

    del channel_id  # Twilio knows the channel by its URL and number
    if our_address.kind not in {AddressKind.MSISDN, AddressKind.SHORT_CODE}:
        raise ValueError(f"the address of a voice channel is a phone number, not {our_address}")
    dials = Dials(settings.targets(), settings.dial_timeout_s, settings.music)
    documents = Twiml(settings.voices, public_url, settings.otherwise, dials)
    return VoiceTwilio(our_address, settings, default_region, documents, connect(settings), public_url)


def _twiml(body: bytes) -> Answer:
    return Answer(content_type="text/xml; charset=utf-8", body=body)


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    return events(request, default_region, forms.LastForm())
