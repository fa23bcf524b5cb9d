"""Callers in a queue who are not as others: who hide their number, who want no messages; restarts on the way, and what is logged."""

from __future__ import annotations

import logging
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core import lines
from core.store import agents as rows
from tests.channels.demo import demo_with
from tests.channels.voice_twilio.calling import CHANNEL, answer, heard, ring
from tests.gateway.desk.signed import Signed, signed_in
from tests.gateway.lines.queued import HERE, IN, PHONE, Api, claim, enqueued, wait, waiting, work
from tests.gateway.running import ANNA, Running, running

LEG = {"CallSid": "CA" + "9" * 32, "Direction": "outbound-dial", "From": HERE, "To": PHONE}


async def test_a_caller_who_hides_their_number_waits_and_is_taken(parley: Running, desk: Signed, api: tuple[Api, str]) -> None:
    hidden = {**IN, "From": "anonymous"}
    people = await answer(parley, await ring(parley, **{**hidden, "CallStatus": "ringing"}), From="anonymous", Digits="0")
    document = await wait(parley, people[1], From="anonymous")
    assert heard(document).startswith("You are number 2")
    assert await claim(desk, (await work(parley))[0]) == "rings"
    assert (await ring(parley, api[0].asked[0][1]["Url"], **hidden))[1][0].text == PHONE


async def test_a_caller_who_wants_no_messages_is_served_like_others(parley: Running, desk: Signed, api: tuple[Api, str]) -> None:
    demo = parley.gateway.demo
    assert demo is not None
    await demo.twilio.deliver(ANNA, HERE, "STOP")
    _, item = await waiting(parley, desk)
    assert await claim(desk, item) == "rings"
    assert (await ring(parley, api[0].asked[0][1]["Url"], **IN))[1].tag == "Dial"


async def test_secrets_and_numbers_of_a_caller_who_waits_are_in_no_log(
    parley: Running, desk: Signed, api: tuple[Api, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    _, item = await waiting(parley, desk)
    api[0].status = 503
    assert await claim(desk, item) == "not_fetched"
    settings = parley.gateway.channels["line"]
    assert "could not be fetched" in caplog.text
    for secret in (ANNA, PHONE, settings.secret, *getattr(settings.settings, "auth_token", ())):
        assert secret not in caplog.text


@asynccontextmanager
async def started(tmp_path: Path, api: tuple[Api, str]) -> AsyncIterator[tuple[Running, Signed]]:
    channel = f'{CHANNEL}api_base = "{api[1]}"\ndial = ["* queue:helpers"]\n'
    async with running(tmp_path / "data", config=demo_with(tmp_path, channel)) as parley, signed_in(parley) as desk:
        yield parley, desk


async def test_a_restart_between_any_two_steps_costs_the_caller_nothing(tmp_path: Path, api: tuple[Api, str]) -> None:
    async def step(url: str, **given: str) -> ET.Element:
        async with started(tmp_path, api) as (parley, _):
            hook = parley.gateway.channels["line"].webhook_url
            return await ring(parley, f"{hook}?{url.partition('?')[2]}", **{**IN, **given})

    async with started(tmp_path, api) as (parley, _):
        enqueue = await enqueued(parley)
    await step(enqueue.attrib["waitUrl"], QueuePosition="1")
    async with started(tmp_path, api) as (parley, desk):
        item, _, _ = await work(parley)
        agent = next(one for one in await parley.gateway.store.read(rows.everyone) if one.login == "agent")
        assert await claim(desk, item) == "rings"
        assert await parley.gateway.store.write(lambda tx: lines.fetch(tx, item, agent, 0)) is None, "once"
    fetched = await step(api[0].asked[0][1]["Url"])
    assert fetched[1][0].text == PHONE
    whisper = await step(fetched[1][0].attrib["url"], **LEG)
    assert list(await step(whisper[0].attrib["action"], **LEG, Digits="1")) == []
    assert heard(await step(fetched[1].attrib["action"], DialCallStatus="completed", DialBridged="true")) == "Goodbye."


async def test_a_caller_who_was_to_be_fetched_when_the_gateway_died_can_be_taken_afterwards(tmp_path: Path, api: tuple[Api, str]) -> None:
    async with started(tmp_path, api) as (parley, desk):
        enqueue, item = await waiting(parley, desk)
        agent = next(one for one in await parley.gateway.store.read(rows.everyone) if one.login == "agent")
        before = parley.gateway.clock.now_ms() - lines.FETCHED_MS
        await parley.gateway.store.write(lambda tx: rows.set_phone(tx, agent.id, None))
        assert await claim(desk, item) == "no_phone"
        await parley.gateway.store.write(lambda tx: rows.set_phone(tx, agent.id, PHONE))
        assert await parley.gateway.store.write(lambda tx: lines.fetch(tx, item, agent, before)), "and died before it asked Twilio"
    async with started(tmp_path, api) as (parley, desk):
        hook = parley.gateway.channels["line"].webhook_url
        await ring(parley, f"{hook}?{enqueue.attrib['waitUrl'].partition('?')[2]}", **IN, QueuePosition="1")
        assert await claim(desk, item) == "rings"
