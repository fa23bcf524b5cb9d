"""Long messages whose parts arrive one by one, in any order, again, or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from channels.sms_vonage import parse
from core.model.inbound import InboundMessage, Part
from core.store.api import StoreUnavailable
from gateway import long_messages
from gateway.receive import take_in
from tests.channels.demo import demo_with
from tests.channels.sms_vonage.subject import request, said
from tests.gateway.running import Running, running

CHANNEL = """
[channels.vonage]
kind = "sms_vonage"
address = "+447700900001"
api_key = "abcd1234"
api_secret = { generated = true }
api_base = "http://127.0.0.1:9"
"""
TEXTS = ("I have no ", "signal at ", "home")


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path / "data", config=demo_with(tmp_path, CHANNEL)) as started:
        yield started


def part(number: int, text: str, ref: str = "7", total: int = 3) -> dict[str, str]:
    numbers = {"concat": "true", "concat-ref": ref, "concat-total": str(total), "concat-part": str(number)}
    return said(text, messageId=f"{ref}-{number}-{text[:2].strip()}", **numbers)


async def heard(parley: Running) -> list[str]:
    rows = await parley.rows("select text from message where direction = 'inbound' and channel_id = 'vonage' order by created_at, seq")
    return [text for (text,) in rows]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
async def test_parts_in_any_order_are_one_message(parley: Running, order: tuple[int, ...]) -> None:
    for number in order:
        assert await heard(parley) == []
        for _ in range(2):  # each comes twice
            assert await parley.post("vonage", data=part(number, TEXTS[number - 1])) == (200, "")
    assert await heard(parley) == ["I have no signal at home"]
    assert await parley.rows("select distinct raw from message_part") == [("",)]


async def test_the_next_long_message_may_have_the_same_number(parley: Running) -> None:
    for text in ("one", "two"):
        for number in (1, 2):
            await parley.post("vonage", data=part(number, f"{text}{number}", total=2))
    assert await heard(parley) == ["one1one2", "two1two2"]


async def test_another_text_in_the_place_of_a_part_stands_alone(parley: Running) -> None:
    await parley.post("vonage", data=part(1, "mine"))
    await parley.post("vonage", data=part(1, "other"))
    assert await heard(parley) == ["other"]


async def test_what_is_never_completed_is_taken_in_with_a_mark(parley: Running) -> None:
    await parley.post("vonage", data=part(1, TEXTS[0]))
    await parley.post("vonage", data=part(3, TEXTS[2]))
    configured, now = parley.gateway.channels["vonage"], parley.gateway.clock.now_ms()
    await long_messages._late(parley.gateway, configured, take_in, now)
    assert await heard(parley) == []
    await long_messages._late(parley.gateway, configured, take_in, now + 61_000)
    await long_messages._late(parley.gateway, configured, take_in, now + 62_000)
    assert await heard(parley) == ["I have no [...]home"]


async def test_what_a_dead_process_left_complete_is_taken_in_by_the_next(tmp_path: Path) -> None:
    config = demo_with(tmp_path, CHANNEL)
    async with AsyncExitStack() as stack:
        parley = await stack.enter_async_context(running(tmp_path / "data", config=config))
        await parley.post("vonage", data=part(1, "a ", total=2))
        configured = parley.gateway.channels["vonage"]
        (event,) = parse(request(part(2, "b", total=2)), "GB")
        assert isinstance(event, InboundMessage)

        async def dies(_: InboundMessage) -> None:
            raise StoreUnavailable("closed")

        with pytest.raises(StoreUnavailable):
            await long_messages.take_part(parley.gateway, configured, event, 1, dies)  # type: ignore[arg-type]
        assert await heard(parley) == []
    async with running(tmp_path / "data", config=config) as parley:
        await long_messages._late(parley.gateway, parley.gateway.channels["vonage"], take_in, parley.gateway.clock.now_ms())
        assert await heard(parley) == ["a b"]


NO_PARTS = [
    {"concat": "false"},
    {"concat-total": "1"},
    {"concat-part": "4"},
    {"concat-part": "0"},
    {"concat-ref": ""},
    {"concat-part": "x"},
]


@pytest.mark.parametrize("changed", NO_PARTS)
def test_what_is_no_part(changed: dict[str, str]) -> None:
    (event,) = parse(request({**part(2, "hello"), **changed}), "GB")
    assert isinstance(event, InboundMessage)
    assert event.part is None
    (whole,) = parse(request(part(2, "hello")), "GB")
    assert isinstance(whole, InboundMessage)
    assert whole == replace(event, part=Part("7", 2, 3))
