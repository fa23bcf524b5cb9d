"""Reads TwiML as strictly as Twilio's schema is written: a verb, attribute, value or nesting that it does not have is an error.

The real service is more forgiving and only warns; here a mistake must be seen. Must not run anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

UNREADABLE = 12100
OUTSIDE_THE_SCHEMA = 12200
_ANY = re.compile(r"(?s).+")
_WHOLE = re.compile(r"[0-9]{1,6}")
_TRUTH = re.compile(r"true|false")
_METHOD = re.compile(r"GET|POST")
_URL = re.compile(r"(https?://|/|\?)?[^\s<>\"]+")
_KEYS = re.compile(r"[0-9*#]*")
_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_EVENTS = re.compile(r"[a-z-]+( [a-z-]+)*")
_NUMBER = re.compile(r"\+?[0-9()\- .]{3,25}")
_RECORDS = re.compile(r"do-not-record|record-from-answer|record-from-ringing|record-from-answer-dual|record-from-ringing-dual|true|false")
_BREAK = {"strength": _ANY, "time": re.compile(r"[0-9.]+m?s")}
_SPOKEN: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    "break": _BREAK,
    "emphasis": {"level": re.compile("strong|moderate|reduced")},
    "lang": {"xml:lang": _TAG},
    "p": {},
    "phoneme": {"alphabet": _ANY, "ph": _ANY},
    "prosody": {"volume": _ANY, "rate": _ANY, "pitch": _ANY},
    "s": {},
    "say-as": {
        "interpret-as": re.compile(
            "character|spell-out|cardinal|number|ordinal|digits|fraction|unit|date|time|address|expletive|telephone|currency|characters"
        ),
        "format": re.compile("[mdy]{1,3}|hms12|hms24"),
    },
    "sub": {"alias": _ANY},
    "w": {"role": _ANY},
}
_RECORDING = {"recordingStatusCallback": _URL, "recordingStatusCallbackMethod": _METHOD, "recordingStatusCallbackEvent": _EVENTS}
ATTRIBUTES: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    "Response": {},
    "Say": {"voice": _ANY, "language": _TAG, "loop": _WHOLE},
    "Play": {"loop": _WHOLE, "digits": re.compile("[0-9w*#]+")},
    "Pause": {"length": _WHOLE},
    "Gather": {
        "action": _URL,
        "method": _METHOD,
        "input": re.compile("dtmf|speech|dtmf speech|speech dtmf"),
        "timeout": re.compile("[0-9]{1,6}|auto"),
        "speechTimeout": re.compile("[0-9]{1,6}|auto"),
        "maxSpeechTime": _WHOLE,
        "finishOnKey": re.compile("[0-9*#]?"),
        "numDigits": re.compile("[1-9][0-9]{0,3}"),
        "hints": _ANY,
        "language": _TAG,
        "bargeIn": _TRUTH,
        "debug": _TRUTH,
        "profanityFilter": _TRUTH,
        "speechModel": _ANY,
        "enhanced": _TRUTH,
        "actionOnEmptyResult": _TRUTH,
        "partialResultCallback": _URL,
        "partialResultCallbackMethod": _METHOD,
    },
    "Record": {
        "action": _URL,
        "method": _METHOD,
        "timeout": _WHOLE,
        "finishOnKey": _KEYS,
        "maxLength": re.compile("[1-9][0-9]{0,4}"),
        "playBeep": _TRUTH,
        "trim": re.compile("trim-silence|do-not-trim"),
        "transcribe": _TRUTH,
        "transcribeCallback": _URL,
        "recordingTrack": re.compile("inbound|outbound|both"),
        **_RECORDING,
    },
    "Dial": {
        "action": _URL,
        "method": _METHOD,
        "timeout": _WHOLE,
        "timeLimit": _WHOLE,
        "hangupOnStar": _TRUTH,
        "callerId": _ANY,
        "answerOnBridge": _TRUTH,
        "ringTone": _ANY,
        "record": _RECORDS,
        "trim": re.compile("trim-silence|do-not-trim"),
        "sequential": _TRUTH,
        "recordingTrack": re.compile("inbound|outbound|both"),
        **_RECORDING,
    },
    "Number": {
        "url": _URL,
        "method": _METHOD,
        "sendDigits": re.compile("[0-9wW*#]+"),
        "statusCallback": _URL,
        "statusCallbackMethod": _METHOD,
        "statusCallbackEvent": _EVENTS,
    },
    "Queue": {"url": _URL, "method": _METHOD},
    "Enqueue": {"action": _URL, "method": _METHOD, "waitUrl": _URL, "waitUrlMethod": _METHOD, "workflowSid": _ANY},
    "Redirect": {"method": _METHOD},
    "Reject": {"reason": re.compile("rejected|busy")},
    "Hangup": {},
    "Leave": {},
    **_SPOKEN,
}
_VERBS = frozenset({"Say", "Play", "Pause", "Gather", "Record", "Dial", "Enqueue", "Redirect", "Reject", "Hangup", "Leave"})
CHILDREN: Mapping[str, frozenset[str]] = {
    "Response": _VERBS,
    "Gather": frozenset({"Say", "Play", "Pause"}),
    "Say": frozenset(_SPOKEN),
    "Dial": frozenset({"Number", "Queue"}),
    **{tag: frozenset(_SPOKEN) for tag in _SPOKEN},
}
_TEXTS = frozenset({"Say", "Play", "Dial", "Number", "Queue", "Enqueue", "Redirect", *_SPOKEN})
_NAME = re.compile(r"(?s).{1,64}")
_NEED_TEXT: Mapping[str, re.Pattern[str]] = {"Number": _NUMBER, "Redirect": _URL, "Queue": _NAME, "Enqueue": _NAME, "Say": _ANY}
IN_QUEUE = frozenset({"Say", "Play", "Pause", "Gather", "Hangup", "Redirect", "Leave"})  # all that a caller who waits can be sent


class TwimlWrong(Exception):
    """A document that Twilio's schema does not allow; `code` is Twilio's error."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Verb:
    """One element: its attributes, the text in it without what is nested but spoken, and what is nested."""

    name: str
    attributes: Mapping[str, str]
    text: str
    children: tuple[Verb, ...]

    def whole(self, name: str, otherwise: int) -> int:
        """Return an attribute that is a number."""
        value = self.attributes.get(name, "")
        return int(value) if value.isdecimal() else otherwise

    def holds(self, name: str, *, otherwise: bool) -> bool:
        """Return an attribute that is true or false."""
        return self.attributes.get(name, str(otherwise).lower()) == "true"


