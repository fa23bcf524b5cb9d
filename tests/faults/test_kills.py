"""A gateway that is killed again and again under a mixed load: what it acknowledged is in the record, and nothing happens twice."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from core.store.waiters import Job, Outcome
from core.store.waiters import settle as settle_now
from core.store.writer import Writer
from tests.faults.actors import GONE, World, chat, window, world
from tests.faults.checker import verdict
from tests.faults.lives import Life, make_home
from tests.faults.settling import settle

TEXTS = ("menu", "1", "2", "balance", "100", "yes", "help", "pay", "no", "back", "agent", "żółw 🐢", "9")
KEYS = ("1", "2", "0", "100", "1", "9")
PEOPLE = 60


class Crowd:
    """The customers of all lives: who they are, and where their USSD session stands."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.dice = random.Random(seed)
        self.numbers = itertools.count(1)
        self.sessions: dict[str, tuple[str, str]] = {}
        self.tokens: dict[int, str] = {}

    def msisdn(self) -> str:
        return f"+2547110{self.dice.randrange(PEOPLE):05d}"

    async def dials(self, url: str) -> bool:
        msisdn = self.msisdn()
        session_id, text = self.sessions.pop(msisdn, ("", ""))
        if session_id:
            text = f"{text}*{self.dice.choice(KEYS)}".removeprefix("*")
        else:
            session_id = f"s{next(self.numbers)}"
        answer = await self.world.post(url, self.world.ussd(session_id, msisdn, text))
        if answer is not None and answer.startswith(b"CON"):
            self.sessions[msisdn] = (session_id, text)
        return answer is not None

    async def writes(self, url: str) -> bool:
        sent = self.world.sms(next(self.numbers), self.msisdn(), self.dice.choice(TEXTS), self.dice.choice(("sms", "twiml")))
        return await self.world.post(url, sent) is not None

    async def repeats(self, url: str) -> bool:
        return await self.world.repeat(url, self.dice) is not None

    async def chats(self, url: str, window_no: int) -> None:
        async with window(self.world, url, self.tokens.get(window_no, "")) as (socket, token):
            self.tokens[window_no] = token
            for _ in range(8):
                await chat(self.world, socket, token, f"m{next(self.numbers)}", self.dice.choice(TEXTS))

    async def one_life(self, life: Life) -> None:
        """Load the gateway from all sides until it is gone."""
        calls: list[Callable[[str], Coroutine[Any, Any, bool]]] = [self.dials] * 4 + [self.writes] * 3 + [self.repeats]

        async def customer(call: Callable[[str], Coroutine[Any, Any, bool]]) -> None:
            while await call(life.url):
                continue

        async def visitor(number: int) -> None:
            try:
                await self.chats(life.url, number)
            except GONE:
                return

        await asyncio.gather(*map(customer, calls), *map(visitor, range(2)))


async def kill_again_and_again(folder: Path, kills: int, seed: int, spoil: Callable[[], None] | None = None) -> World:
    async with world(folder, make_home) as around:
        crowd = Crowd(around, seed)
        for _ in range(kills):
            life = await around.home.live(spoil=spoil)
            asyncio.get_running_loop().call_later(crowd.dice.uniform(0.01, 0.2), life.kill)
            await crowd.one_life(life)
            assert await life.ended() == -9
        life = await around.home.live()
        await settle(around)
        life.stop()
        assert await life.ended() == 0
        return around


def judge(around: World) -> None:
    history = around.history
    found = verdict(around.home.store, history, around.provider)
    assert found.wrong == []
    assert history.differed == []
    assert set(history.statuses) <= {200, 503}, history.statuses


@pytest.mark.first
async def test_nothing_acknowledged_is_lost_when_the_gateway_is_killed(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    kills = request.config.getoption("--kills")
    around = await kill_again_and_again(tmp_path, kills, seed=20_261)
    judge(around)
    channels = {channel for channel, _ in around.history.acked}
    assert channels == {"ussd", "sms", "twiml", "web"}
    assert len(around.history.acked) > 10 * kills
    assert len(around.history.sent) > len(around.history.acked)  # some kills came in the middle of a request
    assert len(around.provider.accepted) > kills // 4  # a slow machine sends less between two kills


def acknowledge_too_early() -> None:
    """Tell the waiters before the commit, as a program would that trusts the commit to come."""

    def perform(self: Writer, batch: list[Job]) -> list[Outcome]:
        settle_now(self._run_units(batch))
        threading.Event().wait(0.02)
        self._command("commit")
        return []

    Writer._perform = perform  # type: ignore[method-assign]


async def test_the_kills_find_a_gateway_that_acknowledges_too_early(tmp_path: Path) -> None:
    around = await kill_again_and_again(tmp_path, 8, seed=3, spoil=acknowledge_too_early)
    assert verdict(around.home.store, around.history, around.provider).lost
