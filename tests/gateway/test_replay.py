"""Requests that are read again: one that breaks the reader stays a dead letter, and holds up none behind it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.model.inbound import InboundEvent, RawRequest, UnreadableRequest
from core.store import dead_letters
from gateway import replay
from tests.gateway.running import BEN, running


async def test_a_request_that_breaks_the_reader_stays_and_the_next_one_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path) as parley, asyncio.timeout(30):
        adapter = parley.gateway.channels["ussd"].adapter
        readable = adapter.parse

        def unreadable(_: RawRequest) -> list[InboundEvent]:
            raise UnreadableRequest("bad_number")

        def breaking(request: RawRequest) -> list[InboundEvent]:
            if b"s1" in request.body:
                raise ZeroDivisionError
            return list(readable(request))

        monkeypatch.setattr(adapter, "parse", unreadable)
        await parley.dial("", session="s1")
        await parley.dial("", session="s2", phone=BEN)
        monkeypatch.setattr(adapter, "parse", breaking)
        now = parley.gateway.clock.now_ms()
        for (entry,) in await parley.rows("select id from unreadable"):
            await parley.gateway.store.write(lambda tx, entry=entry: dead_letters.ask_again(tx, entry, now, "grace"))  # type: ignore[misc]
        with parley.gateway.hints.listen("events") as listener:
            parley.gateway.hints.wake(replay.TOPIC)
            while await parley.rows("select 1 from unreadable where again_at is not null"):
                await listener.wait(1.0)
        states = await parley.rows("select code, handled_reason from unreadable order by received_at, id")
        assert sorted(states) == [("bad_number", "replayed"), ("failed", None)]
        assert await parley.rows("select count(*) from message where address = ? and direction = 'inbound'", BEN) == [(1,)]
