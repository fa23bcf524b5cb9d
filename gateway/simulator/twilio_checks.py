"""What Twilio refuses of a message, with its own codes and sentences: numbers, senders, texts, attachments, content templates.

Must not hold state: what depends on what happened before, such as the 24 hours of WhatsApp, is decided where that is known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from gateway.simulator.twilio_wire import WHATSAPP, Account, Refusal, bare

BODY_CHARS_MAX = 1_600
_MEDIA_MAX = 10
_BUTTON_CHARS_MAX = 20
_PAYLOAD_CHARS_MAX = 200
_URL_CHARS_MAX = 4_000
_RING_S_MAX = 600
_CALL_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
_DETECTION = frozenset({"", "Enable", "DetectMessageEnd"})

Form = Mapping[str, Sequence[str]]


def one(form: Form, name: str) -> str:
    """Return the first value of a field, empty if it is missing."""
    return next(iter(form.get(name, ())), "")


def check_message(account: Account, form: Form) -> None:
    """Raise `Refusal` for what Twilio would not take."""
    to, from_, body, callback = (one(form, name) for name in ("To", "From", "Body", "StatusCallback"))
    if not to:
        raise Refusal(400, 21604, "A 'To' phone number is required.")
    if not from_:
        raise Refusal(400, 21603, "A 'From' phone number is required.")
    if not _is_number(bare(to)):
        raise Refusal(400, 21211, "Invalid 'To' Phone Number")
    if to.startswith(WHATSAPP) != from_.startswith(WHATSAPP):
        raise Refusal(400, 21910, "Invalid 'From' and 'To' pair. 'From' and 'To' should be of the same channel")
    if from_ != account.number:
        raise _unknown_sender(from_)
    media, content = form.get("MediaUrl", ()), one(form, "ContentSid")
    if not body and not media and not content:
        raise Refusal(400, 21602, "Message body is required.")
    if len(body) > BODY_CHARS_MAX:
        raise Refusal(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
    if len(media) > (1 if to.startswith(WHATSAPP) else _MEDIA_MAX):
        raise Refusal(400, 21623, "Number of media files exceeds allowed limit")
    if not all(url.startswith(("https://", "http://127.0.0.1:")) for url in media):
        raise Refusal(400, 21620, "Invalid media URL(s)")
    if callback and not callback.startswith(("http://", "https://")):
        raise Refusal(400, 21609, "The 'StatusCallback' URL is not a valid URL.")


def check_call(caller: Account | None, form: Form) -> None:
    """Raise `Refusal` for a call that Twilio would not make; `caller` is the number of the account that is to be shown, if it has it."""
    to, from_, url, callback = (one(form, name) for name in ("To", "From", "Url", "StatusCallback"))
    if not to:
        raise Refusal(400, 21201, "No 'To' number is specified")
    if not from_:
        raise Refusal(400, 21213, "No 'From' number is specified")
    if not _is_number(to):
        raise Refusal(400, 21217, f"Phone number: {to} is not valid.")
    if caller is None:
        raise Refusal(400, 21210, "The source phone number provided is not yet verified for your account.")
    if not url.startswith(("http://", "https://")) or len(url) > _URL_CHARS_MAX:
        raise Refusal(400, 21205, "Url is not a valid URL")
    if callback and not callback.startswith(("http://", "https://")):
        raise Refusal(400, 21609, "The 'StatusCallback' URL is not a valid URL.")
    timeout = one(form, "Timeout")
    if timeout and not (timeout.isascii() and timeout.isdecimal() and 0 < int(timeout) <= _RING_S_MAX):
        raise Refusal(400, 20001, "Timeout is invalid")
    if not _CALL_EVENTS.issuperset(form.get("StatusCallbackEvent", ())) or one(form, "MachineDetection") not in _DETECTION:
        raise Refusal(400, 20001, "A parameter is invalid")


def check_change(form: Form) -> None:
    """Raise `Refusal` for what Twilio would not do with a call that goes on: it is told an address, or a status and nothing else."""
    url, status = one(form, "Url"), one(form, "Status")
    if status and (status not in {"canceled", "completed"} or url):
        raise Refusal(400, 21218, "Invalid Status")
    if not status and (not url.startswith(("http://", "https://")) or len(url) > _URL_CHARS_MAX):
        raise Refusal(400, 21205, "Url is not a valid URL")
    if one(form, "Method") not in {"", "GET", "POST"}:
        raise Refusal(400, 20001, "Method is invalid")


def _is_number(text: str) -> bool:
    return text.startswith("+") and text[1:].isascii() and text[1:].isdecimal() and 8 <= len(text) <= 16


def _unknown_sender(from_: str) -> Refusal:
    if from_.startswith(WHATSAPP):
        return Refusal(400, 63007, "Twilio could not find a Channel with the specified From address")
    return Refusal(400, 21606, "The 'From' phone number provided is not a valid message-capable Twilio phone number.")


def shown(account: Account, form: Form) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the text and quick replies that the phone shows; raises `Refusal` for a template or values that do not fit each other."""
    sid = one(form, "ContentSid")
    if not sid:
        return one(form, "Body"), ()
    content = account.contents.get(sid)
    if content is None:
        raise Refusal(400, 21655, "The ContentSid Parameter is Invalid")
    values = _variables(one(form, "ContentVariables"), 1 + 2 * content.buttons)
    if content.approved and "\n" in values[0]:
        raise _bad_variables()
    buttons = tuple(zip(values[1::2], values[2::2], strict=True))
    if any(not title or len(title) > _BUTTON_CHARS_MAX or not 1 <= len(payload) <= _PAYLOAD_CHARS_MAX for title, payload in buttons):
        raise _bad_variables()
    return values[0], buttons


def _variables(text: str, count: int) -> list[str]:
    """Return the values of `{"1": …, "2": …}`, of which there must be `count`."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise _bad_variables() from None
    if not isinstance(given, dict) or sorted(given) != sorted(str(place) for place in range(1, count + 1)):
        raise _bad_variables()
    values = [given[str(place)] for place in range(1, count + 1)]
    if not all(isinstance(value, str) and value for value in values):
        raise _bad_variables()
    return values


def _bad_variables() -> Refusal:
    return Refusal(400, 21656, "The ContentVariables Parameter is invalid")
