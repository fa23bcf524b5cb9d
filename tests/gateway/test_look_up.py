"""A whole gateway whose provider takes a message and closes the connection without a word: it is asked, and nothing goes twice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from core.reports.invariants import check
from gateway.compose import Tuning
from tests.gateway.running import Running, running
from tests.gateway.test_backfill import SMS, delivered
from tests.gateway.twilio_list import TwilioList

ANNA = "+254700000001"


def gateway(tmp_path: Path, twilio: TwilioList, wait_ms: int = 120_000) -> Any:
    overrides = {"channels.sms.api_base": twilio.base, "channels.sms.replies": "rest"}
    return running(tmp_path, overrides=overrides, tuning=Tuning(unknown_wait_ms=wait_ms))


async def until(parley: Running, sql: str) -> list[Any]:
    async with asyncio.timeout(30):
        with parley.gateway.hints.listen("events", "outbox") as listener:
            while not (rows := await parley.rows(sql)):
                await listener.wait(0.05)
    return rows


async def test_a_message_that_was_taken_without_a_word_is_found_and_not_repeated(tmp_path: Path) -> None:
    twilio = TwilioList()
    twilio.lost = True
    async with twilio.running(), gateway(tmp_path, twilio) as parley:
        await delivered(parley, MessageSid=f"SM{1:032x}", From=ANNA, To=SMS, Body="menu")
        assert await until(parley, "select attempts, external_id from outbox where state = 'delivered'") == [(1, f"SM{1_001:032x}")]
        assert len(twilio.forms) == 1
        assert await parley.rows("select outcome from attempt") == [("unknown",)]
        assert await parley.rows("select status from message where direction = 'outbound'") == [("delivered",)]
        assert parley.gateway.counters.value("look_ups", channel="sms", outcome="found") == 1
        assert await parley.gateway.store.read(check) == []


async def test_one_that_cannot_be_found_is_repeated_when_the_time_for_questions_is_over(tmp_path: Path) -> None:
    twilio = TwilioList()
    twilio.never_had = True
    async with twilio.running(), gateway(tmp_path, twilio, wait_ms=1_000) as parley:
        await delivered(parley, MessageSid=f"SM{1:032x}", From=ANNA, To=SMS, Body="menu")
        await until(parley, "select 1 from outbox where state = 'unknown'")
        twilio.never_had = False
        assert await until(parley, "select attempts, repeated from outbox where state = 'accepted'") == [(2, 1)]
        assert parley.gateway.counters.value("look_ups", channel="sms", outcome="absent") >= 1
