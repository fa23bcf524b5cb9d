"""The gateway ends at each named point of the program, on each channel, the first and the third time it gets there; then it lives again.

Whoever was outside behaves as such people do: what was not answered is sent again, and the conversation goes on to its end.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from gateway.backend import HttpBackend
from tests.faults.actors import GONE, Sent, World, chat, window, world
from tests.faults.checker import verdict
from tests.faults.lives import CRASHED, Life, NotAlive, make_home
from tests.faults.settling import settle

ROOT = Path(__file__).parents[2]
MSISDN = "+254711000077"
AMOUNT = 77
CHANNELS = ("ussd", "sms", "twiml", "web")
# Where a point lies on the way of some channels only.
_OWN_TESTS = {"backfill": (), "kept": (), "mailbox": (), "media": ()}
ONLY = {"dispatch": ("sms",), "receipt": ("sms",), "timer": ("ussd",), **_OWN_TESTS}
# The first commits are those of the start itself; the eighth and tenth lie in the conversation.
HITS = {"timer": ("1",), "store": ("1", "8", "10")}


def points() -> list[str]:
    """Return the names of all crash points, read from the program, so that a new one is tested at once."""
    named = re.compile(r"\bpoint\(\"([a-z_.]+)\"\)")
    files = [file for folder in ("core", "gateway", "dialogs", "channels") for file in sorted((ROOT / folder).rglob("*.py"))]
    return sorted({name for file in files for name in named.findall(file.read_text(encoding="utf-8"))})


def runs() -> Iterator[tuple[str, str, str]]:
    for name in points():
        area = name.partition(".")[0]
        for channel in ONLY.get(area, CHANNELS):
            for hit in HITS.get(area, ("1", "3")):
                yield name, channel, hit


Spoil = Callable[[], None] | None


class Customer:
    """Asks for the balance twice and pays once, on one channel, however often the gateway dies in between."""

    SAID = ("balance", "balance", "pay", str(AMOUNT), "yes")

    def __init__(self, around: World, channel: str) -> None:
        self.around, self.channel = around, channel
        self.done = 0
        self.token = ""

    def steps(self) -> list[Sent]:
        if self.channel == "ussd":
            dialled = [
                ("s1", ""),
                ("s1", "1"),
                ("s2", ""),
                ("s2", "1"),
                *(("s3", text) for text in ("", "2", f"2*{AMOUNT}", f"2*{AMOUNT}*1")),
            ]
            return [self.around.ussd(session_id, MSISDN, text) for session_id, text in dialled]
        return [self.around.sms(number, MSISDN, text, self.channel) for number, text in enumerate(self.SAID)]

    async def go_on(self, life: Life) -> None:
        """Say what is left to say; returns early if the gateway is gone."""
        if self.channel == "web":
            await self._chat(life)
            return
        steps = self.steps()
        while self.done < len(steps):
            if await self.around.post(life.url, steps[self.done]) is None:
                return
            self.done += 1
            await settle(self.around, life)  # nobody says the next thing before the answer is there
        if self.channel == "sms":
            await self._report(life)

    async def _report(self, life: Life) -> None:
        """Tell, as the provider does, that each message was delivered."""
        for number, (message_id, _, _) in enumerate(self.around.provider.accepted, start=1):
            await self.around.post(life.url, self.around.report(message_id, f"SM{number:032x}", "delivered"))

    async def _chat(self, life: Life) -> None:
        try:
            async with window(self.around, life.url, self.token) as (socket, self.token):
                for number, text in list(enumerate(self.SAID))[self.done :]:
                    await chat(self.around, socket, self.token, f"m{number}", text)
                    self.done += 1
                    await settle(self.around, life)
        except GONE:
            return


def payments(around: World) -> int:
    """How often money moved, as the billing system's own book says."""
    paid = 0
    for folder in (around.home.folder / "bss", around.home.data):
        book = apsw.Connection(str(folder / "demo-bss.sqlite3"))
        paid += int(book.execute("select count(*) from payment").fetchall()[0][0])
        book.close()
    return paid


