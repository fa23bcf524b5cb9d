"""Webhooks that come several times, also at once: one turn, one effect, and every answer the same to the byte."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from core.store import journal
from core.store.api import Tx
from core.store.connection import SqliteTx
from tests.faults.actors import Sent, World, world
from tests.faults.checker import Verdict, verdict
from tests.faults.lives import make_home
from tests.faults.settling import settle

AT_ONCE = 48
SAID = ("menu", "help")


def events(around: World, number: int) -> list[Sent]:
    """Return requests by so many people that nobody says much."""
    made = []
    for index in range(number):
        msisdn, text = f"+25471{index % (number // 4):07d}", SAID[index * 4 // number % len(SAID)]
        match index % 3:
            case 0:
                made.append(around.ussd(f"s{index}", msisdn, ""))
            case 1:
                made.append(around.sms(index, msisdn, text, "twiml"))
            case _:
                made.append(around.sms(index, msisdn, text, "sms"))
    return made


async def deliver(folder: Path, number: int, spoil: Callable[[], None] | None = None) -> tuple[World, list[Sent], int, Verdict]:
    """Deliver each event one to five times, in disorder and many at once."""
    dice = random.Random(number)
    async with world(folder, make_home) as around:
        life = await around.home.live(spoil=spoil)
        made = events(around, number)
        posts = [sent for sent in made for _ in range(dice.randint(1, 5))]
        # Copies stay near each other, so that many of them are under way at the same moment.
        posts = [sent for _, sent in sorted(enumerate(posts), key=lambda entry: entry[0] + dice.uniform(0, 40))]
        waiting = iter(posts)

        async def provider() -> None:
            for sent in waiting:
                await around.post(life.url, sent)

        await asyncio.gather(*(provider() for _ in range(AT_ONCE)))
        await settle(around)
        life.stop()
        assert await life.ended() == 0
        return around, made, len(posts), verdict(around.home.store, around.history, around.provider)


def turns(around: World) -> list[tuple[int, int]]:
    """Return how many messages came in, and how many went out, for each journalled request."""
    store = apsw.Connection(str(around.home.store), apsw.SQLITE_OPEN_READONLY)
    try:
        tx = SqliteTx(store)
        return [
            (int(heard), int(said))
            for heard, said in tx.all(
                "select (select count(*) from message m where m.id = i.id),"
                " (select count(*) from message m where m.direction = 'outbound' and m.cause_id = i.id) from inbound i"
            )
        ]
    finally:
        store.close()


@pytest.mark.first
async def test_five_thousand_events_delivered_up_to_five_times_have_one_effect_each(tmp_path: Path) -> None:
    around, made, posts, found = await deliver(tmp_path, 5_000)
    assert posts > 14_000
    assert found.wrong == []
    assert around.history.differed == []
    assert set(around.history.statuses) == {200}
    assert around.history.acked.keys() == {sent.key for sent in made}
    assert turns(around) == [(1, 1)] * 5_000
    assert len(around.provider.accepted) == len(set(around.provider.accepted)) == sum(sent.key[0] == "sms" for sent in made)


def forget_what_came() -> None:
    """Look nothing up in the journal, and overwrite it."""
    insert = journal.insert

    def insert_again(tx: Tx, channel_id: str, external_id: str, *rest: object) -> None:
        tx.execute("delete from inbound where channel_id = ? and external_id = ?", (channel_id, external_id))
        insert(tx, channel_id, external_id, *rest)  # type: ignore[arg-type]

    journal.find = lambda _tx, _channel, _external: None
    journal.insert = insert_again


async def test_the_duplicates_find_a_gateway_that_forgets(tmp_path: Path) -> None:
    around, _, _, found = await deliver(tmp_path, 60, forget_what_came)
    assert found.doubled
    assert around.history.differed
