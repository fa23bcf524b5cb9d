"""What Twilio's reference of TwiML allows of the verbs that a call may be sent: attributes with their values, and what stands in what.

Written down from the pages "TwiML Voice" for Response, Say, Play, Pause, Gather, Record, Dial, Number, Enqueue,
Leave, Redirect and Hangup, and "SSML".
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping

URL = re.compile(r"https?://[^\s<>\"]+")
METHOD = re.compile(r"GET|POST")
FLAG = re.compile(r"true|false")
POSITIVE = re.compile(r"[1-9]\d{0,5}")
COUNT = re.compile(r"\d{1,6}")
TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
E164 = re.compile(r"\+[1-9]\d{6,14}")
SAY_CHARS_MAX = 4_096
QUEUE_CHARS_MAX = 64
IN_QUEUE = {"Say", "Play", "Pause", "Gather", "Hangup", "Redirect", "Leave"}  # "waitUrl" of the page on Enqueue

ATTRIBUTES: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    "Response": {},
    "Say": {
        "language": TAG,
        "voice": re.compile(r"man|woman|alice|(Polly|Google)\.[A-Za-z0-9-]+"),
        "loop": COUNT,
    },
    "say-as": {
        "interpret-as": re.compile(
            r"character|spell-out|cardinal|number|ordinal|digits|fraction|unit|date|time|address|expletive|telephone",
        ),
        "format": re.compile(r"mdy|dmy|ymd|md|dm|ym|my|d|m|y|yyyymmdd"),
    },
    "break": {"strength": re.compile(r"none|x-weak|weak|medium|strong|x-strong"), "time": re.compile(r"\d{1,4}m?s")},
    "Play": {"loop": COUNT, "digits": re.compile(r"[0-9*#wW]+")},
    "Pause": {"length": POSITIVE},
    "Gather": {
        "input": re.compile(r"dtmf|speech|dtmf speech"),
        "action": URL,
        "method": METHOD,
        "timeout": POSITIVE,
        "speechTimeout": re.compile(r"auto|[1-9]\d{0,2}"),
        "maxSpeechTime": POSITIVE,
        "finishOnKey": re.compile(r"[0-9#*]?"),
        "numDigits": POSITIVE,
        "language": TAG,
        "hints": re.compile(r".{1,5000}"),
        "bargeIn": FLAG,
        "actionOnEmptyResult": FLAG,
        "profanityFilter": FLAG,
        "speechModel": re.compile(r"default|numbers_and_commands|phone_call|experimental_(conversations|utterances)"),
        "enhanced": FLAG,
        "partialResultCallback": URL,
        "partialResultCallbackMethod": METHOD,
    },
    "Record": {
        "action": URL,
        "method": METHOD,
        "timeout": POSITIVE,
        "finishOnKey": re.compile(r"[0-9#*]+"),
        "maxLength": POSITIVE,
        "playBeep": FLAG,
        "trim": re.compile(r"trim-silence|do-not-trim"),
        "recordingStatusCallback": URL,
        "recordingStatusCallbackMethod": METHOD,
        "recordingStatusCallbackEvent": re.compile(r"(in-progress|completed|absent)( (in-progress|completed|absent))*"),
        "transcribe": FLAG,
        "transcribeCallback": URL,
    },
    "Dial": {
        "action": URL,
        "method": METHOD,
        "timeout": POSITIVE,
        "hangupOnStar": FLAG,
        "timeLimit": POSITIVE,
        "callerId": E164,
        "record": re.compile(r"do-not-record|record-from-(answer|ringing)(-dual)?"),
        "trim": re.compile(r"trim-silence|do-not-trim"),
        "recordingStatusCallback": URL,
        "recordingStatusCallbackMethod": METHOD,
        "recordingStatusCallbackEvent": re.compile(r"(in-progress|completed|absent)( (in-progress|completed|absent))*"),
        "answerOnBridge": FLAG,
        "ringTone": re.compile(r"[a-z]{2}(-old)?|us-old"),
        "sequential": FLAG,
    },
    "Number": {
        "sendDigits": re.compile(r"[0-9*#wW]+"),
        "url": URL,
        "method": METHOD,
        "byoc": re.compile(r"BY[0-9a-f]{32}"),
        "statusCallback": URL,
        "statusCallbackMethod": METHOD,
        "statusCallbackEvent": re.compile(r"(initiated|ringing|answered|completed)( (initiated|ringing|answered|completed))*"),
        "machineDetection": re.compile(r"Enable|DetectMessageEnd"),
        "machineDetectionTimeout": POSITIVE,
        "amdStatusCallback": URL,
        "amdStatusCallbackMethod": METHOD,
    },
    "Enqueue": {
        "action": URL,
        "method": METHOD,
        "waitUrl": URL,
        "waitUrlMethod": METHOD,
        "workflowSid": re.compile(r"WW[0-9a-f]{32}"),
    },
    "Redirect": {"method": METHOD},
    "Leave": {},
    "Hangup": {},
}
CHILDREN: Mapping[str, frozenset[str]] = {
    "Response": frozenset({"Say", "Play", "Pause", "Gather", "Record", "Dial", "Enqueue", "Redirect", "Leave", "Hangup"}),
    "Gather": frozenset({"Say", "Play", "Pause"}),
    "Say": frozenset({"say-as", "break"}),
    "Dial": frozenset({"Number"}),
}
REQUIRED = {"say-as": {"interpret-as"}}
TEXT = {"Say", "say-as", "Play", "Redirect", "Number", "Dial", "Enqueue"}
UNREACHABLE_AFTER = {"Hangup", "Redirect", "Leave"}  # control never comes back from these


def problems(node: ET.Element) -> Iterator[str]:
    """Tell what TwiML does not have: verbs, attributes, values, nesting, text, and verbs that can never be reached."""
    if node.tag not in ATTRIBUTES:
        yield f"no verb {node.tag}"
        return
    allowed = ATTRIBUTES[node.tag]
    for name, value in node.attrib.items():
        if name not in allowed:
            yield f"{node.tag} has no {name}"
        elif not allowed[name].fullmatch(value):
            yield f"{node.tag} {name}={value!r}"
    yield from (f"{node.tag} without {name}" for name in sorted(REQUIRED.get(node.tag, set()) - set(node.attrib)))
    texts = [node.text, *(child.tail for child in node)]
    if node.tag not in TEXT and any((text or "").strip() for text in texts):
        yield f"text in {node.tag}"
    if node.tag == "Say" and not 0 < len("".join(node.itertext()).strip()) <= SAY_CHARS_MAX:
        yield "a Say of nothing, or of too much"
    if node.tag == "Redirect" and not URL.fullmatch(node.text or ""):
        yield f"Redirect to {node.text!r}"
    if node.tag == "Enqueue" and not 0 < len(node.text or "") <= QUEUE_CHARS_MAX:
        yield f"Enqueue {node.text!r}"
    if node.tag == "Number" and not E164.fullmatch(node.text or ""):
        yield f"Number {node.text!r}"
    for place, child in enumerate(node):
        if child.tag not in CHILDREN.get(node.tag, frozenset()):
            yield f"{child.tag} in {node.tag}"
        if child.tag in UNREACHABLE_AFTER and place + 1 < len(node):
            yield f"{node[place + 1].tag} after {child.tag}"
        yield from problems(child)
    if node.tag == "Gather":
        yield from _gather(node)


def _gather(node: ET.Element) -> Iterator[str]:
    """Tell of attributes of one way of input where that way is closed."""
    ways = node.attrib.get("input", "dtmf").split()
    if "speech" not in ways:
        yield from (f"{name} without speech" for name in ("speechTimeout", "speechModel", "hints", "language") if name in node.attrib)
    if "dtmf" not in ways:
        yield from (f"{name} without dtmf" for name in ("finishOnKey", "numDigits") if name in node.attrib)


def check(root: ET.Element) -> None:
    """Fail for what Twilio's vocabulary does not have."""
    assert root.tag == "Response"
    assert list(problems(root)) == []


def check_in_queue(root: ET.Element) -> None:
    """Fail for what a caller who waits in a queue cannot be sent."""
    check(root)
    assert [node.tag for node in root if node.tag not in IN_QUEUE] == []
