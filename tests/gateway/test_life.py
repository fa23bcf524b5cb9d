"""A gateway from end to end, with the demo operator's billing slow, failing or down, and restarts in between."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from gateway.compose import Tuning
from gateway.simulator.twilio import Fault
from tests.gateway.running import ANNA, Running, running

SMS = "+254711082000"


async def behave(parley: Running, mode: str, **more: Any) -> None:
    assert parley.gateway.demo is not None
    async with parley.http.put(f"{parley.gateway.demo.bss_url}/demo/behaviour", json={"mode": mode, **more}) as answer:
        assert answer.status == 200


async def payments(parley: Running) -> list[Any]:
    assert parley.gateway.demo is not None
    async with parley.http.get(f"{parley.gateway.demo.bss_url}/demo/payments") as answer:
        document = await answer.json()
    return list(document["payments"])


async def phone_has(parley: Running, words: str, *, times: int = 1) -> list[str]:
    """Return the texts on the phone once `words` stand in so many of them."""
    assert parley.gateway.demo is not None
    twilio = parley.gateway.demo.twilio
    arrived = asyncio.Event()

    async def note(_: Any) -> None:
        arrived.set()

    twilio.listen(note)
    async with asyncio.timeout(10):
        while True:
            texts = [message.body for message in twilio.messages(ANNA) if message.direction != "inbound"]
            if sum(words in text for text in texts) >= times:
                return texts
            await arrived.wait()
            arrived.clear()


async def test_an_sms_is_answered_and_its_delivery_is_known(tmp_path: Path) -> None:
    async with running(tmp_path) as parley:
        assert parley.gateway.demo is not None
        await parley.gateway.demo.twilio.deliver(ANNA, SMS, "balance")
        await phone_has(parley, "KES")
        await parley.gateway.demo.twilio.reported()
        rows = await parley.rows("select direction, author, status from message where channel_id = 'sms' order by seq")
        assert rows[0] == ("inbound", "customer", "received")
        assert rows[1] == ("outbound", "bot", "delivered")
        assert await parley.rows("select media_type, reason, contact_type from interaction") == [("sms", "balance", "customer")]


async def test_a_top_up_by_ussd_is_paid_once(tmp_path: Path) -> None:
    async with running(tmp_path) as parley:
        for text in ("", "2", "2*50", "2*50*1", "2*50*1"):
            status, screen = await parley.dial(text)
            assert status == 200
        assert screen.startswith("END ")
        assert [payment["amount"]["value"] for payment in await payments(parley)] == [50.0]


async def test_a_slow_answer_ends_the_screen_and_follows_by_sms(tmp_path: Path) -> None:
    async with running(tmp_path) as parley:
        await behave(parley, "slow", delay_s=6)
        await parley.dial("")
        _, screen = await parley.dial("1")
        assert screen.startswith("END ")
        assert "KES" not in screen
        assert parley.gateway.counters.value("late_answers", channel="ussd") == 1
        await phone_has(parley, "KES")


async def test_a_failing_system_is_a_clear_text_and_a_second_failure_hands_over(tmp_path: Path) -> None:
    async with running(tmp_path) as parley:
        await behave(parley, "fail")
        await parley.dial("")
        _, first = await parley.dial("1")
        assert "KES" not in first
        text = "1"
        for _ in range(3):
            text += "*1"
            _, screen = await parley.dial(text)
            if screen.startswith("END"):
                break
        assert await parley.rows("select state from work_item") == [("waiting",)]


async def test_an_action_cut_off_by_a_restart_is_done_once_and_its_result_follows(tmp_path: Path) -> None:
    async with running(tmp_path) as parley:
        for text in ("", "2", "2*50"):
            await parley.dial(text)
        await behave(parley, "slow", delay_s=30)
        waiting = asyncio.create_task(parley.dial("2*50*1"))
        async with asyncio.timeout(10):
            with parley.gateway.hints.listen("events") as listener:
                while not await parley.rows("select 1 from action where state = 'running'"):
                    await listener.wait(1)
        waiting.cancel()
        parley.gateway.store.close()  # the process dies: nothing of what still runs can be written
        await behave(parley, "ok")
    async with running(tmp_path) as parley:
        await phone_has(parley, "50")
        assert [payment["amount"]["value"] for payment in await payments(parley)] == [50.0]
        assert await parley.rows("select max(attempts), count(*) from action where state = 'running'") == [(None, 0)]


async def test_a_provider_that_is_down_gets_the_message_when_it_is_back(tmp_path: Path) -> None:
    async with running(tmp_path, tuning=Tuning(unknown_wait_ms=100)) as parley:
        assert parley.gateway.demo is not None
        twilio = parley.gateway.demo.twilio
        twilio.fault = Fault.LOST_ANSWER
        await twilio.deliver(ANNA, SMS, "balance")
        await phone_has(parley, "KES")
        twilio.fault = Fault.OK
        await phone_has(parley, "KES", times=1)
        await twilio.reported()
        (row,) = await parley.rows("select status from message where direction = 'outbound'")
        assert row == ("delivered",)
