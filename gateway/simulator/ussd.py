"""The network's side of USSD: sessions of at most three minutes, a form to the gateway for each input, a notification at the end.

It speaks the form of Africa's Talking, with the whole input of the session in each request. Must not know what screens mean.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout

from core.clock import Clock
from gateway.simulator.feed import Feed, Wire
from gateway.simulator.twilio_wire import Exchange, as_text

SESSION_S = 180.0
ANSWER_S = 15.0
NETWORK_CODE = "63902"
NO_SERVICE = "Connection problem or invalid MMI code."
_ANSWER_CHARS_MAX = 182
_HEADERS = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "*/*", "User-Agent": "parley-simulator"}


@dataclass(frozen=True, slots=True)
class Screen:
    """What the phone shows. `goes_on` says that it waits for an answer, until `ends_at` (ms UTC) at the latest."""

    session: str
    text: str
    goes_on: bool
    ends_at: int


@dataclass(slots=True)
class _Session:
    id: str
    msisdn: str
    code: str
    began_at: int
    timer: asyncio.TimerHandle | None = None
    inputs: list[str] = field(default_factory=list)
    hops: int = 0
    screen: str = ""


class UnknownSession(Exception):
    """There is no such session, or not any more."""


class Network:
    """The sessions of all simulated phones. `code` is the service code, `url` the gateway's webhook."""

    def __init__(
        self, http: ClientSession, feed: Feed, wire: Wire, clock: Clock, *, code: str, url: str, session_s: float = SESSION_S
    ) -> None:
        self._http = http
        self._feed = feed
        self._wire = wire
        self._clock = clock
        self._code = code
        self._url = url
        self._session_s = session_s
        self._sessions: dict[str, _Session] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def dial(self, msisdn: str, dialled: str) -> Screen:
        """Dial a code, with or without answers in it (`*384*100*1*50#`); a phone has one session at a time."""
        base = self._code.removesuffix("#")
        number = dialled.strip().removesuffix("#")
        if number != base and not number.startswith(f"{base}*"):
            return Screen("", NO_SERVICE, goes_on=False, ends_at=self._clock.now_ms())
        for other in [session for session in self._sessions.values() if session.msisdn == msisdn]:
            await self.hang_up(other.id)
        session = _Session(f"ATUid_{self._clock.random(16).hex()}", msisdn, self._code, self._clock.now_ms())
        self._sessions[session.id] = session
        session.timer = asyncio.get_running_loop().call_later(self._session_s, self._time_out, session.id)
        session.inputs = number[len(base) + 1 :].split("*") if len(number) > len(base) else []
        return await self._ask(session)

    async def answer(self, session_id: str, text: str) -> Screen:
        """Send what the subscriber typed; raises `UnknownSession`."""
        session = self._sessions.get(session_id)
        if session is None:
            raise UnknownSession
        session.inputs.append(text[:_ANSWER_CHARS_MAX])
        return await self._ask(session)

    async def hang_up(self, session_id: str) -> None:
        """End a session before it is over."""
        await self._end(session_id, "Incomplete", "The subscriber cancelled the session")

    async def ended(self) -> None:
        """Wait until every end of a session that is due has been told."""
        while self._ending:
            await asyncio.gather(*self._ending)

    async def close(self) -> None:
        """Forget the open sessions without telling anybody, as a network that goes down does."""
        for session in self._sessions.values():
            if session.timer is not None:
                session.timer.cancel()
        self._sessions.clear()
        await self.ended()

    async def _ask(self, session: _Session) -> Screen:
        session.hops += 1
        form = {
            "sessionId": session.id,
            "serviceCode": session.code,
            "phoneNumber": session.msisdn,
            "networkCode": NETWORK_CODE,
            "text": "*".join(session.inputs),
        }
        answer = await self._post("ussd", form)
        ends_at = session.began_at + int(self._session_s * 1000)
        if answer is None or answer[:4] not in {"CON ", "END "}:
            session.screen = answer or ""
            await self._end(session.id, "Failed", "The application gave no valid answer in time")
            return Screen(session.id, NO_SERVICE, goes_on=False, ends_at=ends_at)
        session.screen = answer
        goes_on = answer.startswith("CON")
        if not goes_on:
            self._spawn(session.id, "Success", "")
        return Screen(session.id, answer[4:], goes_on, ends_at)

    def _time_out(self, session_id: str) -> None:
        self._feed.tell("session_ended", {"session": session_id})
        self._spawn(session_id, "Incomplete", "The session took too long")

    def _spawn(self, session_id: str, status: str, error: str) -> None:
        task = asyncio.get_running_loop().create_task(self._end(session_id, status, error))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end(self, session_id: str, status: str, error: str) -> None:
        session = self._sessions.pop(session_id, None)
        if session is None:
            return
        if session.timer is not None:
            session.timer.cancel()
        now = self._clock.now_ms()
        form = {
            "date": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now / 1000)),
            "sessionId": session.id,
            "serviceCode": session.code,
            "networkCode": NETWORK_CODE,
            "phoneNumber": session.msisdn,
            "status": status,
            "cost": "KES 0.0",
            "durationInMillis": str(now - session.began_at),
            "hopsCount": str(session.hops),
            "input": "*".join(session.inputs),
            "lastAppResponse": session.screen,
            "errorMessage": error,
        }
        await self._post("ussd-end", form)

    async def _post(self, what: str, form: Mapping[str, str]) -> str | None:
        """Post a form as the aggregator does; return the answer's text, None if there was none with status 200."""
        body, at = urlencode(form), self._clock.now_ms()
        asked = as_text(f"POST {self._url} HTTP/1.1", _HEADERS, body)
        try:
            async with self._http.post(self._url, data=body.encode(), headers=_HEADERS, timeout=ClientTimeout(total=ANSWER_S)) as answer:
                text = await answer.text(errors="replace")
                answered = as_text(f"HTTP/1.1 {answer.status} {answer.reason}", answer.headers, text)
                status = answer.status
        except (ClientError, TimeoutError) as error:
            status, text, answered = 0, "", f"no answer: {type(error).__name__}"
        self._wire.append(Exchange(what, form["phoneNumber"], at, asked, answered))
        return text if status == 200 else None
