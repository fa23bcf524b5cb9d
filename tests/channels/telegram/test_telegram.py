"""Telegram beyond conformance: what is asked of the Bot API, its errors, buttons and the answers to them, attachments."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from channels.telegram import Settings, Telegram, make
from core.model.ids import ChannelId
from core.model.inbound import AuthenticationFailed, InboundMessage, Media
from core.model.outbound import Choice, OutboundMessage, Reply, SendError, SendErrorCode
from tests.channels.telegram.subject import HERE, MESSAGE, NEW, PERSON, SUBJECT, TOKEN, adapter, request, settings
from tests.conformance.subject import NOWHERE, PUBLIC_URL, saying, with_header

Call = tuple[str, dict[str, Any]]


class BotApi:
    """A Bot API on a local port: it takes messages of this one bot, or answers with the next of `answers`."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answers: list[tuple[int, object]] = []
        self.base = ""

    async def answer(self, call: web.Request) -> web.Response:
        method = call.match_info["method"]
        self.calls.append((method, {name: _read(str(value)) for name, value in (await call.post()).items()}))
        if self.answers:
            status, document = self.answers.pop(0)
            return web.json_response(document, status=status)
        return web.json_response({"ok": True, "result": True if method == "answerCallbackQuery" else MESSAGE})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[BotApi]:
        app = web.Application()
        app.router.add_post(f"/bot{TOKEN}/{{method}}", self.answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        self.base = f"http://{host}:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()


def _read(value: str) -> Any:
    return json.loads(value) if value[:1] in {"{", "["} else value


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi().running() as running:
        yield running


@pytest.fixture
async def bot(api: BotApi) -> AsyncIterator[Telegram]:
    made = adapter(f"{api.base}/")
    yield made
    await made.close()


def message(reply: Reply) -> OutboundMessage:
    return replace(SUBJECT.message, reply=reply)


def refusal(code: int, description: str, **parameters: object) -> tuple[int, object]:
    document = {"ok": False, "error_code": code, "description": description}
    return code, document | ({"parameters": parameters} if parameters else {})


async def test_what_is_asked(api: BotApi, bot: Telegram) -> None:
    assert (await bot.send(message(Reply("Salio <b>250</b> *x* {{1}}")))).external_id == "777"
    ((method, form),) = api.calls
    assert method == "sendMessage"
    assert form == {
        "chat_id": "1111111",
        "text": "Salio <b>250</b> *x* {{1}}",
        "link_preview_options": {"is_disabled": True},
        "protect_content": "false",
    }


async def test_what_is_masked_in_the_record_cannot_be_forwarded(api: BotApi, bot: Telegram) -> None:
    await bot.send(message(Reply("Your code is 123456", sensitive=True)))
    assert api.calls[0][1]["protect_content"] == "true"


@pytest.mark.parametrize(
    ("labels", "rows"),
    [
        (("Balance", "Top up", "Menu"), [["Balance", "Top up"], ["Menu"]]),
        (("Balance", "Talk to an agent"), [["Balance"], ["Talk to an agent"]]),
    ],
)
async def test_buttons(api: BotApi, bot: Telegram, labels: tuple[str, ...], rows: list[list[str]]) -> None:
    choices = tuple(Choice(str(place), label, f"a8f3c2:{place}") for place, label in enumerate(labels, 1))
    await bot.send(message(Reply("What next?", choices)))
    keyboard = api.calls[0][1]["reply_markup"]["inline_keyboard"]
    assert [[button["text"] for button in row] for row in keyboard] == rows
    assert [button["callback_data"] for row in keyboard for button in row] == [choice.token for choice in choices]


async def test_the_key_that_shares_a_number(api: BotApi, bot: Telegram) -> None:
    await bot.send(message(Reply("Who are you?", asks_number="Share my number")))
    assert api.calls[0][1]["reply_markup"] == {
        "keyboard": [[{"text": "Share my number", "request_contact": True}]],
        "resize_keyboard": True,
        "one_time_keyboard": True,
    }


def test_only_what_was_asked_for_by_ourselves_needs_no_secret() -> None:
    polling = Telegram(Settings(bot_token=TOKEN, updates="polling"), adapter(NOWHERE).bot)
    polling.authenticate(polling.request_of({"update_id": 1}, 5))
    for other in (request({"update_id": 1}), with_header(request({"update_id": 1}), "x-telegram-bot-api-secret-token", "")):
        with pytest.raises(AuthenticationFailed):
            polling.authenticate(other)
    with pytest.raises(AuthenticationFailed):
        adapter(NOWHERE).authenticate(polling.request_of({"update_id": 1}, 5))


def pressed(query_id: str) -> object:
    person = {"id": int(PERSON.value), "is_bot": False, "first_name": "Asha"}
    return {"update_id": 5, "callback_query": {"id": query_id, "from": person, "chat_instance": "1", "data": "a8f3c2:1"}}


def test_a_pressed_button_is_answered_in_the_answer_to_its_update() -> None:
    bot = adapter(NOWHERE)
    (event,) = bot.parse(request(pressed("77001")))
    assert isinstance(event, InboundMessage)
    assert event.choice == "a8f3c2:1"
    answer = bot.answer_to(request(pressed("77001")), bot.acknowledge(()))
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert json.loads(answer.body) == {"method": "answerCallbackQuery", "callback_query_id": "77001"}


@pytest.mark.parametrize("update", [{"update_id": 1}, {"callback_query": 5}, {"callback_query": {"id": 5}}, {"callback_query": {}}, []])
def test_what_asks_for_no_answer_gets_the_usual_one(update: object) -> None:
    bot = adapter(NOWHERE)
    assert bot.answer_to(request(update), bot.acknowledge(())) == bot.acknowledge(())


@pytest.mark.parametrize(
    ("kind", "method", "member"),
    [
        ("image", "sendPhoto", "photo"),
        ("audio", "sendAudio", "audio"),
        ("video", "sendVideo", "video"),
        ("document", "sendDocument", "document"),
        ("attachment", "sendDocument", "document"),
    ],
)
async def test_an_attachment_goes_by_its_address(api: BotApi, bot: Telegram, kind: str, method: str, member: str) -> None:
    media = (Media(kind, "https://shop.example/a"),)
    await bot.send(message(Reply("Look", (Choice("1", "Buy", "a8f3c2:1"),), media)))
    ((asked, form),) = api.calls
    assert (asked, form[member], form["caption"]) == (method, "https://shop.example/a", "Look")
    assert form["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "a8f3c2:1"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply("a", (), (Media("image", "https://x.example/a"), Media("image", "https://x.example/b"))), SendErrorCode.UNSUPPORTED),
        (Reply("a", (), (Media("image", "file:///etc/passwd"),)), SendErrorCode.UNSUPPORTED),
        (Reply("a", (), (Media("location"),)), SendErrorCode.UNSUPPORTED),
        (Reply("x" * 1_025, (), (Media("image", "https://x.example/a"),)), SendErrorCode.TOO_LONG),
    ],
)
async def test_what_cannot_be_sent_is_not_tried(api: BotApi, bot: Telegram, reply: Reply, code: SendErrorCode) -> None:
    with pytest.raises(SendError) as caught:
        await bot.send(message(reply))
    assert (caught.value.code, caught.value.retryable, api.calls) == (code, False, [])


