"""A talk on Telegram through the whole gateway: webhook in, Bot API out, commands, buttons that are pressed and answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.channels.telegram.person import Person, labels, talking


@pytest.fixture
async def asha(tmp_path: Path) -> AsyncIterator[Person]:
    async with talking(tmp_path) as person:
        yield person


@pytest.mark.parametrize("command", ["/start", "/start shop_42", "/start@example_bot", "/menu"])
async def test_a_talk_begins_with_the_menu(asha: Person, command: str) -> None:
    menu = await asha.asks(command)
    assert len(labels(menu)) > 3
    assert "did not understand" not in menu["text"]
    rows = await asha.parley.rows("select text from message where direction = 'inbound'")
    assert rows == [(command,)]


async def test_starting_in_the_middle_of_something_offers_to_go_on(asha: Person) -> None:
    asked = await asha.asks("top up")
    offered = await asha.asks("/start")
    assert offered["text"] != asked["text"]
    assert labels(offered) == ["Continue", "Start again"]
    assert len(labels(await asha.presses(offered, "Start again"))) > 3


async def test_commands_stand_for_their_words(asha: Person) -> None:
    menu = await asha.asks("menu")
    assert (await asha.asks("/help"))["text"] == (await asha.asks("help"))["text"]
    assert "phone number" in (await asha.asks("/top_up"))["text"]
    assert labels(await asha.asks("/menu@example_bot")) == labels(menu)


async def test_stop_withdraws_the_consent_and_start_gives_it_again(asha: Person) -> None:
    await asha.asks("/stop")
    assert await opted_out(asha)
    await asha.asks("/start")
    assert not await opted_out(asha)
    assert len(labels(await asha.asks("/start"))) > 3


async def opted_out(person: Person) -> bool:
    ((out,),) = await person.parley.rows("select opted_out_at is not null from contact_medium where kind = 'telegram'")
    return bool(out)


async def test_a_button_of_the_menu_is_pressed_and_answered(asha: Person) -> None:
    menu = await asha.asks("menu")
    assert all(len(button["callback_data"].encode()) <= 64 for row in menu["inline_keyboard"] for button in row)
    assert (await asha.presses(menu, labels(menu)[0]))["text"] != menu["text"]


async def test_a_button_of_an_answered_question_says_so_and_asks_what_is_open_now(asha: Person) -> None:
    menu = await asha.asks("menu")
    asked = await asha.presses(menu, "Report a fault")
    await asha.asks("cancel")
    await asha.asks("top up")
    stale = await asha.presses(asked, labels(asked)[0])
    assert "expired" in stale["text"]
    assert "phone number" in stale["text"]


async def test_an_update_that_comes_twice_is_answered_once(asha: Person) -> None:
    settings = asha.parley.gateway.channels["bot"].settings
    person = asha.chat.person
    message = {"message_id": 1, "date": 1_767_225_600, "chat": {"id": person["id"], "type": "private"}, "from": person, "text": "menu"}
    headers = {"X-Telegram-Bot-Api-Secret-Token": settings.webhook_secret[0]}
    for _ in range(2):
        assert await asha.parley.post("bot", json={"update_id": 40, "message": message}, headers=headers) == (200, "")
    await asha.sees()
    rows = await asha.parley.rows("select direction from message where channel_id = 'bot' order by seq")
    assert [direction for (direction,) in rows] == ["inbound", "outbound"]
    assert asha.silent


async def test_whoever_blocks_the_bot_is_not_written_to(asha: Person) -> None:
    await asha.asks("menu")
    assert await asha.telegram.block(asha.token, asha.phone, blocked=True)
    assert await opted_out(asha)
    assert await asha.telegram.block(asha.token, asha.phone, blocked=False)
    assert not await opted_out(asha)
