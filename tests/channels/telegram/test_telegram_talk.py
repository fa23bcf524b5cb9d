"""A talk on Telegram through the whole gateway: webhook in, Bot API out, buttons that are pressed and answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from channels.telegram import Settings
from tests.channels.demo import demo_with
from tests.channels.telegram.subject import MESSAGE
from tests.gateway.running import Running, running

CHANNEL = """
[channels.bot]
kind = "telegram"
address = "@example_bot"
bot_token = { generated = true }
webhook_secret = { generated = true }
api_base = "API"
"""


class Person:
    """Someone with Telegram: writes to the bot by webhook, and sees what the bot asks Telegram to show."""

    def __init__(self) -> None:
        self.calls: asyncio.Queue[tuple[str, dict[str, str]]] = asyncio.Queue()
        self.parley: Running | None = None
        self._updates = 0

    async def answer(self, call: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await call.post()).items()}
        await self.calls.put((call.match_info["method"], form))
        return web.json_response({"ok": True, "result": MESSAGE})

    async def sees(self, method: str = "sendMessage") -> dict[str, str]:
        asked, form = await asyncio.wait_for(self.calls.get(), 20)
        assert asked == method
        return form

    async def update(self, **what: Any) -> None:
        assert self.parley is not None
        self._updates += 1
        settings = self.parley.gateway.channels["bot"].settings
        assert isinstance(settings, Settings)
        headers = {"X-Telegram-Bot-Api-Secret-Token": settings.webhook_secret[0]}
        status, body = await self.parley.post("bot", json={"update_id": self._updates, **what}, headers=headers)
        assert (status, body) == (200, "")

    async def writes(self, text: str) -> None:
        chat = {"id": 77, "type": "private", "first_name": "Asha"}
        person = {"id": 77, "is_bot": False, "first_name": "Asha"}
        await self.update(message={"message_id": 1, "date": 1_767_225_600, "chat": chat, "from": person, "text": text})


@pytest.fixture
async def asha(tmp_path: Path) -> AsyncIterator[Person]:
    person = Person()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", person.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    config = demo_with(tmp_path, CHANNEL.replace('"API"', f'"http://{host}:{port}"'))
    async with running(tmp_path / "data", config=config) as parley:
        person.parley = parley
        yield person
    await runner.cleanup()


async def test_a_button_of_the_menu_is_pressed_and_answered(asha: Person) -> None:
    await asha.writes("menu")
    menu = await asha.sees()
    assert menu["chat_id"] == "77"
    buttons = [button for row in json.loads(menu["reply_markup"])["inline_keyboard"] for button in row]
    assert len(buttons) > 3
    assert all(len(button["callback_data"].encode()) <= 64 for button in buttons)
    await asha.update(callback_query={"id": "9001", "from": {"id": 77, "first_name": "Asha"}, "data": buttons[0]["callback_data"]})
    assert await asha.sees("answerCallbackQuery") == {"callback_query_id": "9001"}
    assert (await asha.sees())["chat_id"] == "77"


async def test_an_update_that_comes_twice_is_answered_once(asha: Person) -> None:
    assert asha.parley is not None
    for _ in range(2):
        asha._updates = 40
        await asha.writes("menu")
    await asha.sees()
    rows = await asha.parley.rows("select direction from message where channel_id = 'bot' order by seq")
    assert [direction for (direction,) in rows] == ["inbound", "outbound"]
    assert asha.calls.empty()


async def test_whoever_blocks_the_bot_is_not_written_to(asha: Person) -> None:
    assert asha.parley is not None
    chat = {"id": 77, "type": "private", "first_name": "Asha"}
    await asha.writes("menu")
    await asha.sees()
    await asha.update(my_chat_member={"chat": chat, "from": {"id": 77}, "date": 1, "new_chat_member": {"status": "kicked"}})
    ((opted_out,),) = await asha.parley.rows("select opted_out_at is not null from contact_medium where kind = 'telegram'")
    assert opted_out
