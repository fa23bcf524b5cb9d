"""What came while the gateway was away is in the record afterwards: once, in order, marked late, and answered only if it is fresh."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from core.clock import Clock
from core.reports.invariants import check
from core.store import provider_cursors
from core.store.api import StoreUnavailable
from gateway import backfill
from gateway.compose import Tuning
from tests.gateway.running import Running, running
from tests.gateway.twilio_list import TwilioList

SMS = "+254711082000"
BEGINNING = 1_800_000_000_000
MINUTE_MS = 60_000


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = BEGINNING
        self.clock = Clock(now_ms=lambda: self.now)


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioList]:
    async with TwilioList().running() as started:
        yield started


async def fetched(parley: Running) -> int:
    return await backfill.fetch(parley.gateway, parley.gateway.channels["sms"])


@asynccontextmanager
async def living(tmp_path: Path, twilio: TwilioList, time: Time) -> AsyncIterator[Running]:
    """A gateway that has read the list once, as it does by itself when it starts."""
    overrides = {"channels.sms.api_base": twilio.base, "channels.sms.replies": "rest"}
    async with running(tmp_path, overrides=overrides, tuning=Tuning(clock=time.clock)) as parley:
        await until(parley, "select 1 from provider_cursor where channel_id = 'sms' and read_up_to = ?", time.now - backfill.SETTLE_MS)
        yield parley


async def until(parley: Running, sql: str, *args: Any) -> None:
    """Wait until a statement finds something."""
    async with asyncio.timeout(30):
        with parley.gateway.hints.listen("events") as listener:
            while not await parley.rows(sql, *args):
                await listener.wait(0.05)


async def delivered(parley: Running, **form: str) -> None:
    """Have a message delivered as Twilio does."""
    sms = parley.gateway.channels["sms"]
    form["AccountSid"] = sms.settings.account_sid
    signature = RequestValidator(sms.settings.auth_token[0]).compute_signature(sms.webhook_url, form)
    status, _ = await parley.post("sms", data=form, headers={"X-Twilio-Signature": signature})
    assert status == 200


async def heard(parley: Running) -> list[Any]:
    return await parley.rows("select text, created_at from message where direction = 'inbound' order by created_at, id")


async def test_two_hundred_messages_of_a_gap_are_recorded_once_in_order_and_marked_late(tmp_path: Path, twilio: TwilioList) -> None:
    time = Time()
    async with living(tmp_path, twilio, time):
        pass
    gap_begins = time.now
    for number in range(200):
        sender = f"+2547000{number % 40:05d}"
        twilio.add(number, gap_begins + number * 3_000, **{"from": sender, "to": SMS, "body": f"word {number}"})
    twilio.add(900, gap_begins + 1_000, **{"from": "+254700000001", "to": "+254711082999", "body": "not for us"})
    time.now += 12 * MINUTE_MS
    async with living(tmp_path, twilio, time) as parley:
        await fetched(parley)
        found = await heard(parley)
        assert [text for text, _ in found] == [f"word {number}" for number in range(200)]
        assert [at for _, at in found] == [gap_begins + number * 3_000 for number in range(200)]
        in_order = await parley.rows(
            "select conversation_id, seq, text from message where direction = 'inbound' order by conversation_id, seq"
        )
        for one, following in pairwise(in_order):
            assert one[0] != following[0] or int(one[2].split()[1]) < int(following[2].split()[1])
        late = await parley.rows("select body from event where kind = 'message.in'")
        assert [json.loads(body) for (body,) in late] == [{"late": True}] * 200
        assert len({query for query in twilio.asked if "Page=" in query}) > 1
        assert parley.gateway.counters.value("messages_missed", channel="sms") == 200
        assert await parley.gateway.store.read(check) == []


async def test_what_is_fresh_is_answered_by_message_and_what_is_old_goes_to_a_person(tmp_path: Path, twilio: TwilioList) -> None:
    time = Time()
    async with living(tmp_path, twilio, time):
        pass
    twilio.add(1, time.now + MINUTE_MS, **{"from": "+254700000001", "to": SMS, "body": "menu"})
    twilio.add(2, time.now + 25 * MINUTE_MS, **{"from": "+254700000002", "to": SMS, "body": "menu"})
    time.now += 30 * MINUTE_MS
    async with living(tmp_path, twilio, time) as parley:
        items = "select i.address, w.reason from work_item w join interaction i on i.id = w.interaction_id"
        assert await parley.rows(items) == [("+254700000001", "came_while_away")]
        assert await parley.rows("select distinct address from message where direction = 'outbound'") == [("+254700000002",)]
        assert await parley.rows("select count(*) from outbox") == [(1,)]


async def test_what_came_after_all_is_known_and_what_is_young_is_left_to_its_webhook(tmp_path: Path, twilio: TwilioList) -> None:
    time = Time()
    async with living(tmp_path, twilio, time) as parley:
        sid = f"SM{1:032x}"
        twilio.add(1, time.now + 1_000, **{"from": "+254700000001", "to": SMS, "body": "menu"})
        await delivered(parley, MessageSid=sid, From="+254700000001", To=SMS, Body="menu")
        twilio.add(2, time.now + 5 * MINUTE_MS, **{"from": "+254700000002", "to": SMS, "body": "menu"})
        time.now += 5 * MINUTE_MS
        assert await fetched(parley) == 0
        time.now += 2 * MINUTE_MS
        assert await fetched(parley) == 1
        assert len(await heard(parley)) == 2


async def test_a_list_that_cannot_be_read_is_read_later_from_the_same_place(tmp_path: Path, twilio: TwilioList) -> None:
    time = Time()
    async with living(tmp_path, twilio, time) as parley:
        before = await parley.rows("select read_up_to from provider_cursor where channel_id = 'sms'")
        twilio.messages.append({"to": SMS, "from": "+254700000001"})
        base, parley.gateway.channels["sms"].adapter._rest.lists._base = twilio.base, "http://127.0.0.1:9"
        time.now += 5 * MINUTE_MS
        assert await fetched(parley) == 0
        assert await parley.rows("select read_up_to from provider_cursor where channel_id = 'sms'") == before
        assert parley.gateway.counters.value("back_fill_failures", channel="sms", code="not_connected") == 1
        parley.gateway.channels["sms"].adapter._rest.lists._base = base
        assert await fetched(parley) == 0
        assert await parley.rows("select read_up_to from provider_cursor where channel_id = 'sms'") != before


async def test_a_list_is_read_again_when_the_process_ended_before_it_noted_how_far(
    tmp_path: Path, twilio: TwilioList, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time()

    def fails(*_: Any) -> None:
        raise StoreUnavailable("io_error")

    async with living(tmp_path, twilio, time) as parley:
        twilio.add(1, time.now, **{"from": "+254700000001", "to": SMS, "body": "menu"})
        time.now += 5 * MINUTE_MS
        monkeypatch.setattr(provider_cursors, "move", fails)
        with pytest.raises(StoreUnavailable):
            await fetched(parley)
        assert len(await heard(parley)) == 1
        monkeypatch.undo()
        assert await fetched(parley) == 0
        assert len(await heard(parley)) == 1
