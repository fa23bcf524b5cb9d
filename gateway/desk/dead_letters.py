"""The JSON interface of the desk for dead letters, paused channels and one-time codes; for supervisors, which the routes say.

What it shows is personal data, which therefore is nowhere else: not in logs, not in addresses.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aiohttp import web

from core import deadletters, mending
from core.identity import code_limits
from core.routing import person
from core.routing.refused import Refused
from core.store import dead_letters, pauses
from core.store.api import Tx
from gateway import replay
from gateway.desk.auth import Caller, Problem
from gateway.desk.body import fields
from gateway.mail.kept import TOPIC as KEPT
from gateway.recipients import corrected
from gateway.runtime import Gateway

AT_ONCE_MAX = 500
_ID_CHARS_MAX = 1_000


class DeadLetters:
    """Handlers of one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def delivery(self, _: web.Request, __: Caller) -> web.StreamResponse:
        """Answer with what a supervisor should know of sending: how many dead letters there are, and what is paused or stopped."""
        now = self._gateway.clock.now_ms()

        def unit(tx: Tx) -> dict[str, Any]:
            stops = [{"range": stop.range, "until": stop.until} for stop in code_limits.stops(tx, now)]
            paused = [asdict(one) for one in pauses.everyone(tx)]
            return {"dead_letters": sum(dead_letters.counts(tx, now).values()), "paused": paused, "code_stops": stops}

        return web.json_response(await self._gateway.store.read(unit))

    async def unlock(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Let somebody who typed wrong codes on and on have codes again."""
        await fields(request)
        conversation_id, by, now = request.match_info["conversation"], caller.agent.login, self._gateway.clock.now_ms()
        if not await self._gateway.store.write(lambda tx: person.unlock_codes(tx, conversation_id, by, now)):
            raise Refused("not_locked", "Codes are not locked for this person.")
        self._gateway.hints.wake("events")
        return web.json_response({})

    async def everyone(self, _: web.Request, __: Caller) -> web.StreamResponse:
        """Answer with every dead letter."""
        now = self._gateway.clock.now_ms()
        letters, counts = await self._gateway.store.read(lambda tx: (deadletters.everyone(tx, now), dead_letters.counts(tx, now)))
        return web.json_response({"letters": [asdict(letter) for letter in letters], "total": sum(counts.values())})

    async def replay(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Try some again, each by itself."""
        ids = _ids(await fields(request, ids=list))
        by, now = caller.agent.login, self._gateway.clock.now_ms()

        def unit(tx: Tx) -> list[dict[str, str]]:
            return [_one(letter_id, lambda letter_id=letter_id: deadletters.replay(tx, letter_id, by, now)) for letter_id in ids]

        return await self._done(await self._gateway.store.write(unit))

    async def edit(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Send one with other words, or to another address."""
        body = await fields(request, id=str, text=str | None, address=str | None)
        gateway, letter_id, by = self._gateway, body["id"], caller.agent.login
        channels, region, now = gateway.core_channels(), gateway.settings.operator.country, gateway.clock.now_ms()

        def unit(tx: Tx) -> str:
            address = corrected(channels, deadletters.one(tx, letter_id).channel_id, body["address"], region)
            return mending.edit(tx, channels, letter_id, by, now, text=body["text"], address=address)

        message_id = await gateway.store.write(unit)
        gateway.hints.wake("outbox", "events")
        gateway.counters.add("dead_letter_acts", outcome="edited")
        return web.json_response({"message": message_id})

    async def discard(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Settle some without trying again."""
        body = await fields(request, ids=list, reason=str)
        ids, reason = _ids(body), body["reason"]
        by, now = caller.agent.login, self._gateway.clock.now_ms()

        def discarded(tx: Tx, letter_id: str) -> str:
            deadletters.discard(tx, letter_id, by, reason, now)
            return "discarded"

        def unit(tx: Tx) -> list[dict[str, str]]:
            return [_one(letter_id, lambda letter_id=letter_id: discarded(tx, letter_id)) for letter_id in ids]

        return await self._done(await self._gateway.store.write(unit))

    async def _done(self, outcomes: list[dict[str, str]]) -> web.StreamResponse:
        self._gateway.hints.wake("outbox", "events", replay.TOPIC, KEPT)
        for outcome in outcomes:
            self._gateway.counters.add("dead_letter_acts", outcome=outcome["outcome"])
        return web.json_response({"outcomes": outcomes})


def _one(letter_id: str, act: Any) -> dict[str, str]:
    """Return what an act on one of several came to; a refusal is that of this one only, since it changed nothing."""
    try:
        return {"id": letter_id, "outcome": act(), "text": ""}
    except Refused as refused:
        if refused.code == "no_reason":
            raise
        return {"id": letter_id, "outcome": refused.code, "text": str(refused)}


def _ids(body: dict[str, Any]) -> list[str]:
    ids = body["ids"]
    if not 1 <= len(ids) <= AT_ONCE_MAX or not all(isinstance(one, str) and 1 < len(one) <= _ID_CHARS_MAX for one in ids):
        raise Problem(400, "bad_request", f"The field 'ids' must name 1 to {AT_ONCE_MAX} dead letters.")
    return list(dict.fromkeys(ids))