@pytest.mark.parametrize(
    ("answer", "code", "retryable", "ours", "wait"),
    [
        (refusal(429, "Too Many Requests: retry after 35", retry_after=35), SendErrorCode.THROTTLED, True, False, 35.0),
        (refusal(429, "Too Many Requests", retry_after=10**9), SendErrorCode.THROTTLED, True, False, 3_600.0),
        (refusal(429, "Too Many Requests", retry_after=-1), SendErrorCode.THROTTLED, True, False, None),
        (refusal(429, "Too Many Requests", retry_after="soon"), SendErrorCode.THROTTLED, True, False, None),
        (refusal(403, "Forbidden: bot was blocked by the user"), SendErrorCode.OPTED_OUT, False, False, None),
        (refusal(403, "Forbidden: user is deactivated"), SendErrorCode.BAD_ADDRESS, False, False, None),
        (refusal(403, "Forbidden: bot can't initiate conversation with a user"), SendErrorCode.BAD_ADDRESS, False, False, None),
        (refusal(403, "Forbidden: bot can't send messages to bots"), SendErrorCode.BAD_ADDRESS, False, False, None),
        (refusal(403, "Forbidden: something new"), SendErrorCode.REFUSED, False, False, None),
        (refusal(400, "Bad Request: chat not found"), SendErrorCode.BAD_ADDRESS, False, False, None),
        (refusal(400, "Bad Request: PEER_ID_INVALID"), SendErrorCode.BAD_ADDRESS, False, False, None),
        (refusal(400, "Bad Request: message is too long"), SendErrorCode.TOO_LONG, False, False, None),
        (refusal(400, "Bad Request: BUTTON_DATA_INVALID"), SendErrorCode.REFUSED, False, False, None),
        (refusal(401, "Unauthorized"), SendErrorCode.BAD_CREDENTIALS, False, True, None),
        (refusal(404, "Not Found"), SendErrorCode.BAD_CREDENTIALS, False, True, None),
        (refusal(409, "Conflict: terminated by other getUpdates request"), SendErrorCode.REFUSED, True, True, None),
        (refusal(500, "Internal Server Error"), SendErrorCode.PROVIDER_DOWN, True, False, None),
    ],
)
async def test_errors(
    api: BotApi,
    bot: Telegram,
    answer: tuple[int, object],
    code: SendErrorCode,
    *,
    retryable: bool,
    ours: bool,
    wait: float | None,
) -> None:
    api.answers = [answer]
    with pytest.raises(SendError) as caught:
        await bot.send(SUBJECT.message)
    found = caught.value
    assert (found.code, found.retryable, found.ours, found.retry_after_s) == (code, retryable, ours, wait)
    assert found.provider_code == str(answer[0])
    assert len(api.calls) == 1


