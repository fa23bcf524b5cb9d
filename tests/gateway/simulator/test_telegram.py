"""The stand-in for Telegram: what it takes, what it refuses, and how it hands over updates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from core.clock import Clock
from gateway.demo.operator import listen
from gateway.simulator.telegram import TelegramStandIn, make_routes

TOKEN, SECRET, PHONE = "7:AAE-token", "a-secret", "+254700000001"


class Hook:
    """A webhook that keeps what it gets and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.status, self.answer = 200, ""
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token", ""), await request.json()))
        return web.Response(status=self.status, text=self.answer, content_type="application/json")


class World:
    """One Telegram with one bot, a client of its API, and a webhook."""

    def __init__(self, telegram: TelegramStandIn, http: aiohttp.ClientSession, base: str, hook: Hook) -> None:
        self.telegram, self.http, self.base, self.hook = telegram, http, base, hook

    async def call(self, method: str, *, token: str = TOKEN, **fields: Any) -> Any:
        async with self.http.post(f"{self.base}/bot{token}/{method}", json=fields) as answer:
            return await answer.json()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        telegram, hook = TelegramStandIn(Clock()), Hook()
        app, hooks = web.Application(), web.Application()
        app.add_routes(make_routes(telegram))
        hooks.router.add_post("/hook", hook.take)
        hook.url = f"{await listen(hooks, stack)}/hook"
        base = await listen(app, stack)
        stack.push_async_callback(telegram.close)
        telegram.connect(TOKEN, url=hook.url, secret=SECRET)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield World(telegram, http, base, hook)


async def test_what_a_person_writes_reaches_the_webhook_with_its_secret(world: World) -> None:
    assert await world.telegram.say(TOKEN, PHONE, "/start now")
    ((secret, update),) = world.hook.got
    assert secret == SECRET
    assert update["message"]["text"] == "/start now"
    assert update["message"]["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    assert update["message"]["chat"] == {"id": 700000001, "type": "private", "first_name": "Customer"}
    (exchange,) = world.telegram.exchanges
    assert (exchange.phone, SECRET in exchange.request) == (PHONE, False)


async def test_an_update_that_is_not_taken_comes_again_before_the_next(world: World) -> None:
    world.hook.status = 503
    assert not await world.telegram.say(TOKEN, PHONE, "one")
    info = (await world.call("getWebhookInfo"))["result"]
    assert (info["pending_update_count"], info["last_error_message"]) == (1, "Wrong response from the webhook: 503")
    world.hook.status = 200
    assert await world.telegram.say(TOKEN, PHONE, "two")
    assert [update["message"]["text"] for _, update in world.hook.got] == ["one", "one", "two"]


async def test_a_pressed_button_waits_until_it_is_answered(world: World) -> None:
    await world.telegram.say(TOKEN, PHONE, "hi")
    markup = {"inline_keyboard": [[{"text": "Go", "callback_data": "t:1"}]]}
    sent = (await world.call("sendMessage", chat_id=700000001, text="Well?", reply_markup=markup))["result"]
    chat = world.telegram.chat(TOKEN, PHONE)
    await world.telegram.press(TOKEN, PHONE, sent["message_id"], 0, 0)
    query = world.hook.got[-1][1]["callback_query"]
    assert (query["data"], query["message"]["text"]) == ("t:1", "Well?")
    assert chat.messages[sent["message_id"]]["waiting"]
    assert (await world.call("answerCallbackQuery", callback_query_id=query["id"]))["result"] is True
    assert not chat.messages[sent["message_id"]]["waiting"]
    assert (await world.call("answerCallbackQuery", callback_query_id=query["id"]))["error_code"] == 400


async def test_a_call_in_the_answer_of_the_webhook_is_carried_out(world: World) -> None:
    await world.telegram.say(TOKEN, PHONE, "hi")
    world.hook.answer = '{"method": "sendMessage", "chat_id": 700000001, "text": "hello"}'
    await world.telegram.say(TOKEN, PHONE, "again")
    assert [message["text"] for message in world.telegram.chat(TOKEN, PHONE).messages.values()] == ["hi", "again", "hello"]


BUTTON = {"text": "a", "callback_data": "x"}
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("sendMessage", {"text": "x"}, "chat not found"),
    ("sendMessage", {"chat_id": 5, "text": "x"}, "chat not found"),
    ("sendMessage", {"chat_id": "@x", "text": "x"}, "chat not found"),
    ("sendMessage", {"text": " ", "chat_id": 700000001}, "message text is empty"),
    ("sendMessage", {"text": "x" * 4097, "chat_id": 700000001}, "message is too long"),
    ("sendMessage", {"text": "x", "chat_id": 700000001, "colour": "red"}, "unknown field colour"),
    ("sendMessage", {"text": "x", "chat_id": 700000001, "parse_mode": "HTML"}, "parse_mode"),
    ("sendMessage", {"text": "x", "chat_id": 700000001, "protect_content": "perhaps"}, "Boolean"),
    ("sendMessage", {"text": "x", "chat_id": 700000001, "link_preview_options": "[]"}, "link preview"),
    ("sendMessage", {"text": "x", "chat_id": 700000001, "reply_markup": "{"}, "JSON"),
    ("sendMessage", {"text": "x", "chat_id": 700000001, "reply_markup": {"inline_keyboard": [BUTTON]}}, "too long"),
    ("sendMessage", {"text": "x", "chat_id": 700000001, "reply_markup": {"inline_keyboard": [[BUTTON] * 9]}}, "too long"),
    ("sendMessage", {"text": "x", "chat_id": 700000001, "reply_markup": {"inline_keyboard": [[{"text": "a"}]]}}, "unallowed"),
    (
        "sendMessage",
        {"text": "x", "chat_id": 700000001, "reply_markup": {"inline_keyboard": [[{**BUTTON, "callback_data": "é" * 33}]]}},
        "BUTTON_DATA_INVALID",
    ),
    ("sendMessage", {"text": "x", "chat_id": 700000001, "reply_markup": {"keyboard": [[{"text": ""}]]}}, "non-empty"),
    ("sendPhoto", {"chat_id": 700000001, "photo": "file:///etc/passwd"}, "wrong remote file"),
    ("sendPhoto", {"chat_id": 700000001, "photo": "https://x.example/a", "caption": "x" * 1025}, "caption is too long"),
    ("answerCallbackQuery", {"callback_query_id": "5"}, "query is too old"),
    ("setWebhook", {"url": "http://gateway.example/hook"}, "HTTPS"),
    ("setWebhook", {"url": "https://gateway.example/hook", "secret_token": "with space"}, "unallowed"),
    ("setWebhook", {"url": "https://gateway.example/hook", "allowed_updates": ["gossip"]}, "allowed updates"),
    ("getFile", {"file_id": "unknown"}, "invalid file_id"),
    ("getUpdates", {}, "webhook is active"),
    ("sendGift", {}, "Not Found"),
]


