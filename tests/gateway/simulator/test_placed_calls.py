"""Calls that an application makes: asked for over the API by Twilio's own library, answered by people, machines and nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from core.clock import Clock
from gateway.simulator.feed import Feed
from gateway.simulator.twilio import TwilioStandIn, make_app
from gateway.simulator.twilio_placed import Telephone
from gateway.simulator.twilio_wire import Account
from tests.gateway.simulator.test_calls import BYE, NUMBER, PHONE, SID, TOKEN, Application, said

ALL = ("initiated", "ringing", "answered", "completed")


@dataclass
class Network:
    """A telephone, the API that makes it ring, and what an open page is told."""

    telephone: Telephone
    api: str
    http: aiohttp.ClientSession
    hook: str
    told: asyncio.Queue[Mapping[str, Any]]

    async def create(self, token: str = TOKEN, **changed: Any) -> tuple[int, dict[str, Any]]:
        form = {
            "To": PHONE,
            "From": NUMBER,
            "Url": f"{self.hook}?m=1",
            "StatusCallback": f"{self.hook}?s=1",
            "StatusCallbackEvent": ALL,
            "MachineDetection": "DetectMessageEnd",
            "Timeout": "20",
            **changed,
        }
        pairs = [(name, one) for name, value in form.items() for one in ((value,) if isinstance(value, str) else value)]
        url = f"{self.api}/2010-04-01/Accounts/{SID}/Calls.json"
        async with self.http.post(url, data=pairs, headers={"Authorization": aiohttp.encode_basic_auth(SID, token)}) as answer:
            return answer.status, await answer.json()

    async def rings(self) -> Mapping[str, Any]:
        async with asyncio.timeout(15):
            return await self.told.get()


@asynccontextmanager
async def network(application: Application) -> AsyncIterator[Network]:
    app = web.Application()
    app.router.add_post("/c/{rest:.*}", application.answer)
    twilio, feed, told = TwilioStandIn(Clock()), Feed(), asyncio.Queue[Mapping[str, Any]]()
    feed.attach(lambda _, document: told.put_nowait(document))
    async with TestServer(app) as server, TestServer(make_app(twilio)) as api, aiohttp.ClientSession() as http:
        application.hook = str(server.make_url("/c/voice/secret"))
        twilio.connect_voice(Account(SID, TOKEN, NUMBER, application.hook))
        telephone = Telephone(twilio, feed)
        yield Network(telephone, str(api.make_url("")).rstrip("/"), http, application.hook, told)
        await telephone.close()
        await twilio.close()


def statuses(application: Application) -> list[str]:
    return [form["CallStatus"] for form, path in zip(application.forms, application.paths, strict=True) if path.endswith("s=1")]


@pytest.mark.parametrize(("act", "answered_by"), [("answer", "human"), ("machine", "machine_end_beep"), ("fax", "fax")])
async def test_who_answers_is_told_with_the_request_for_what_to_say(act: str, answered_by: str) -> None:
    application = Application([BYE])
    async with network(application) as phones:
        status, call = await phones.create()
        assert (status, call["status"], call["direction"], call["to"]) == (201, "queued", "outbound-api", PHONE)
        ringing = await phones.rings()
        assert ringing == {"msisdn": PHONE, "call": call["sid"], "number": NUMBER, "ring_s": 20, "rings": True}
        assert phones.telephone.ringing(PHONE) == ringing
        shown = await phones.telephone.pick_up(call["sid"], act)
        assert (said(shown), shown["state"]) == (["Bye"], "ended")
        assert (await phones.rings())["rings"] is False
    asked = next(form for form, path in zip(application.forms, application.paths, strict=True) if path.endswith("m=1"))
    assert (asked["AnsweredBy"], asked["CallStatus"], asked["Direction"], asked["To"]) == (
        answered_by,
        "in-progress",
        "outbound-api",
        PHONE,
    )
    assert statuses(application) == ["initiated", "ringing", "in-progress", "completed"]
    steps = [form for form in application.forms if "SequenceNumber" in form]
    assert [form["SequenceNumber"] for form in steps] == ["0", "1", "2", "3"]
    assert {form["CallbackSource"] for form in steps} == {"call-progress-events"}
    assert steps[-1]["CallDuration"] == "0"


@pytest.mark.parametrize(("act", "status"), [("decline", "busy"), ("ignore", "no-answer"), ("unreachable", "failed")])
async def test_a_phone_that_nobody_takes_is_told_once(act: str, status: str) -> None:
    application = Application([BYE])
    async with network(application) as phones:
        _, call = await phones.create()
        await phones.rings()
        shown = await phones.telephone.pick_up(call["sid"], act)
        assert shown["state"] == "ended"
        assert phones.telephone.ringing(PHONE) is None
    assert statuses(application) == ["initiated", "ringing", status]


async def test_a_phone_rings_for_so_long_and_no_longer() -> None:
    application = Application([BYE])
    async with network(application) as phones:
        await phones.create(Timeout="1")
        assert (await phones.rings())["rings"] is True
        assert (await phones.rings())["rings"] is False
    assert statuses(application) == ["initiated", "ringing", "no-answer"]


async def test_who_talks_is_engaged_and_who_dials_while_it_rings_declines() -> None:
    application = Application([BYE])
    async with network(application) as phones:
        await phones.create()
        await phones.rings()
        await phones.create(StatusCallbackEvent=("completed",), StatusCallback=f"{phones.hook}?second=1")
        await phones.telephone.dial(PHONE, NUMBER)
        assert (await phones.rings())["rings"] is False
    assert statuses(application) == ["initiated", "ringing", "busy"]
    second = [form["CallStatus"] for form, path in zip(application.forms, application.paths, strict=True) if "second" in path]
    assert second == ["busy"], "and only what was asked for is told"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"To": ""}, 21201),
        ({"From": ""}, 21213),
        ({"To": "0711"}, 21217),
        ({"From": "+254711000000"}, 21210),
        ({"Url": "ftp://x"}, 21205),
        ({"StatusCallback": "x"}, 21609),
        ({"Timeout": "0"}, 20001),
        ({"StatusCallbackEvent": "picked-up"}, 20001),
        ({"MachineDetection": "yes"}, 20001),
    ],
)
async def test_what_is_no_call_is_refused(changed: dict[str, str], code: int) -> None:
    async with network(Application([BYE])) as phones:
        status, refusal = await phones.create(**changed)
        assert (status, refusal["code"]) == (400, code)
        assert phones.told.empty()


async def test_nobody_calls_without_the_password() -> None:
    async with network(Application([BYE])) as phones:
        status, refusal = await phones.create(token="another")
        assert (status, refusal["code"]) == (401, 20003)
