"""Reads what Twilio asks and tells about calls: keys and words, silence, spoken messages, how a call goes on and ends.

A caller who hides their number is a new visitor in every call, never one person with all the others. Must not know TwiML, nor a setting.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b

from channels import forms, numbers, texts, twilio_hooks
from channels.twilio_hooks import one
from core.model.address import Address, AddressKind
from core.model.inbound import (
    ContactSignal,
    DeliveryReport,
    Ignored,
    InboundEvent,
    InboundMessage,
    Media,
    RawRequest,
    Session,
    UnreadableRequest,
)
from core.model.outbound import DeliveryStatus

ONCE = (
    "AccountSid", "AnsweredBy", "CallSid", "CallStatus", "CallbackSource", "CallerName", "DialBridged", "DialCallDuration",
    "DialCallStatus", "Digits", "Direction", "From", "QueuePosition", "QueueResult", "RecordingUrl", "SpeechResult", "To",
)  # fmt: skip
_SID = re.compile(r"CA[0-9A-Za-z]{1,32}")  # no room for a neighbouring field that a forger lets run into it
_KEYS = re.compile(r"[0-9A-D*#]{0,64}")
_ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_PROGRESS = {
    "queued": DeliveryStatus.ACCEPTED,
    "initiated": DeliveryStatus.ACCEPTED,
    "ringing": DeliveryStatus.SENT,
    "in-progress": DeliveryStatus.DELIVERED,
    "answered": DeliveryStatus.DELIVERED,
    "completed": DeliveryStatus.DELIVERED,
    **dict.fromkeys(("busy", "no-answer", "failed", "canceled"), DeliveryStatus.FAILED),
}
_NOT_REACHED = frozenset({"busy", "no-answer", "failed", "canceled"})
_SECONDS = re.compile(r"[0-9]{1,6}")
_MACHINES = ("machine", "fax")
_VOIP_CHARS_MAX = 200
HOLD = "hold"  # what somebody comes back for who was asked to wait
CALLED, STATUS = "called", "status"  # somebody whom we called answers; how the call goes on
WHISPER, TAKE, DIALLED = "whisper", "take", "dialled"  # one of our people picks up, takes the call or not; what came of it
WAITING, LEAVE, FETCHED = "waiting", "leave", "fetched"  # a caller in a queue: what they hear, a key, called out of it by us
_BESIDE = frozenset({HOLD, WHISPER, TAKE, DIALLED, WAITING, LEAVE, FETCHED})
_OF_QUEUE = {
    **dict.fromkeys(("bridged", "bridging-in-process", "redirected-from-bridged"), "completed"),
    "hangup": "abandoned",
    "leave": "left",
    "queue-full": "full",
}


def events(request: RawRequest, region: str, last_form: forms.LastForm) -> Sequence[InboundEvent]:
    """Return the events of a request, whose form may have been read before; raises `UnreadableRequest`."""
    form = twilio_hooks.read(request, last_form)
    call = one(form, "CallSid")
    if not _SID.fullmatch(call):
        raise UnreadableRequest("bad_call_sid")
    if is_verdict(form):
        return [Ignored("answering_machine" if "AnsweredBy" in form else "call_progress")]
    ends = ("To", "From") if is_ours(form) else ("From", "To")
    person, here = (_party(one(form, name), region, call) for name in ends)
    if person is None or here is None:
        raise UnreadableRequest("bad_number", ends[0] if person is None else ends[1])
    status, answered_by = one(form, "CallStatus").lower(), one(form, "AnsweredBy").lower()
    asked, why = twilio_hooks.our_id(request.url), twilio_hooks.purpose(request.url)
    if asked is not None and why == STATUS:
        return _progress(form, asked, status, person, here)
    if asked is not None and why == CALLED and status not in _ENDED:
        who = "fax" if answered_by.startswith("fax") else "machine" if answered_by.startswith("machine") else "person"
        return [ContactSignal(f"{call}:called", person, here, "answered", session_id=call, value=asked, text=who)]
    if status in _ENDED or answered_by.startswith(_MACHINES):
        over = status if status in _ENDED else answered_by[:40]
        end = ContactSignal(f"{call}:end", person, here, "hung_up", session_id=call, value=over)
        if asked and why == DIALLED:
            return [_beside(form, DIALLED, asked, person, here), end]
        left = asked and one(form, "RecordingUrl")  # a message that was ended by hanging up
        return [_said(request, form, call, person, here), end] if left else [end]
    if "CallbackSource" in form:
        return [Ignored("call_progress")]
    if asked is not None and why in _BESIDE:
        return [_beside(form, why, asked, person, here)]
    return [_said(request, form, call, person, here)]


def _progress(form: forms.Form, asked: str, status: str, person: Address, here: Address) -> Sequence[InboundEvent]:
    """Return how a call that we made goes on, as reports about the message that is its reason; its end is one of a session too."""
    call, told = one(form, "CallSid"), _PROGRESS.get(status)
    if told is None:
        return [Ignored("unknown_status")]
    report = DeliveryReport(call, told.value, asked, code=None if told is not DeliveryStatus.FAILED else status)
    if status not in _ENDED:
        return [report]
    return [report, ContactSignal(f"{call}:end", person, here, "hung_up", session_id=call, value=status)]


def _beside(form: forms.Form, why: str, asked: str, person: Address, here: Address) -> ContactSignal:
    """Return what happens beside the talk of a call, about our message `asked`."""
    call = one(form, "CallSid")
    if why == HOLD:
        return ContactSignal(f"hold:{asked}", person, here, "holding", session_id=call, value=asked)
    queued = one(form, "QueueResult").lower()
    if why == DIALLED and queued == "redirected":  # by us; this answer is not used, or else it is the same as where the call was sent
        why = FETCHED
    if why != DIALLED:
        text = one(form, "QueuePosition" if why == WAITING else "Digits")
        return ContactSignal(f"{call}:{why}", person, here, why, session_id=call, value=asked, text=text)
    seconds = one(form, "DialCallDuration")
    value = f"{_outcome(form, queued)} {int(seconds) if _SECONDS.fullmatch(seconds) else 0}"
    what = "queue" if queued else why  # both may end because of one message
    return ContactSignal(f"{call}:{what}:{asked}", person, here, why, session_id=call, value=value)


def _outcome(form: forms.Form, queued: str) -> str:
    """Return what came of putting a caller through: completed, or why not."""
    if queued:
        return _OF_QUEUE.get(queued, "failed")
    status = one(form, "DialCallStatus").lower()
    if status in {"completed", "answered"} and one(form, "DialBridged").lower() != "false":
        return "completed"
    gone = one(form, "CallStatus").lower() in _ENDED
    return "abandoned" if gone else status if status in _NOT_REACHED else "no-answer"


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


def is_ours(form: forms.Form) -> bool:
    """Tell whether we made the call, so that the person is at the other end."""
    return one(form, "Direction").startswith("outbound")


def is_verdict(form: forms.Form) -> bool:
    """Tell whether this is word about a call, sent beside it: who picked up, a recording, a conference, a transcript.

    It names no numbers, but for the transcript.
    """
    return "TranscriptionSid" in form or ("From" not in form and "To" not in form)


def _party(text: str, region: str, call: str) -> Address | None:
    """Return the address of one end of a call; a hidden number is a visitor of this call alone."""
    text = text.strip()
    name = text.removeprefix("client:").lower()
    if name in numbers.HIDDEN or name.startswith(tuple(f"sip:{word}@" for word in numbers.HIDDEN_WORDS)):
        return Address(AddressKind.VISITOR, call)
    if text.startswith(("sip:", "client:")):
        address = text.partition(";")[0]
        return Address(AddressKind.SIP, address) if len(address) <= _VOIP_CHARS_MAX and address.isprintable() else None
    return numbers.sender(text, region)
