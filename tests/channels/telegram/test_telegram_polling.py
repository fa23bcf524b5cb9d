"""Bots without a webhook: updates are asked for, taken in as if Telegram had called, and confirmed only afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.store.api import StoreUnavailable
from gateway.simulator.telegram_wire import Refusal
from tests.channels.telegram.person import CHANNEL, Person, labels, talking

POLLING = f'{CHANNEL.replace("webhook_secret = { generated = true }", "")}updates = "polling"\n'


@pytest.fixture
async def asha(tmp_path: Path) -> AsyncIterator[Person]:
    async with talking(tmp_path, POLLING) as person:
        yield person


async def test_a_talk_without_a_webhook(asha: Person) -> None:
    menu = await asha.asks("/start")
    assert (await asha.presses(menu, labels(menu)[0]))["text"] != menu["text"]


async def test_what_the_store_did_not_take_is_asked_for_again(asha: Person) -> None:
    store, write, failed = asha.parley.gateway.store, asha.parley.gateway.store.write, asyncio.Event()

    async def unavailable(unit: object) -> None:
        failed.set()
        raise StoreUnavailable("disk_full")

    store.write = unavailable  # type: ignore[method-assign,assignment]
    await asha.writes("menu")
    await asyncio.wait_for(failed.wait(), 20)
    store.write = write  # type: ignore[method-assign]
    assert len(labels(await asha.sees())) > 3


async def test_a_webhook_is_in_the_way_and_the_log_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with talking(tmp_path, POLLING) as asha:
        asha.telegram.answers.append(Refusal(409, "Conflict: can't use getUpdates method while webhook is active"))
        await asha.asks("menu")
    assert "the bot has a webhook" in caplog.text
    assert asha.token not in caplog.text
