"""Calls through Twilio: signed webhooks in, TwiML out; keys and words are messages of a session that is the call.

A caller who hides their number is a new visitor in every call, never one person with all the others. What people key in is in the request
alone. Must not answer with silence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

from channels import forms, numbers, texts, twilio_hooks, twilio_media
from channels.twilio_hooks import one
from core.model.adapter import MediaSource
from core.model.address import Address, AddressKind
from core.model.capabilities import Capabilities, Family
from core.model.ids import ChannelId
from core.model.inbound import ContactSignal, Ignored, InboundEvent, InboundMessage, Media, RawRequest, Session, UnreadableRequest
from core.model.outbound import Answer, OutboundMessage, SendError, SendErrorCode, SendResult

TEXT_CHARS_MAX = 1_500
_ONCE = (
    "AccountSid", "AnsweredBy", "CallSid", "CallStatus", "CallbackSource", "CallerName", "DialBridged", "DialCallDuration",
    "DialCallStatus", "Digits", "Direction", "From", "RecordingUrl", "SpeechResult", "To",
)  # fmt: skip
_SID = re.compile(r"CA[0-9A-Za-z]{1,32}")  # no room for a neighbouring field that a forger lets run into it
_KEYS = re.compile(r"[0-9A-D*#]{0,64}")
_ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_NOT_REACHED = frozenset({"busy", "no-answer", "failed", "canceled"})
_SECONDS = re.compile(r"[0-9]{1,6}")
_MACHINES = ("machine", "fax")
_VOIP_CHARS_MAX = 200
_HIDDEN_WORDS = ("anonymous", "restricted", "unavailable", "unknown", "private", "blocked")
HOLD = "hold"  # what somebody comes back for who was asked to wait
WHISPER, TAKE, DIALLED = "whisper", "take", "dialled"  # one of our people picks up, takes the call or not; what came of it
_KEYPAD = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
_HIDDEN = frozenset({*_HIDDEN_WORDS, *(f"+{word.translate(_KEYPAD)}" for word in _HIDDEN_WORDS)})  # some networks spell it in digits


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
            "doc": "Phones of people by queue, such as `billing +254711000222`, and `* +254711000333` for all others; none: no call is put"
            " through.",
            "pattern": r"([a-z0-9_-]{1,60}|\*) \+[1-9][0-9]{6,14}",
        },
    )
    dial_timeout_s: int = field(default=20, metadata={"doc": "Seconds that a phone of ours rings.", "least": 5, "most": 60})
    answer_deadline_s: float = field(
        default=4.0, metadata={"doc": "Seconds of silence after which a caller must hear something.", "least": 1, "most": 10}
    )
    hold_s: float = field(
        default=30.0,
        metadata={
            "doc": "Seconds that a caller may be asked to wait for a result, again and again; after that it follows by SMS.",
            "least": 0,
            "most": 300,
        },
    )

    def numbers(self) -> dict[str, str]:
        """Return the phones of people by queue, under an empty name that for all others."""
        pairs = (entry.split(" ") for entry in self.dial)
        return {"" if queue == "*" else queue: number for queue, number in pairs}

    def __post_init__(self) -> None:
        twilio_hooks.ApiAccount.__post_init__(self)
        for name in ("otherwise", "sorry"):
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


class VoiceTwilio:
    """The adapter of one number that people call."""

    kind = "voice_twilio"

    def __init__(self, our_address: Address, settings: Settings, default_region: str, documents: Documents) -> None:
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
            records=True,
            transfers=frozenset(settings.numbers()),
            secrets_allowed=True,
            provider_retries="none for an answer that is late; then the fallback URL of the number, if it has one",
        )
        self._account = settings
        self._address = our_address
        self._region = default_region
        self._documents = documents
        self._sorry = _twiml(documents.last_words(settings.sorry))
        self._forms = forms.LastForm()
        self._signed = twilio_hooks.Signed(settings, _ONCE, self._forms)

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` unless Twilio signed the request, for our account and our number."""
        form = self._signed.form_of(request)
        if form is not None and not _is_verdict(form):
            twilio_hooks.check_parties(form, "From" if _is_ours(form) else "To", self._address.value)

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Return what a caller keyed in or said, that they said nothing, or that the call is over."""
        return _events(request, self._region, self._forms)

    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        """Return TwiML that says the replies, then listens or hangs up."""
        return _twiml(self._documents.answer(replies))

    def sorry(self) -> Answer:
        """Return TwiML that asks to call again, then hangs up."""
        return self._sorry

    def whisper(self, message_id: str, text: str, language: str) -> Answer:
        """Return TwiML that tells one of our people what a call is about and asks for one key."""
        return _twiml(self._documents.whisper(message_id, text, language))

    def connect(self, *, taken: bool) -> Answer:
        """Return TwiML that connects one of our people with the caller, or hangs up."""
        return _twiml(self._documents.connect(taken=taken))

    async def media_source(self, media: Media) -> MediaSource:
        """Say from where a spoken message is fetched."""
        return twilio_media.source(self._account, media)

    async def send(self, message: OutboundMessage) -> SendResult:
        """Raise `SendError`: nothing can be said outside a call."""
        raise SendError(SendErrorCode.UNSUPPORTED, retryable=False, detail=f"{message.id}: a voice answers only within a call")


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> VoiceTwilio:
    """Build the adapter of a number; raises ValueError for an address that nobody can call."""
    from channels.voice_twiml import Dials, Twiml  # noqa: PLC0415 - the library is for configured channels only

    del channel_id  # Twilio knows the channel by its URL and number
    if our_address.kind not in {AddressKind.MSISDN, AddressKind.SHORT_CODE}:
        raise ValueError(f"the address of a voice channel is a phone number, not {our_address}")
    dials = Dials(settings.numbers(), settings.dial_timeout_s)
    return VoiceTwilio(our_address, settings, default_region, Twiml(settings.voices, public_url, settings.otherwise, dials))


def _twiml(body: bytes) -> Answer:
    return Answer(content_type="text/xml; charset=utf-8", body=body)


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    return _events(request, default_region, forms.LastForm())


def _events(request: RawRequest, region: str, last_form: forms.LastForm) -> Sequence[InboundEvent]:
    form = twilio_hooks.read(request, last_form)
    call = one(form, "CallSid")
    if not _SID.fullmatch(call):
        raise UnreadableRequest("bad_call_sid")
    if _is_verdict(form):
        return [Ignored("answering_machine")]
    ends = ("To", "From") if _is_ours(form) else ("From", "To")
    person, here = (_party(one(form, name), region, call) for name in ends)
    if person is None or here is None:
        raise UnreadableRequest("bad_number", ends[0] if person is None else ends[1])
    status, answered_by = one(form, "CallStatus").lower(), one(form, "AnsweredBy").lower()
    if status in _ENDED or answered_by.startswith(_MACHINES):
        over = status if status in _ENDED else answered_by[:40]
        end = ContactSignal(f"{call}:end", person, here, "hung_up", session_id=call, value=over)
        asked = twilio_hooks.our_id(request.url)
        if asked and twilio_hooks.purpose(request.url) == DIALLED:
            return [_beside(form, DIALLED, asked, person, here), end]
        left = asked and one(form, "RecordingUrl")  # a message that was ended by hanging up
        return [_said(request, form, call, person, here), end] if left else [end]
    if "CallbackSource" in form:
        return [Ignored("call_progress")]
    asked, why = twilio_hooks.our_id(request.url), twilio_hooks.purpose(request.url)
    if asked is not None and why in {HOLD, WHISPER, TAKE, DIALLED}:
        return [_beside(form, why, asked, person, here)]
    return [_said(request, form, call, person, here)]


def _beside(form: forms.Form, why: str, asked: str, person: Address, here: Address) -> ContactSignal:
    """Return what happens beside the talk of a call, about our message `asked`."""
    call = one(form, "CallSid")
    if why == HOLD:
        return ContactSignal(f"hold:{asked}", person, here, "holding", session_id=call, value=asked)
    if why != DIALLED:
        return ContactSignal(f"{call}:{why}", person, here, why, session_id=call, value=asked, text=one(form, "Digits"))
    status, seconds = one(form, "DialCallStatus").lower(), one(form, "DialCallDuration")
    talked = status in {"completed", "answered"} and one(form, "DialBridged").lower() != "false"
    gone = one(form, "CallStatus").lower() in _ENDED
    outcome = "completed" if talked else "abandoned" if gone else status if status in _NOT_REACHED else "no-answer"
    value = f"{outcome} {int(seconds) if _SECONDS.fullmatch(seconds) else 0}"
    return ContactSignal(f"{call}:{why}:{asked}", person, here, why, session_id=call, value=value)


def _recording(form: forms.Form) -> tuple[Media, ...]:
    """Return the spoken message that was left; Twilio keeps it, and gives it as MP3 where that is asked for."""
    url = one(form, "RecordingUrl")
    return (Media("audio", url if url.endswith(".mp3") else f"{url}.mp3", "audio/mpeg"),) if url else ()


def _said(request: RawRequest, form: forms.Form, call: str, person: Address, here: Address) -> InboundMessage:
    """Return a call that begins, or the answer to a prompt: the keys, else the words, else the silence."""
    media = _recording(form)
    keys = "" if media else one(form, "Digits")  # the key that ends a message is no answer
    if not _KEYS.fullmatch(keys):
        raise UnreadableRequest("bad_keys")
    prompt = twilio_hooks.our_id(request.url)
    answers = prompt is not None or "Digits" in form or "SpeechResult" in form
    cause = prompt or blake2b(request.body, digest_size=8).hexdigest()
    return InboundMessage(
        external_id=f"{call}:{cause}" if answers else call,
        sender=person,
        recipient=here,
        text=keys or texts.clean(one(form, "SpeechResult")),
        media=media,
        session=Session.RESUME if answers else Session.NEW,
        session_id=call,
        profile_name=texts.clean(one(form, "CallerName")).strip()[:100] or None,
    )


def _is_ours(form: forms.Form) -> bool:
    """Tell whether we made the call, so that the person is at the other end."""
    return one(form, "Direction").startswith("outbound")


def _is_verdict(form: forms.Form) -> bool:
    """Tell whether this is word of who picked up, sent beside the call: it names no numbers."""
    return "AnsweredBy" in form and "From" not in form and "To" not in form


def _party(text: str, region: str, call: str) -> Address | None:
    """Return the address of one end of a call; a hidden number is a visitor of this call alone."""
    text = text.strip()
    name = text.removeprefix("client:").lower()
    if name in _HIDDEN or name.startswith(tuple(f"sip:{word}@" for word in _HIDDEN_WORDS)):
        return Address(AddressKind.VISITOR, call)
    if text.startswith(("sip:", "client:")):
        address = text.partition(";")[0]
        return Address(AddressKind.SIP, address) if len(address) <= _VOIP_CHARS_MAX and address.isprintable() else None
    return numbers.sender(text, region)
