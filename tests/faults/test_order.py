"""Within a conversation everything keeps its order: what customers say, what is answered, and what reaches the phone."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path

import apsw

from core.store import outbox
from tests.faults.actors import World, world
from tests.faults.lives import make_home
from tests.faults.settling import settle

PEOPLE = 200
EACH = 6
SAID = ("menu", "help")


async def talk(folder: Path, people: int, spoil: object = None) -> World:
    """Let people write one message after the other, all of them at once."""
    async with world(folder, make_home) as around:
        life = await around.home.live(spoil=spoil)  # type: ignore[arg-type]

        async def person(number: int) -> None:
            for turn in range(EACH):
                sent = around.sms(number * EACH + turn, f"+25471{number:07d}", SAID[turn % 2])
                assert await around.post(life.url, sent) is not None

        around.provider.hold()
        await asyncio.gather(*map(person, range(people)))
        around.provider.release()  # only now does the first message of each person go through, with all the others behind it
        await settle(around)
        life.stop()
        assert await life.ended() == 0
        return around


def heard(around: World) -> dict[str, list[int]]:
    """Return the numbers of the messages of each person, in the order of the record."""
    return _by_person(around, "select address, cause_id from message where direction = 'inbound' order by conversation_id, seq")


def _by_person(around: World, sql: str) -> dict[str, list[int]]:
    store = apsw.Connection(str(around.home.store), apsw.SQLITE_OPEN_READONLY)
    try:
        found: dict[str, list[int]] = defaultdict(list)
        for address, sid in store.execute(sql).fetchall():
            found[str(address)].append(int(str(sid).removeprefix("SM"), 16))
        return found
    finally:
        store.close()


def misplaced(around: World) -> int:
    """Count the messages that reached a phone before one that was said earlier."""
    store = apsw.Connection(str(around.home.store), apsw.SQLITE_OPEN_READONLY)
    places = dict(store.execute("select id, seq from message where direction = 'outbound'").fetchall())
    store.close()
    reached: dict[str, int] = {}
    wrong = 0
    for message_id, recipient, _ in around.provider.accepted:
        wrong += places[message_id] < reached.get(recipient, 0)
        reached[recipient] = places[message_id]
    return wrong


async def test_the_order_is_kept_in_each_of_200_conversations(tmp_path: Path) -> None:
    around = await talk(tmp_path, PEOPLE)
    assert heard(around) == {f"+25471{number:07d}": [number * EACH + turn for turn in range(EACH)] for number in range(PEOPLE)}
    assert len(around.provider.accepted) == PEOPLE * EACH
    assert misplaced(around) == 0


def send_whatever_is_due() -> None:
    """Claim messages without regard to those before them."""
    outbox._DUE, outbox._NEXT = (sql.replace(outbox._HEAD, "true") for sql in (outbox._DUE, outbox._NEXT))
    outbox._HEAD = "true"


async def test_the_order_test_finds_a_dispatcher_without_order(tmp_path: Path) -> None:
    assert misplaced(await talk(tmp_path, 3, send_whatever_is_due)) > 0
