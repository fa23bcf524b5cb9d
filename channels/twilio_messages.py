"""What Twilio tells of messages, on whichever of its channels: what a person sent, what they chose, and what became of ours.

Must not know how a channel writes addresses; that is passed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from channels import attachments, forms, numbers, texts
from channels.twilio_hooks import one, our_id
from core.model.address import Address
from core.model.inbound import ContactSignal, DeliveryReport, Ignored, InboundEvent, InboundMessage, Media, UnreadableRequest
from core.model.outbound import DeliveryStatus

ONCE = (
    "AccountSid", "Address", "Body", "ButtonPayload", "ErrorCode", "From", "Label", "Latitude", "ListId", "Longitude", "MessageSid",
    "MessageStatus", "NumMedia", "OptOutType", "SmsSid", "SmsStatus", "To",
)  # fmt: skip
STATUS: Mapping[str, DeliveryStatus] = {
    "accepted": DeliveryStatus.ACCEPTED,
    "scheduled": DeliveryStatus.ACCEPTED,
    "queued": DeliveryStatus.ACCEPTED,
    "sending": DeliveryStatus.ACCEPTED,
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "undelivered": DeliveryStatus.UNDELIVERED,
    "failed": DeliveryStatus.FAILED,
    "canceled": DeliveryStatus.FAILED,
    "read": DeliveryStatus.READ,
}
_MEDIA_MAX = 10
_CHOICE_CHARS_MAX = 200
_PLACE_CHARS_MAX = 200
_SID = re.compile(r"[A-Z]{2}[0-9A-Za-z]{1,32}")  # no room for a neighbouring field that a forger lets run into it
_COORDINATE = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,20})?")
_OF_MESSAGE = frozenset({"", "received", "receiving"})  # what the status of a message to us can be
_CONSENT = {"STOP": "opted_out", "START": "opted_in"}


def events(form: forms.Form, url: str, party: Callable[[str], Address | None]) -> Sequence[InboundEvent]:
    """Return the message, consent signal or delivery report of a webhook call; raises `UnreadableRequest`."""
    if "ConversationSid" in form:
        return [Ignored("conversation")]
    sid = one(form, "MessageSid") or one(form, "SmsSid")
    if not _SID.fullmatch(sid):
        raise UnreadableRequest("bad_message_sid")
    if is_report(form):
        return [_report(sid, form, url)]
    sender, recipient = party(one(form, "From")), party(one(form, "To")) if one(form, "To") else numbers.UNSAID
    if sender is None or recipient is None:
        raise UnreadableRequest("bad_number", "From" if sender is None else "To")
    text = texts.clean(one(form, "Body"))
    signal = _CONSENT.get(one(form, "OptOutType").upper())
    if signal is not None:  # Twilio has acted on the word and confirmed it, so there is nothing left to answer
        return [ContactSignal(external_id=sid, sender=sender, recipient=recipient, signal=signal, value=text)]
    return [
        InboundMessage(
            external_id=sid,
            sender=sender,
            recipient=recipient,
            text=text,
            choice=texts.clean(one(form, "ButtonPayload") or one(form, "ListId"))[:_CHOICE_CHARS_MAX] or None,
            media=(*_media(form), *_location(form)),
            profile_name=texts.clean(one(form, "ProfileName"))[:100] or None,
        )
    ]


def is_report(form: forms.Form) -> bool:
    """Tell whether a webhook call is about a message of ours."""
    return _status(form) not in _OF_MESSAGE


def _status(form: forms.Form) -> str:
    """Return the status of a message; the oldest callbacks have it in another field, as messages to us have theirs."""
    return (one(form, "MessageStatus") or one(form, "SmsStatus")).lower()


def _report(sid: str, form: forms.Form, url: str) -> InboundEvent:
    status = STATUS.get(_status(form))
    if status is None:
        return Ignored("unknown_status")
    return DeliveryReport(external_id=sid, status=status, message_id=our_id(url), code=one(form, "ErrorCode")[:20] or None)


def _media(form: forms.Form) -> tuple[Media, ...]:
    """Return references to what came along; it stays at Twilio until a job with limits fetches it."""
    count = one(form, "NumMedia")
    if not re.fullmatch(r"[0-9]{1,2}", count):
        return ()
    found = []
    for index in range(min(int(count), _MEDIA_MAX)):
        url, content_type = one(form, f"MediaUrl{index}"), one(form, f"MediaContentType{index}").lower()[:100]
        if attachments.is_link(url):
            found.append(Media(attachments.kind_of(content_type), url, content_type))
    return tuple(found)


def _location(form: forms.Form) -> tuple[Media, ...]:
    """Return the place that a person shared."""
    latitude, longitude = one(form, "Latitude"), one(form, "Longitude")
    if not _COORDINATE.fullmatch(latitude) or not _COORDINATE.fullmatch(longitude):
        return ()
    if abs(float(latitude)) > 90 or abs(float(longitude)) > 180:
        return ()
    named = {"label": one(form, "Label"), "address": one(form, "Address")}
    values = {name: texts.clean(value)[:_PLACE_CHARS_MAX] for name, value in named.items() if value}
    return (Media(kind="location", values={"latitude": latitude, "longitude": longitude, **values}),)