async def crash_and_recover(folder: Path, point: str, channel: str, hit: str, spoil: Spoil = None) -> tuple[int, World, int]:
    """Return how the first life ended, and the world after the second with the number of payments."""
    async with world(folder, make_home) as around:
        customer = Customer(around, channel)
        if point.startswith("timer"):
            await _leave_a_timer(around)
        ended = await _first_life(around, customer, f"{point}:{hit}", spoil)
        life = await around.home.live()
        await settle(around)  # what the first life had begun comes to its end before the customer speaks again
        await customer.go_on(life)
        await settle(around)
        life.stop()
        assert await life.ended() == 0
        return ended, around, payments(around)


async def _first_life(around: World, customer: Customer, crash_at: str, spoil: Spoil) -> int:
    try:
        life = await around.home.live(spoil=spoil, PARLEY_CRASH_AT=crash_at)
    except NotAlive as early:
        return early.code
    await customer.go_on(life)
    if life.process.is_alive():  # the point may lie behind the last answer
        await settle(around, life)
        await asyncio.to_thread(life.process.join, 0.2)
    if life.process.is_alive():
        life.stop()
    return await life.ended()


async def _leave_a_timer(around: World) -> None:
    """Let a timer be due when the gateway starts."""
    life = await around.home.live()
    await around.post(life.url, around.ussd("earlier", "+254711000011", ""))
    life.stop()
    await life.ended()
    store = apsw.Connection(str(around.home.store))
    store.execute("update timer set due_at = 1").fetchall()
    assert store.changes() > 0
    store.close()


@pytest.mark.parametrize(("point", "channel", "hit"), list(runs()))
async def test_a_crash_at_any_point_loses_nothing_and_repeats_nothing(tmp_path: Path, point: str, channel: str, hit: str) -> None:
    ended, around, paid = await crash_and_recover(tmp_path, point, channel, hit)
    assert ended == CRASHED, f"{point} was not reached {hit} times"
    found = verdict(around.home.store, around.history, around.provider)
    assert found.wrong == []
    assert around.history.differed == []
    assert paid == 1
    assert _told(around) == 1


def _told(around: World) -> int:
    """How often the record tells the customer that they paid."""
    return _number(around, "select count(*) from message where direction = 'outbound' and text like 'Paid %'")


def _number(around: World, sql: str) -> int:
    store = apsw.Connection(str(around.home.store), apsw.SQLITE_OPEN_READONLY)
    try:
        return int(store.execute(sql).fetchall()[0][0])  # type: ignore[arg-type]
    finally:
        store.close()


async def test_the_points_end_the_process_only_when_armed(tmp_path: Path) -> None:
    ended, around, paid = await crash_and_recover(tmp_path, "no.such_point", "ussd", "1")
    assert (ended, paid, _told(around)) == (0, 1, 1)
    assert verdict(around.home.store, around.history, around.provider).wrong == []


def pay_with_new_keys() -> None:
    """Give each try of a payment a key of its own, as a program would that makes keys when it sends."""
    request = HttpBackend.request

    async def with_new_key(self: HttpBackend, method: str, path: str, *, key: str | None = None, **more: Any) -> tuple[int, Any]:
        return await request(self, method, path, key=key and uuid.uuid4().hex, **more)

    HttpBackend.request = with_new_key  # type: ignore[method-assign]


async def test_the_crashes_find_a_gateway_that_pays_twice(tmp_path: Path) -> None:
    ended, _, paid = await crash_and_recover(tmp_path, "action.after", "ussd", "3", pay_with_new_keys)
    assert ended == CRASHED
    assert paid == 2


def test_every_point_is_described() -> None:
    text = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    areas = "accept|store|action|backfill|dispatch|kept|mailbox|media|receipt|timer"
    assert set(re.findall(rf"`((?:{areas})\.[a-z_]+)`", text)) == set(points())
