"""Plays Twilio's part in a call: asks the webhook what to say, runs the TwiML, listens for keys and words, records, dials an agent.

What takes time, such as speech and silence, passes where the caller is; the page says when it is over. A webhook that fails, or TwiML
that is wrong, ends the call with the sentence that Twilio says then, and is shown. Must not know what is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any
from urllib.parse import urldefrag, urljoin

from core.clock import Clock
from gateway.simulator import twiml
from gateway.simulator.twilio_call import Call, Leg, Link, UnknownCall, dial_form, keep_recording, over_form, parties, view
from gateway.simulator.twilio_queues import Queues
from gateway.simulator.twilio_wire import Account
from gateway.simulator.twiml import TwimlWrong, Verb

BROKEN = "We are sorry, an application error has occurred. Goodbye."
NO_NUMBER = "The number you have dialled is not in service."
CALL_S = 900.0
RETRIEVAL_FAILED = 11200
_DOCUMENTS_MAX = 40  # in a row, without anything for the caller to hear or do
_WAITS = frozenset({"Gather", "Record", "Dial"})


class Calls:
    """The calls of all phones to the numbers of `accounts`."""

    def __init__(self, link: Link, clock: Clock, accounts: Mapping[str, Account]) -> None:
        self._link = link
        self._clock = clock
        self._accounts = accounts
        self._calls: dict[str, Call] = {}
        self._ending: set[asyncio.Task[Any]] = set()
        self._queues = Queues(clock, self._fetch, self._submit)

    async def dial(self, phone: str, number: str) -> dict[str, Any]:
        """Call a number; a phone has one call at a time."""
        account = self._accounts.get(number)
        if account is None:
            return {"call": "", "state": "ended", "heard": [{"say": NO_NUMBER, "language": ""}], "error": ""}
        for sid in [sid for sid, call in self._calls.items() if call.phone == phone]:
            if sid in self._calls:
                await self.hang_up(sid)
        form = parties(account, self._sid("CA"), phone, number, "inbound")
        call = Call(phone, account, Leg(form["CallSid"], form, account.webhook_url), self._clock.now_ms())
        self._calls[call.caller.sid] = call
        call.limit = asyncio.get_running_loop().call_later(CALL_S, self._too_long, call.caller.sid)
        async with call.lock:
            await self._fetch(call, call.caller, account.webhook_url, {"CallStatus": "ringing"})
            return view(call)

    async def press(self, sid: str, key: str, *, agent: bool = False) -> dict[str, Any]:
        """Take a key; the answer is complete with the last key that is expected, or the one that finishes it."""
        call, leg = self._found(sid, agent=agent)
        async with call.lock:
            verb = leg.waiting
            if verb is None:
                return view(call)
            if verb.name == "Record" and key in verb.attributes.get("finishOnKey", "1234567890*#"):
                await self._recorded(call, leg, 1, key)
            elif verb.name == "Gather" and "dtmf" in verb.attributes.get("input", "dtmf"):
                finished = key == verb.attributes.get("finishOnKey", "#")
                leg.digits += "" if finished else key
                if finished or len(leg.digits) == verb.whole("numDigits", 0):
                    await self._gathered(call, leg, {"Digits": leg.digits, **({"FinishedOnKey": key} if finished else {})})
            return view(call)

    async def say(self, sid: str, text: str) -> dict[str, Any]:
        """Take spoken words, where they are listened for."""
        call, leg = self._found(sid)
        async with call.lock:
            verb = leg.waiting
            if verb is not None and verb.name == "Gather" and "speech" in verb.attributes.get("input", "dtmf"):
                spoken = {"SpeechResult": text, "Confidence": "0.9", "Language": verb.attributes.get("language", "en-US")}
                await self._gathered(call, leg, spoken)
            return view(call)

    async def wait(self, sid: str, *, agent: bool = False) -> dict[str, Any]:
        """Let what the call waits for run out: the speech ends, nobody presses a key, nobody answers."""
        call, leg = self._found(sid, agent=agent)
        async with call.lock:
            verb = leg.waiting
            if leg.state == "speaking" or (leg.state == "queue" and verb is None):
                await self._run(call, leg)
            elif verb is not None and verb.name == "Gather":
                await self._silent(call, leg, verb)
            elif verb is not None and verb.name == "Record":
                await self._run(call, leg)
            elif call.agent is not None and call.agent.state == "ringing":
                await self._dialled(call, "no-answer")
            return view(call)

    async def recorded(self, sid: str, seconds: int) -> dict[str, Any]:
        """End a recording after so many seconds."""
        call, leg = self._found(sid)
        async with call.lock:
            await self._recorded(call, leg, seconds, "")
            return view(call)

    async def hang_up(self, sid: str, *, recorded_s: int = 0) -> None:
        """End a call from the phone; Twilio tells what became of it. A recording that was going on is kept."""
        call, caller = self._found(sid)
        async with call.lock:
            verb, caller.form["CallStatus"] = caller.waiting, "completed"
            if verb is not None and verb.name == "Record" and recorded_s:
                await self._submit(call, caller, verb, await self._keep(call, verb, recorded_s, "hangup"), quiet=True)
            elif verb is not None and verb.name == "Dial":
                await self._submit(
                    call, caller, verb, dial_form(call, "completed" if call.bridged_at else "canceled", self._clock.now_ms()), quiet=True
                )
            await self._out(call, caller, "bridged" if call.bridged_at else "hangup", quiet=True)
            await self._end(call)

    def drop(self, sid: str) -> None:
        """Lose a call: the phone is gone, and nobody tells the gateway so."""
        call, _ = self._found(sid)
        self._forget(call)

    async def close(self) -> None:
        """Forget all calls, as a network that goes down does."""
        for call in list(self._calls.values()):
            self._forget(call)
        await asyncio.gather(*self._ending, return_exceptions=True)

    # ── running a document ──────────────────────────────────────────────────────────────────────────────────────────

    async def _fetch(self, call: Call, leg: Leg, url: str, given: Mapping[str, str]) -> None:
        """Ask for the next document and run it; what goes wrong ends the call."""
        leg.form |= {"CallStatus": "in-progress", **{name: value for name, value in given.items() if name == "CallStatus"}}
        leg.url = urldefrag(urljoin(leg.url, url)).url if url else leg.url
        leg.waiting, leg.digits = None, ""
        leg.documents += 1
        try:
            if leg.documents > _DOCUMENTS_MAX:
                raise TwimlWrong(RETRIEVAL_FAILED, "The documents lead to each other without end")
            status, text = await self._link.post("voice", call.phone, call.account, leg.url, {**leg.form, **given})
            if status != 200:
                raise TwimlWrong(RETRIEVAL_FAILED, f"HTTP retrieval failure: status {status or 'none'}")
            leg.verbs = list(twiml.read(text, in_queue=leg.place is not None))
        except TwimlWrong as wrong:
            call.error = f"{wrong.code}: {wrong}"
            call.caller.heard.append({"say": BROKEN, "language": ""})
            await self._end(call)
            return
        await self._run(call, leg)

    async def _run(self, call: Call, leg: Leg) -> None:
        """Run the verbs of a leg until one of them waits."""
        leg.waiting, leg.state = None, "queue" if leg.place else "speaking"
        while leg.verbs:
            verb = leg.verbs[0]
            if verb.name == "Redirect" and leg.heard:
                return  # said first, then asked for; the page tells when it was said
            leg.verbs.pop(0)
            if verb.name in {"Say", "Play", "Pause"}:
                leg.heard += twiml.spoken((verb,))
            elif verb.name == "Redirect":
                await self._fetch(call, leg, verb.text, {})
                return
            elif verb.name in _WAITS:
                leg.heard += twiml.spoken(verb.children)
                leg.waiting, leg.state, leg.documents = verb, "queue" if leg.place else verb.name.lower(), 0
                if verb.name == "Dial":
                    self._ring(call, verb)
                return
            elif verb.name == "Enqueue":
                await self._queues.enter(call, leg, verb)
                return
            elif verb.name == "Leave" and leg.place is not None:
                await self._out(call, leg, "leave")
                return
            else:
                break  # Hangup, Reject
        else:
            if leg is call.agent:  # nothing more to say to the agent: the two are connected
                self._bridge(call)
                return
            if leg.place is not None:  # said first, as before a Redirect
                if not leg.heard:
                    await self._queues.wait(call, leg)
                return
        if leg is call.agent:
            await self._dialled(call, "no-answer")
        else:
            await self._end(call)

    async def _submit(self, call: Call, leg: Leg, verb: Verb, given: Mapping[str, str], *, quiet: bool = False) -> None:
        """Send what a verb brought to its action; without one the document goes on, but for those that ask for themselves again."""
        action = verb.attributes.get("action", "")
        if quiet:
            if action:
                url = urldefrag(urljoin(leg.url, action)).url
                await self._link.post("voice", call.phone, call.account, url, {**leg.form, **given})
        elif action or verb.name in {"Gather", "Record"}:
            await self._fetch(call, leg, action, given)
        else:
            await self._run(call, leg)

    async def _out(self, call: Call, leg: Leg, result: str, *, quiet: bool = False) -> None:
        """Take a caller out of the queue, if they wait in one."""
        left = self._queues.left(call, leg, result)
        if left is not None:
            leg.waiting, leg.verbs = None, []
            await self._submit(call, leg, *left, quiet=quiet)

    async def _gathered(self, call: Call, leg: Leg, given: Mapping[str, str]) -> None:
        if leg.waiting is not None:
            await self._submit(call, leg, leg.waiting, {"msg": "Gather End", **given})

    async def _silent(self, call: Call, leg: Leg, verb: Verb) -> None:
        if leg.digits or verb.holds("actionOnEmptyResult", otherwise=False):
            await self._gathered(call, leg, {"Digits": leg.digits})
        else:
            await self._run(call, leg)

    async def _recorded(self, call: Call, leg: Leg, seconds: int, key: str) -> None:
        verb = leg.waiting
        if verb is not None and verb.name == "Record":
            await self._submit(call, leg, verb, await self._keep(call, verb, seconds, key))

    async def _keep(self, call: Call, verb: Verb, seconds: int, key: str) -> dict[str, str]:
        return await keep_recording(self._link, call, verb, self._sid("RE"), seconds, key)

    # ── an agent's phone ────────────────────────────────────────────────────────────────────────────────────────────

    def _ring(self, call: Call, dial: Verb) -> None:
        number = next((child for child in dial.children if child.name == "Number"), None)
        to = number.text if number else dial.text
        form = parties(call.account, self._sid("CA"), dial.attributes.get("callerId", call.phone), to, "outbound-dial")
        call.agent = Leg(form["CallSid"], form | {"ParentCallSid": call.caller.sid}, call.caller.url)
        call.dialled, call.bridged_at = number, 0

    async def _answered(self, call: Call) -> None:
        leg, number = call.agent, call.dialled
        if leg is None or number is None or "url" not in number.attributes:
            self._bridge(call)
        else:
            await self._fetch(call, leg, number.attributes["url"], {})

    def _bridge(self, call: Call) -> None:
        call.bridged_at = self._clock.now_ms()
        if call.agent is not None:
            call.agent.state = "talk"
        call.caller.state = "talk"
        if call.caller.place is not None:
            call.caller.waiting, call.caller.verbs = None, []
        self._queues.step_out(call, call.caller)

    async def _dialled(self, call: Call, status: str) -> None:
        """Go on with the caller after the dialled party is gone."""
        verb, leg = call.caller.waiting, call.agent
        given = dial_form(call, status, self._clock.now_ms())
        if leg is not None and call.dialled is not None and "statusCallback" in call.dialled.attributes:
            url = urljoin(call.caller.url, call.dialled.attributes["statusCallback"])
            await self._link.post("voice-status", call.phone, call.account, url, {**leg.form, "CallStatus": status})
        call.agent, call.dialled, call.bridged_at = None, None, 0
        await self._out(call, call.caller, "bridged")
        if verb is not None and verb.name == "Dial":
            await self._submit(call, call.caller, verb, given)

    def _found(self, sid: str, *, agent: bool = False) -> tuple[Call, Leg]:
        call = self._calls.get(sid)
        leg = None if call is None else call.agent if agent else call.caller
        if call is None or leg is None:
            raise UnknownCall
        return call, leg

    async def _end(self, call: Call) -> None:
        """End a call and tell so, as a number's status callback does."""
        self._queues.step_out(call, call.caller)
        call.caller.state, call.caller.waiting, call.agent = "ended", None, None
        if self._calls.get(call.caller.sid) is not call:
            return
        self._forget(call)
        await self._over(call, over_form(call, self._clock.now_ms()))

    async def _over(self, call: Call, form: Mapping[str, str]) -> None:
        await self._link.post("voice-status", call.phone, call.account, call.account.webhook_url, {**call.caller.form, **form})

    def _sid(self, kind: str) -> str:
        return f"{kind}{self._clock.random(16).hex()}"

    def _forget(self, call: Call) -> None:
        self._calls.pop(call.caller.sid, None)
        if call.limit is not None:
            call.limit.cancel()

    def _too_long(self, sid: str) -> None:
        self._soon(self.hang_up(sid))

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
