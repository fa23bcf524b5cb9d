"""The inbox at Africa's Talking: read page by page from the last id, ours only, in the form of their callback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from core.model.inbound import InboundMessage
from core.model.outbound import SendError
from tests.channels.sms_africastalking.subject import API, adapter

DATE = "2026-11-21T10:00:{:02d}Z"
BEGINNING_MS = 1_795_255_200_000


class Inbox:
    """Messages by number, some at a time as they give them, or what a test makes of it."""

    def __init__(self, messages: list[dict[str, Any]], answer: bytes | None = None) -> None:
        self.messages = messages
        self.answer = answer
        self.asked: list[str] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(request.query["lastReceivedId"])
        assert (request.query["username"], request.headers["apikey"]) == ("operator", API)
        if self.answer is not None:
            return web.Response(body=self.answer)
        beyond = [one for one in self.messages if one["id"] > int(request.query["lastReceivedId"])]
        return web.json_response({"SMSMessageData": {"Messages": beyond[:2]}})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_get("/version1/messaging", self.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        try:
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()


def entry(number: int, to: str = "12345") -> dict[str, Any]:
    return {"linkId": "l", "text": f"word {number}", "to": to, "id": number, "date": DATE.format(number), "from": "+254711000111"}


async def test_every_page_is_read_and_ours_are_handed_on_in_order() -> None:
    inbox = Inbox([entry(number, "99999" if number == 3 else "12345") for number in range(1, 6)])
    async with inbox.running() as base:
        made = adapter(base)
        try:
            missed = await made.missed(BEGINNING_MS + 2_000, "")
            events = [event for request in missed.requests for event in made.parse(request)]
            said = [(event.external_id, event.text) for event in events if isinstance(event, InboundMessage)]
            assert said == [("2", "word 2"), ("4", "word 4"), ("5", "word 5")]
            assert [request.received_at for request in missed.requests] == [BEGINNING_MS + second * 1_000 for second in (2, 4, 5)]
            assert (missed.mark, inbox.asked) == ("5", ["0", "2", "4", "5"])
            again = await made.missed(BEGINNING_MS, missed.mark)
            assert (list(again.requests), again.mark) == ([], "5")
        finally:
            await made.close()


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"SMSMessageData": {"Messages": {}}}', b'{"SMSMessageData": {"Messages": [1]}}'])
async def test_what_is_no_inbox_is_an_error(answer: bytes) -> None:
    async with Inbox([], answer).running() as base:
        made = adapter(base)
        try:
            with pytest.raises(SendError):
                await made.missed(0, "")
        finally:
            await made.close()
