"""The network's side of USSD, against an application that writes down what it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from core.clock import Clock
from gateway.simulator.feed import Feed, Wire
from gateway.simulator.ussd import NO_SERVICE, Network, UnknownSession

PHONE = "+254700000001"


@dataclass
class Application:
    """Answers every form with the next of `answers`, the last of them for ever."""

    answers: list[tuple[int, str]] = field(default_factory=lambda: [(200, "CON 1 Balance")])
    forms: list[dict[str, str]] = field(default_factory=list)
    time_over: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.Response:
        self.forms.append({name: str(value) for name, value in (await request.post()).items()})
        status, text = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, text=text)

    @asynccontextmanager
    async def network(self, **options: float) -> AsyncIterator[tuple[Network, Wire]]:
        app = web.Application()
        app.router.add_post("/c/ussd/secret", self.answer)
        feed = Feed()
        feed.attach(lambda kind, _: self.time_over.set() if kind == "session_ended" else None)
        wire = Wire(feed)
        async with TestServer(app) as server, aiohttp.ClientSession() as http:
            url = str(server.make_url("/c/ussd/secret"))
            network = Network(http, feed, wire, Clock(), code="*384*100#", url=url, **options)
            yield network, wire
            await network.close()


async def test_each_input_comes_with_all_that_was_typed_before() -> None:
    application = Application()
    async with application.network() as (network, _):
        screen = await network.dial(PHONE, "*384*100#")
        assert (screen.text, screen.goes_on) == ("1 Balance", True)
        await network.answer(screen.session, "1")
        await network.answer(screen.session, "5*0")
    assert [form["text"] for form in application.forms] == ["", "1", "1*5*0"]
    assert len({form["sessionId"] for form in application.forms}) == 1
    assert application.forms[0] | {"sessionId": ""} == {
        "sessionId": "",
        "serviceCode": "*384*100#",
        "phoneNumber": PHONE,
        "networkCode": "63902",
        "text": "",
    }


@pytest.mark.parametrize(("dialled", "text"), [("*384*100#", ""), ("*384*100", ""), ("*384*100*2*50#", "2*50"), (" *384*100*1# ", "1")])
async def test_answers_in_a_dialled_code_go_along(dialled: str, text: str) -> None:
    application = Application()
    async with application.network() as (network, _):
        await network.dial(PHONE, dialled)
    assert application.forms[0]["text"] == text


@pytest.mark.parametrize("dialled", ["*100#", "384", "", "*384*1001#", "*384*10#"])
async def test_other_codes_do_not_reach_the_application(dialled: str) -> None:
    application = Application()
    async with application.network() as (network, _):
        screen = await network.dial(PHONE, dialled)
    assert (screen.text, screen.goes_on) == (NO_SERVICE, False)
    assert application.forms == []


async def test_the_end_is_told_to_the_application_once() -> None:
    application = Application([(200, "CON menu"), (200, "END bye"), (200, "")])
    async with application.network() as (network, wire):
        screen = await network.dial(PHONE, "*384*100#")
        screen = await network.answer(screen.session, "1")
        assert (screen.text, screen.goes_on) == ("bye", False)
        await network.ended()
        with pytest.raises(UnknownSession):
            await network.answer(screen.session, "1")
        await network.hang_up(screen.session)
        end = application.forms[-1]
        assert [form.get("status") for form in application.forms] == [None, None, "Success"]
        assert (end["hopsCount"], end["input"], end["lastAppResponse"], end["errorMessage"]) == ("2", "1", "END bye", "")
        assert [exchange.what for exchange in wire] == ["ussd", "ussd", "ussd-end"]
        assert "sessionId=" in wire[0].request
        assert wire[1].answer.endswith("\n\nEND bye")


async def test_a_customer_hangs_up_and_a_new_dial_ends_the_old_session() -> None:
    application = Application()
    async with application.network() as (network, _):
        first = await network.dial(PHONE, "*384*100#")
        await network.dial(PHONE, "*384*100#")
        with pytest.raises(UnknownSession):
            await network.answer(first.session, "1")
    assert [(form.get("status"), form.get("errorMessage")) for form in application.forms] == [
        (None, None),
        ("Incomplete", "The subscriber cancelled the session"),
        (None, None),
    ]


@pytest.mark.parametrize("answer", [(500, "CON x"), (200, "hello"), (200, ""), (404, "")])
async def test_an_application_that_answers_badly_fails_the_session(answer: tuple[int, str]) -> None:
    application = Application([answer])
    async with application.network() as (network, _):
        screen = await network.dial(PHONE, "*384*100#")
    assert (screen.text, screen.goes_on) == (NO_SERVICE, False)
    assert application.forms[-1]["status"] == "Failed"


async def test_an_application_that_is_not_there_fails_the_session() -> None:
    feed = Feed()
    wire = Wire(feed)
    async with aiohttp.ClientSession() as http:
        network = Network(http, feed, wire, Clock(), code="*384*100#", url="http://127.0.0.1:9/c/ussd/secret")
        assert (await network.dial(PHONE, "*384*100#")).text == NO_SERVICE
    assert [exchange.answer.startswith("no answer") for exchange in wire] == [True, True]


async def test_a_session_ends_when_its_time_is_over() -> None:
    application = Application()
    async with application.network(session_s=0.01) as (network, _):
        screen = await network.dial(PHONE, "*384*100#")
        async with asyncio.timeout(10):
            await application.time_over.wait()
        await network.ended()
        with pytest.raises(UnknownSession):
            await network.answer(screen.session, "1")
    assert application.forms[-1]["status"] == "Incomplete"
