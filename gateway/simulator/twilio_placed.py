"""Calls that an application makes or changes through the API: a phone rings, somebody answers or nobody does, and each step is told.

A phone that nobody looks at rings until the time of the call is up. Must not decide who answers; the page does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

from gateway.simulator.feed import Feed
from gateway.simulator.twilio_call import Call, Leg, parties, view
from gateway.simulator.twilio_calls import CALL_S, Calls
from gateway.simulator.twilio_checks import Form, check_call, check_change, one
from gateway.simulator.twilio_wire import API_VERSION, Account, Refusal, as_text

if TYPE_CHECKING:
    from gateway.simulator.twilio import TwilioStandIn

ANSWERS = {"answer": "human", "machine": "machine_end_beep", "fax": "fax"}
NOT_ANSWERED = {"decline": "busy", "ignore": "no-answer", "unreachable": "failed", "cancel": "canceled"}
_RING_S = 60


@dataclass(slots=True)
class Placed:
    """What the application asked for: where to ask what to say, where to tell how it goes, and of which steps."""

    url: str
    callback: str
    events: frozenset[str]
    detects: bool
    ring_s: int
    told: int = 0


class Telephone(Calls):
    """The calls in both directions. `feed` is told of a phone that rings, and when it does no longer."""

    def __init__(self, twilio: TwilioStandIn, feed: Feed) -> None:
        super().__init__(twilio, twilio.clock, twilio.voices)
        self._feed = feed
        self._placed: dict[str, Placed] = {}
        twilio.place, twilio.change = self.place, self.change

    def place(self, account: Account, form: Form) -> dict[str, Any]:
        """Begin a call to a phone and return its resource, before anything of it is told."""
        call_form = parties(account, self._sid("CA"), one(form, "From"), one(form, "To"), "outbound-api")
        placed = Placed(
            url=one(form, "Url"),
            callback=one(form, "StatusCallback"),
            events=frozenset(form.get("StatusCallbackEvent", ("completed",))),
            detects=bool(one(form, "MachineDetection")),
            ring_s=int(one(form, "Timeout") or _RING_S),
        )
        call = Call(one(form, "To"), account, Leg(call_form["CallSid"], call_form, placed.url), self._clock.now_ms())
        self._placed[call.caller.sid] = placed
        engaged = any(other.phone == call.phone for other in self._calls.values())
        self._calls[call.caller.sid] = call
        self._soon(self._ring_phone(call, placed, engaged=engaged))
        return _resource(account, call, self._clock.now_ms())

    def change(self, account: Account, sid: str, form: Form) -> dict[str, Any]:
        """Begin to carry out what an application wants of a call, and return its resource; raises `Refusal`."""
        call = self._calls.get(sid)
        if call is None or call.account.sid != account.sid:
            raise Refusal(404, 20404, f"The requested resource /{API_VERSION}/Accounts/{account.sid}/Calls/{sid}.json was not found")
        status, url, rings = one(form, "Status"), one(form, "Url"), call.caller.state == "ringing"
        if (rings and not status) or (status == "canceled" and not rings):
            raise Refusal(400, 21220, "Call is not in-progress. Cannot redirect.")
        self._soon(self._changed(call, "cancel" if rings else "hang-up") if status else self._moved(call, url))
        return _resource(account, call, self._clock.now_ms()) | {"status": "queued" if rings else "in-progress"}

    async def _changed(self, call: Call, act: str) -> None:
        sid = call.caller.sid
        await (self.pick_up(sid, act) if act in NOT_ANSWERED else self.hang_up(sid))
        self._feed.tell("moved", {"call": sid, "ended": True})

    async def _moved(self, call: Call, url: str) -> None:
        """Have a call go on with the document at `url`, wherever it is, unless it has ended meanwhile."""
        async with call.lock:
            if self._calls.get(call.caller.sid) is not call:
                return
            await self._out(call, call.caller, "redirected", quiet=True)
            call.agent, call.dialled, call.bridged_at = None, None, 0
            await self._fetch(call, call.caller, url, {})
        self._feed.tell("moved", {"call": call.caller.sid, "ended": call.caller.state == "ended"})

    async def pick_up(self, sid: str, act: str) -> dict[str, Any]:
        """Do what somebody does whose phone rings: one of `ANSWERS` or `NOT_ANSWERED`."""
        call, leg = self._found(sid)
        placed = self._placed.get(sid)
        async with call.lock:
            if placed is None or leg.state != "ringing":
                return view(call)
            if call.limit is not None:
                call.limit.cancel()
            self._feed.tell("rings", _ringing(call, placed, rings=False))
            if act in NOT_ANSWERED:
                leg.form["CallStatus"] = NOT_ANSWERED[act]
                await self._end(call)
                return view(call)
            call.began_at, answered_by = self._clock.now_ms(), ANSWERS[act] if placed.detects else ""
            call.limit = asyncio.get_running_loop().call_later(CALL_S, self._too_long, sid)
            await self._tell(call, placed, "answered", {"CallStatus": "in-progress"})
            await self._fetch(call, leg, placed.url, {"AnsweredBy": answered_by} if answered_by else {})
            return view(call)

    async def agent(self, sid: str, act: str) -> dict[str, Any]:
        """Do what an agent does whose phone rings: `answer`, `busy`, `no-answer`, or `hang-up` in the middle of the talk."""
        call, caller = self._found(sid)
        async with call.lock:
            if act == "hang-up" and call.bridged_at:
                await self._dialled(call, "completed")
            elif act in {"busy", "no-answer"} and caller.state == "dial" and not call.bridged_at:
                await self._dialled(call, act)
            elif act == "answer" and (caller.state == "queue" or (call.agent is not None and call.agent.state == "ringing")):
                await self._answered(call)
            return view(call)

    async def look(self, sid: str) -> dict[str, Any]:
        """Return how a call stands, which others may have changed."""
        call, _ = self._found(sid)
        async with call.lock:
            return view(call)

    async def hang_up(self, sid: str, *, recorded_s: int = 0) -> None:
        """End a call from the phone; one that it has not taken is declined."""
        if self._found(sid)[1].state == "ringing":
            await self.pick_up(sid, "decline")
        else:
            await super().hang_up(sid, recorded_s=recorded_s)

    def drop(self, sid: str) -> None:
        """Lose a call without a word to anybody."""
        super().drop(sid)
        self._placed.pop(sid, None)

    def ringing(self, phone: str) -> dict[str, Any] | None:
        """Return the call for which a phone rings now."""
        for sid, placed in self._placed.items():
            call = self._calls.get(sid)
            if call is not None and call.phone == phone and call.caller.state == "ringing" and call.limit is not None:
                return _ringing(call, placed, rings=True)
        return None

    async def _ring_phone(self, call: Call, placed: Placed, *, engaged: bool) -> None:
        async with call.lock:
            await self._tell(call, placed, "initiated", {"CallStatus": "initiated"})
            if engaged:
                call.caller.form["CallStatus"] = "busy"
                await self._end(call)
                return
            await self._tell(call, placed, "ringing", {"CallStatus": "ringing"})
            call.limit = asyncio.get_running_loop().call_later(placed.ring_s, self._unanswered, call.caller.sid)
            self._feed.tell("rings", _ringing(call, placed, rings=True))

    def _unanswered(self, sid: str) -> None:
        self._soon(self._let_ring(sid))

    async def _let_ring(self, sid: str) -> None:
        if sid in self._calls:
            await self.pick_up(sid, "ignore")

    async def _over(self, call: Call, form: Mapping[str, str]) -> None:
        """Tell the end of a call where its application wants to know."""
        placed = self._placed.pop(call.caller.sid, None)
        if placed is None:
            await super()._over(call, form)
        else:
            status = call.caller.form["CallStatus"]
            ended = {"CallStatus": status if status in NOT_ANSWERED.values() else "completed"}
            await self._tell(call, placed, "completed", {**form, **ended})

    async def _tell(self, call: Call, placed: Placed, event: str, given: Mapping[str, str]) -> None:
        if not placed.callback or event not in placed.events:
            return
        stamp = format_datetime(datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC))
        number = {"SequenceNumber": str(placed.told), "Timestamp": stamp, "CallbackSource": "call-progress-events"}
        placed.told += 1
        form = {**call.caller.form, **given, **number}
        await self._link.post("voice-status", call.phone, call.account, placed.callback, form)


class Placing:
    """The part of the API that makes calls."""

    def __init__(self, twilio: TwilioStandIn) -> None:
        self._twilio = twilio

    def install(self, app: web.Application) -> None:
        """Give `app` what makes a call."""
        app.router.add_post(f"/{API_VERSION}/Accounts/{{sid}}/Calls.json", self.create)
        app.router.add_post(f"/{API_VERSION}/Accounts/{{sid}}/Calls/{{call}}.json", self.update)

    async def create(self, request: web.Request) -> web.Response:
        """Answer one call of the API that makes a call."""
        return await self._answered(request, self._create)

    async def update(self, request: web.Request) -> web.Response:
        """Answer one call of the API that changes a call which goes on: has it ask another address what is next, or ends it."""
        return await self._answered(request, self._update)

    async def _answered(self, request: web.Request, answer_to: Callable[[web.Request, Form], web.Response]) -> web.Response:
        posted = await request.post()
        form = {name: [value for value in posted.getall(name) if isinstance(value, str)] for name in posted}
        answer = answer_to(request, form)
        asked = as_text(f"{request.method} {request.path} HTTP/1.1", request.headers, urlencode(form, doseq=True))
        self._twilio.note(
            "api", one(form, "To"), asked, as_text(f"HTTP/1.1 {answer.status} {answer.reason}", answer.headers, answer.text or "")
        )
        return answer

    def _create(self, request: web.Request, form: Form) -> web.Response:
        try:
            account = self._twilio.authenticated(request)
            voice = self._twilio.voices.get(one(form, "From"))
            check_call(voice if voice is not None and voice.sid == account.sid else None, form)
        except Refusal as refusal:
            return web.json_response(refusal.document(), status=refusal.status)
        if voice is None or self._twilio.place is None:  # no telephone is there that could ring
            return web.json_response(Refusal(503, 20503, "Service Unavailable").document(), status=503)
        return web.json_response(self._twilio.place(voice, form), status=201)

    def _update(self, request: web.Request, form: Form) -> web.Response:
        try:
            account = self._twilio.authenticated(request)
            check_change(form)
            if self._twilio.change is None:
                raise Refusal(503, 20503, "Service Unavailable")
            return web.json_response(self._twilio.change(account, request.match_info["call"], form))
        except Refusal as refusal:
            return web.json_response(refusal.document(), status=refusal.status)


def _ringing(call: Call, placed: Placed, *, rings: bool) -> dict[str, Any]:
    return {"msisdn": call.phone, "call": call.caller.sid, "number": call.account.number, "ring_s": placed.ring_s, "rings": rings}


def _resource(account: Account, call: Call, at: int) -> dict[str, Any]:
    """Return a call as the API describes it before it rings."""
    date = format_datetime(datetime.fromtimestamp(at / 1000, UTC))
    uri = f"/{API_VERSION}/Accounts/{account.sid}/Calls/{call.caller.sid}"
    return {
        "account_sid": account.sid,
        "answered_by": None,
        "api_version": API_VERSION,
        "date_created": date,
        "date_updated": date,
        "direction": "outbound-api",
        "duration": None,
        "from": call.caller.form["From"],
        "price_unit": "USD",
        "sid": call.caller.sid,
        "status": "queued",
        "subresource_uris": {"recordings": f"{uri}/Recordings.json"},
        "to": call.phone,
        "uri": f"{uri}.json",
    }