@pytest.mark.parametrize("document", [{}, [], "x", None, {"ok": True}, {"ok": True, "result": {}}, {"ok": True, "result": "x"}, {"ok": 0}])
async def test_a_success_that_cannot_be_read_is_unknown(api: BotApi, bot: Telegram, document: object) -> None:
    api.answers = [(200, document)]
    with pytest.raises(SendError) as caught:
        await bot.send(SUBJECT.message)
    assert (caught.value.code, caught.value.unknown) == (SendErrorCode.UNREADABLE_ANSWER, True)


async def test_the_library_logs_neither_texts_nor_the_token(api: BotApi, bot: Telegram, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await bot.send(saying(SUBJECT.message, "canary text"))
        api.answers = [(200, "no object"), refusal(400, "Bad Request")]
        for _ in range(2):
            with pytest.raises(SendError):
                await bot.send(saying(SUBJECT.message, "canary text"))
    assert "canary" not in caplog.text  # the token has it in it as well


def test_an_adapter_that_could_not_work_is_not_made() -> None:
    for changed in ({"bot_token": ""}, {"webhook_secret": ()}, {"webhook_secret": (NEW, "")}, {"webhook_secret": ("with space",)}):
        values: dict[str, Any] = {"bot_token": TOKEN, "webhook_secret": (NEW,), **changed}
        with pytest.raises(ValueError, match="webhook_secret"):
            Settings(**values)
    assert make(ChannelId("t"), HERE, settings(NOWHERE), PUBLIC_URL, "KE").capabilities.choices_max == 20
