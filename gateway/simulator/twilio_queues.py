"""The queues in which callers wait: each hears its own document again and again, until somebody takes them or they leave.

Must not know who takes a caller; the telephone does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from core.clock import Clock
from gateway.simulator.twilio_call import Call, Leg, Place
from gateway.simulator.twiml import Verb

SIZE_MAX = 100
Fetch = Callable[[Call, Leg, str, Mapping[str, str]], Awaitable[None]]
Submit = Callable[[Call, Leg, Verb, Mapping[str, str]], Awaitable[None]]


class Queues:
    """The queues of all accounts by name; `fetch` runs the next document of a call, `submit` the one of a verb that has ended."""

    def __init__(self, clock: Clock, fetch: Fetch, submit: Submit) -> None:
        self._clock = clock
        self._fetch = fetch
        self._submit = submit
        self._waiting: dict[tuple[str, str], list[str]] = {}

    async def enter(self, call: Call, leg: Leg, verb: Verb) -> None:
        """Let a caller wait, unless the queue is full."""
        line = self._waiting.setdefault((call.account.sid, verb.text), [])
        if len(line) >= SIZE_MAX:
            await self._submit(call, leg, verb, {"QueueResult": "queue-full"})
            return
        line.append(leg.sid)
        leg.place = Place(verb, leg.url, self._clock.now_ms())
        await self.wait(call, leg)

    async def wait(self, call: Call, leg: Leg) -> None:
        """Ask what a caller hears next who waits; without an address that is music."""
        place = leg.place
        leg.waiting, leg.state = None, "queue"
        if place is None or "waitUrl" not in place.verb.attributes:
            return
        line = self._waiting[call.account.sid, place.verb.text]
        leg.url = place.url
        position = {"QueuePosition": str(line.index(leg.sid) + 1), "CurrentQueueSize": str(len(line)), "AvgQueueTime": "0"}
        await self._fetch(call, leg, place.verb.attributes["waitUrl"], {**self._times(place), **position})

    def step_out(self, call: Call, leg: Leg) -> None:
        """Let the others move up; the caller talks to somebody now, or is gone."""
        line = self._waiting.get((call.account.sid, leg.place.verb.text), []) if leg.place else []
        if leg.sid in line:
            line.remove(leg.sid)

    def left(self, call: Call, leg: Leg, result: str) -> tuple[Verb, dict[str, str]] | None:
        """Take a caller out of the queue; return the verb that led there and what its action is told."""
        place = leg.place
        if place is None:
            return None
        self.step_out(call, leg)
        leg.place, leg.url = None, place.url
        return place.verb, {"QueueResult": result, **self._times(place)}

    def _times(self, place: Place) -> dict[str, str]:
        return {"QueueSid": f"QU{place.verb.text.encode().hex():0>32.32}", "QueueTime": str((self._clock.now_ms() - place.since) // 1000)}
