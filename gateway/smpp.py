"""The binds to SMS centres: each is kept up, what comes over it goes through `receive`, and is answered only after the commit.

A centre gives a message no id and repeats what it has no answer for, so ids are made here: of the content, the time and the sequence
number, or those of an earlier arrival whose answer may have been lost. Must not read a text.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from channels import smpp_messages, smpp_parts
from channels.smpp import Smpp
from core.model.inbound import Part
from core.model.outbound import Answer, SendError
from core.store import parts, smsc
from core.store.api import StoreUnavailable
from gateway.backoff import Backoff
from gateway.loops import do_every
from gateway.receive import receive
from gateway.runtime import ConfiguredChannel, Gateway

_LOG = logging.getLogger(__name__)
OK, NOT_NOW = 0x00, 0x64
RECONNECT_MAX_S = 60.0
REPEATED_MS = 120_000  # before the start of a process: what arrived since then may come again
REPEATS_FOR_MS = 900_000  # after a bind: what the centre has no answer for, it sends first
REPEATED_AFTER_MS = 2_000  # no centre loses its patience sooner; until then the same words are said twice
SERIES_MS = 3_600_000  # parts of a message that was recorded are known for this long
SWEEP_MAX_S = 60.0
SESSIONS_MAX = 50_000


def start(gateway: Gateway, stack: AsyncExitStack) -> None:
    """Keep up the bind of every channel that has one; leaving `stack` unbinds."""
    for configured in gateway.channels.values():
        if isinstance(configured.adapter, Smpp):
            line = _Line(gateway, configured, configured.adapter)
            stack.push_async_callback(line.stop)
            line.start()


@dataclass(slots=True)
class _Taking:
    """A message that is being taken in since `at`, ms UTC, under the id that it got."""

    at: int
    id: str = ""


class _Line:
    """One bind with what it must remember."""

    def __init__(self, gateway: Gateway, configured: ConfiguredChannel, adapter: Smpp) -> None:
        self._gateway = gateway
        self._configured = configured
        self._adapter = adapter
        self._id = configured.channel.id
        self._backoff = Backoff(configured.settings.reconnect_s, RECONNECT_MAX_S)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._turns: dict[str, asyncio.Future[None]] = {}
        self._open: dict[str, _Taking] = {}
        self._sessions: dict[tuple[str, str], str] = {}
        self._proved_at = self._marked_at = self._since = gateway.clock.now_ms() - REPEATED_MS
        self._bound_at = 0
        self._claimed: set[str] = set()

    def start(self) -> None:
        """Begin to connect."""
        self._begin(self._connect())
        interval_s = min(self._configured.settings.parts_wait_s / 2 + 0.05, SWEEP_MAX_S)
        self._begin(do_every(self._gateway, "message_parts", interval_s, self._look_after_parts))

    async def stop(self) -> None:
        """Unbind, and end what is left."""
        self._stopping = True
        await self._adapter.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self) -> None:
        from channels.smpp_link import LinkEnded  # noqa: PLC0415 - the library is for configured channels only

        while not self._stopping:
            try:
                await self._adapter.link.run(self._deliver, self._bound, self._proved)
            except LinkEnded as ended:
                self._lost(ended.code)
            except Exception as error:  # noqa: BLE001 - whatever it is, nobody else would connect again
                _LOG.error("the bind of %s failed", self._id, exc_info=error)
                self._lost("failed")
            await asyncio.sleep(self._backoff.failed())

    def _lost(self, code: str) -> None:
        if not self._stopping:
            _LOG.warning("the bind of %s is down: %s", self._id, code)
            self._gateway.counters.add("binds_lost", channel=self._id, code=code)

    def _bound(self) -> None:
        self._gateway.counters.add("binds", channel=self._id)
        self._backoff.worked()
        self._since, self._bound_at = self._proved_at, self._gateway.clock.now_ms()
        self._marked_at = self._bound_at
        self._claimed.clear()
        self._gateway.hints.wake("outbox")

    def _proved(self) -> None:
        """Note that the centre has read the answers to all that came before the last mark, and mark what is answered by now."""
        now = self._gateway.clock.now_ms()
        self._proved_at, self._marked_at = self._marked_at, min((taking.at for taking in self._open.values()), default=now)

    async def _deliver(self, pdu: Any) -> int:
        """Take in one message, after those that the same sender sent before; return the status to answer with."""
        fields: dict[str, Any] = dict(pdu.fields)
        sender, digest = str(fields.get("source_addr", "")), smpp_parts.digest_of(fields)
        at = self._gateway.clock.now_ms()
        twin = self._open.get(digest)
        repeated = twin is not None and at - twin.at >= REPEATED_AFTER_MS
        taking = twin if twin is not None and repeated else _Taking(at)
        self._open[digest] = taking
        before, mine = self._turns.get(sender), asyncio.get_running_loop().create_future()
        self._turns[sender] = mine
        try:
            if before is not None:
                await before
            await self._take(fields, digest, taking, pdu.sequence)
        except StoreUnavailable as unavailable:
            self._gateway.counters.add("refused", channel=self._id, code=unavailable.code)
            return NOT_NOW
        except Exception as error:  # noqa: BLE001 - nothing was kept, so the centre must keep it
            _LOG.error("a message on %s could not be taken", self._id, exc_info=error)
            self._gateway.counters.add("refused", channel=self._id, code="failed")
            return NOT_NOW
        finally:
            mine.set_result(None)
            if self._turns[sender] is mine:
                del self._turns[sender]
            if not repeated and self._open.get(digest) is taking:
                del self._open[digest]
        return OK

    async def _take(self, fields: dict[str, Any], digest: str, taking: _Taking, sequence: int) -> None:
        at = self._gateway.clock.now_ms()
        if "pdu" in fields:
            await self._receive(fields, at)
            return
        if smpp_messages.is_receipt(fields):
            fields["message_id"] = await self._message_of(fields) or ""
            await self._receive(fields, at)
            return
        part = smpp_parts.part_of(fields)
        if part is not None and await self._keep(part, fields, digest, at):
            return
        taking.id = fields["id"] = taking.id or await self._id_of(digest, at, f"{digest}:{at}:{sequence}")
        session = self._session(fields)
        answer = await self._receive(fields | session, at)
        if smpp_messages.expects_screen(fields):
            self._begin(self._show(answer, fields))

    async def _receive(self, fields: Mapping[str, Any], at: int) -> Answer:
        return await receive(self._gateway, self._configured, self._adapter.request_of(fields, at))

    async def _id_of(self, digest: str, at: int, new: str) -> str:
        """Return the id of an arrival before this bind whose answer the centre may not have read, once; else the new one."""
        if digest in self._claimed or at > self._bound_at + REPEATS_FOR_MS:
            return new
        since, before = self._since, self._bound_at
        earlier = await self._gateway.store.read(lambda tx: smsc.last_arrival(tx, self._id, digest, since, before))
        if earlier is None:
            return new
        self._claimed.add(digest)
        return earlier

    async def _message_of(self, fields: Mapping[str, Any]) -> str | None:
        ids, recipient = smpp_messages.receipt_ids(fields), self._adapter.sender_of(fields)
        if not ids or not recipient:
            return None
        recent = self._adapter.message_of(ids, recipient)
        return recent or await self._gateway.store.read(lambda tx: smsc.message_of_receipt(tx, self._id, recipient, ids))

    async def _keep(self, part: Part, fields: Mapping[str, Any], digest: str, at: int) -> bool:
        """Keep a part of a long message, and take the message in if it is whole now; False if the part must stand alone."""
        raw = json.dumps(fields)
        kept = await self._gateway.store.write(
            lambda tx: parts.keep_part(tx, self._id, part.series, part.number, part.total, digest=digest, raw=raw, at=at)
        )
        if kept:
            await self._join(part.series, at)
        return kept

    async def _join(self, series: str, at: int) -> None:
        """Take in a long message if it is whole, or has waited for long enough."""
        store, wait_ms = self._gateway.store, self._configured.settings.parts_wait_s * 1000
        kept = await store.read(lambda tx: parts.waiting_parts(tx, self._id, series))
        if not kept:
            return
        began_at, total = min(part.received_at for part in kept), kept[0].total
        if len(kept) < total and began_at > at - wait_ms:
            return
        fields = smpp_parts.joined([json.loads(part.raw) for part in kept], [part.number for part in kept], total)
        await self._receive({**fields, "id": f"{series}:{began_at}"}, at)
        await store.write(lambda tx: parts.end_series(tx, self._id, series, at))

    async def _look_after_parts(self) -> None:
        """Take in what no last part will complete any more, and what a dead process left complete; forget what is long done."""
        store, at = self._gateway.store, self._gateway.clock.now_ms()
        for series in await store.read(lambda tx: parts.waiting_series(tx, self._id)):
            await self._join(series, at)
        await store.write(lambda tx: parts.forget_series(tx, self._id, at - SERIES_MS))

    def _session(self, fields: Mapping[str, Any]) -> dict[str, str]:
        """Return which USSD session a step belongs to; the network's own number for it comes back too soon to be a name."""
        key = (str(fields["source_addr"]), fields["optional"].get("its_session_info", "")[:2])
        if smpp_messages.begins_session(fields):
            self._sessions.pop(key, None)
            self._sessions[key] = fields["id"]
            if len(self._sessions) > SESSIONS_MAX:
                del self._sessions[next(iter(self._sessions))]
        return {"session": self._sessions[key]} if key in self._sessions else {}

    async def _show(self, answer: Answer, fields: Mapping[str, Any]) -> None:
        try:
            await self._adapter.show(answer, fields)
        except SendError as error:
            _LOG.warning("a screen on %s was not taken: %s", self._id, error.code)
            self._gateway.counters.add("send_failures", channel=self._id, code=error.code.value)