def read(document: str, *, in_queue: bool = False) -> tuple[Verb, ...]:
    """Return the verbs of a document, one for a caller who waits in a queue if it is such; raises `TwimlWrong`."""
    try:
        root = ET.fromstring(document)  # noqa: S314 - the gateway's own answer, read in the demo only
    except ET.ParseError as error:
        raise TwimlWrong(UNREADABLE, f"Document parse failure: {error}") from None
    if root.tag != "Response":
        raise TwimlWrong(UNREADABLE, f"Document parse failure: the root is {root.tag}, not Response")
    verbs = _verb(root).children
    strange = next((verb.name for verb in verbs if in_queue and verb.name not in IN_QUEUE), None)
    if strange is not None:
        raise _outside(f"{strange} cannot be in the document of a waitUrl")
    return verbs


def _verb(element: ET.Element) -> Verb:
    name = element.tag
    for attribute, value in element.attrib.items():
        allowed = ATTRIBUTES[name].get(attribute.replace("{http://www.w3.org/XML/1998/namespace}", "xml:"))
        if allowed is None:
            raise _outside(f"{name} has no attribute {attribute}")
        if not allowed.fullmatch(value):
            raise _outside(f"{attribute} of {name} cannot be {value!r}")
    for child in element:
        if child.tag not in CHILDREN.get(name, frozenset()):
            raise _outside(f"{child.tag} cannot be in {name}")
    text = _text(element)
    if name not in _TEXTS and text:
        raise _outside(f"{name} takes no text")
    needed = _NEED_TEXT.get(name)
    if needed is not None and not needed.fullmatch(text):
        raise _outside(f"{name} cannot hold {text!r}")
    return Verb(name, dict(element.attrib), text, tuple(_verb(child) for child in element))


def _text(element: ET.Element) -> str:
    """Return the text of an element; of what is spoken, the marked parts too."""
    if element.tag == "Say":
        return " ".join("".join(element.itertext()).split())
    return " ".join(f"{element.text or ''}{''.join(child.tail or '' for child in element)}".split())


def _outside(text: str) -> TwimlWrong:
    return TwimlWrong(OUTSIDE_THE_SCHEMA, f"Schema validation: {text}")


def spoken(verbs: tuple[Verb, ...]) -> list[dict[str, Any]]:
    """Return what the caller hears of verbs that speak, play or pause, as a page shows it. Lengths in seconds."""
    heard: list[dict[str, Any]] = []
    for verb in verbs:
        match verb.name:
            case "Say":
                heard.append({"say": verb.text, "language": verb.attributes.get("language", "")})
            case "Play":
                heard.append({"play": verb.text})
            case "Pause":
                heard.append({"pause": verb.whole("length", 1)})
    return heard
