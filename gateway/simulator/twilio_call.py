"""A call as plain values: its legs, what each waits for, what is recorded, and what a page shows of them. Must not run TwiML."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Protocol
from urllib.parse import urljoin

from gateway.simulator.twilio_files import Files, recording
from gateway.simulator.twilio_wire import API_VERSION, Account
from gateway.simulator.twiml import Verb

RECORDED_S_MAX = 120
_SILENCE_S = {"Gather": 5, "Record": 5, "Dial": 30}


class Link(Protocol):
    """How the stand-in reaches the webhook."""

    files: Files

    async def post(self, what: str, phone: str, account: Account, url: str, form: Mapping[str, str]) -> tuple[int, str]:
        """Post a signed form; return status and text of the answer."""
        ...


class UnknownCall(Exception):
    """There is no such call, or not any more."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a queue: the verb that led there, from the document at `url`, and since when."""

    verb: Verb
    url: str
    since: int


@dataclass(slots=True)
class Leg:
    """One end of a call and the document that it runs: `waiting` is the verb that waits for somebody, `heard` what was said since."""

    sid: str
    form: dict[str, str]
    url: str
    verbs: list[Verb] = field(default_factory=list)
    waiting: Verb | None = None
    state: str = "ringing"
    heard: list[dict[str, Any]] = field(default_factory=list)
    digits: str = ""
    documents: int = 0
    place: Place | None = None


@dataclass(slots=True)
class Call:
    """A call of a phone. `agent` is the other end, while somebody is dialled."""

    phone: str
    account: Account
    caller: Leg
    began_at: int
    agent: Leg | None = None
    dialled: Verb | None = None
    bridged_at: int = 0
    error: str = ""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    limit: asyncio.TimerHandle | None = None


def parties(account: Account, sid: str, from_: str, to: str, direction: str) -> dict[str, str]:
    """Return the fields that every request about one leg of a call has."""
    places = {f"{end}{what}": "" for end in ("To", "From", "Called", "Caller") for what in ("Country", "State", "City", "Zip")}
    names = {"From": from_, "To": to, "Caller": from_, "Called": to, "Direction": direction, "ApiVersion": API_VERSION}
    return {**places, **names, "AccountSid": account.sid, "CallSid": sid}


def dial_form(call: Call, status: str, now: int) -> dict[str, str]:
    """Return what became of the dialled party, as the action of Dial is told."""
    form = {"DialCallStatus": status, "DialCallSid": call.agent.sid if call.agent else ""}
    return form | ({"DialCallDuration": str((now - call.bridged_at) // 1000)} if call.bridged_at else {})


def over_form(call: Call, now: int) -> dict[str, str]:
    """Return what the status callback of a number is told at the end of a call."""
    seconds = (now - call.began_at) // 1000
    lasted = {"CallDuration": str(seconds), "Duration": str(-(-seconds // 60)), "SequenceNumber": "0"}
    stamp = format_datetime(datetime.fromtimestamp(now / 1000, UTC))
    return {"CallStatus": "completed", **lasted, "Timestamp": stamp, "CallbackSource": "call-progress-events"}


async def keep_recording(link: Link, call: Call, verb: Verb, sid: str, seconds: int, key: str) -> dict[str, str]:
    """Keep a recording, tell its status callback, and return the fields of the action."""
    seconds = max(1, min(seconds, verb.whole("maxLength", RECORDED_S_MAX), RECORDED_S_MAX))
    url = link.files.keep(call.account, f"Recordings/{sid}", "audio/x-wav", await asyncio.to_thread(recording, seconds))
    kept = {"RecordingUrl": url, "RecordingSid": sid, "RecordingDuration": str(seconds)}
    callback = verb.attributes.get("recordingStatusCallback")
    if callback:
        told = {**kept, "RecordingStatus": "completed", "RecordingChannels": "1", "RecordingSource": "RecordVerb", "ErrorCode": "0"}
        form = {"AccountSid": call.account.sid, "CallSid": call.caller.sid, "ApiVersion": API_VERSION, **told}
        await link.post("voice-status", call.phone, call.account, urljoin(call.caller.url, callback), form)
    return {**kept, **({"Digits": key} if key else {})}


def view(call: Call) -> dict[str, Any]:
    """Return what a page shows of a call now, with what was said since the last time."""
    agent = call.agent
    return {
        "call": call.caller.sid,
        "state": call.caller.state,
        "heard": _heard(call.caller),
        "error": call.error,
        "queue": call.caller.place and call.caller.place.verb.text,
        "listen": _listen(call.caller),
        "agent": agent and {"number": agent.form["To"], "state": agent.state, "heard": _heard(agent), "listen": _listen(agent)},
    }


def _heard(leg: Leg) -> list[dict[str, Any]]:
    heard, leg.heard = leg.heard, []
    return heard


def _listen(leg: Leg) -> dict[str, Any] | None:
    """Return how a leg waits: for which input, and for how many seconds of silence."""
    verb = leg.waiting
    if verb is None:
        return None
    return {
        "input": verb.attributes.get("input", "dtmf"),
        "timeout_s": verb.whole("timeout", _SILENCE_S.get(verb.name, 0)),
        "max_s": min(verb.whole("maxLength", RECORDED_S_MAX), RECORDED_S_MAX),
        "barge_in": verb.holds("bargeIn", otherwise=True),
        "digits": leg.digits,
    }