@pytest.mark.parametrize(("method", "fields", "words"), REFUSED)
async def test_what_telegram_refuses(world: World, method: str, fields: dict[str, Any], words: str) -> None:
    await world.telegram.say(TOKEN, PHONE, "hi")
    answer = await world.call(method, **fields)
    assert answer["ok"] is False
    assert words in answer["description"]


async def test_another_token_is_no_bot(world: World) -> None:
    assert (await world.call("getMe", token="8:other"))["error_code"] == 401
    assert (await world.call("getMe"))["result"]["is_bot"] is True


async def test_whoever_blocks_the_bot_gets_nothing(world: World) -> None:
    await world.telegram.say(TOKEN, PHONE, "hi")
    await world.telegram.block(TOKEN, PHONE, blocked=True)
    assert world.hook.got[-1][1]["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    assert (await world.call("sendMessage", chat_id=700000001, text="x"))["error_code"] == 403


async def test_updates_are_given_until_those_behind_them_are_asked_for(world: World) -> None:
    await world.call("deleteWebhook")
    await world.telegram.say(TOKEN, PHONE, "one")
    await world.telegram.say(TOKEN, PHONE, "two")
    for _ in range(2):
        first = (await world.call("getUpdates", limit=1))["result"]
        assert [update["message"]["text"] for update in first] == ["one"]
    after = (await world.call("getUpdates", offset=first[0]["update_id"] + 1, timeout=5))["result"]
    assert [update["message"]["text"] for update in after] == ["two"]


async def test_a_file_is_given_to_the_bot_that_asks_for_its_path(world: World) -> None:
    file_id = world.telegram.upload(b"sound", "voice/file_1.oga")
    found = (await world.call("getFile", file_id=file_id))["result"]
    assert found["file_size"] == 5
    async with world.http.get(f"{world.base}/file/bot{TOKEN}/{found['file_path']}") as answer:
        assert await answer.read() == b"sound"
    async with world.http.get(f"{world.base}/file/bot{TOKEN}/voice/other.oga") as answer:
        assert answer.status == 404
