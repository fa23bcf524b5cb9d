"""Twilio's part while callers wait in a queue: what they hear, how they leave it, and that an application calls them out of it."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from gateway.simulator.twilio import TwilioStandIn
from gateway.simulator.twilio_calls import BROKEN
from gateway.simulator.twilio_queues import SIZE_MAX
from gateway.simulator.twilio_wire import Account
from tests.gateway.simulator.test_calls import AGENT, BYE, NUMBER, PHONE, SID, TOKEN, Application, said

OTHER = "+254700000002"
QUEUE = '<Enqueue action="{hook}?m=out" waitUrl="{hook}?m=wait">general</Enqueue>'
WAIT = '<Gather action="{hook}?m=key" numDigits="1" timeout="20"><Say>Please wait</Say></Gather>'
LEAVE = "<Leave/>"


async def change(twilio: TwilioStandIn, call: str, password: str = TOKEN, **form: str) -> tuple[int, dict[str, Any]]:
    """Ask the API to change a call."""
    url = f"{twilio.files.base_url}/2010-04-01/Accounts/{SID}/Calls/{call}.json"
    async with (
        aiohttp.ClientSession(headers={"Authorization": aiohttp.encode_basic_auth(SID, password)}) as http,
        http.post(url, data=form) as answer,
    ):
        return answer.status, await answer.json()


async def test_who_waits_hears_the_document_again_and_again_until_a_key_leads_out() -> None:
    application = Application([QUEUE, WAIT, WAIT, LEAVE, BYE])
    async with application.phones() as (calls, _):
        shown = await calls.dial(PHONE, NUMBER)
        assert (shown["state"], shown["queue"], said(shown)) == ("queue", "general", ["Please wait"])
        assert shown["listen"]["timeout_s"] == 20
        call = shown["call"]
        again = await calls.wait(call)
        assert (again["state"], said(again)) == ("queue", ["Please wait"])
        over = await calls.press(call, "1")
        assert (over["state"], said(over), over["queue"]) == ("ended", ["Bye"], None)
    first, second, key, left = application.forms[1:5]
    assert (first["QueuePosition"], first["CurrentQueueSize"], first["QueueSid"]) == ("1", "1", second["QueueSid"])
    assert (key["Digits"], left["QueueResult"], left["QueueSid"]) == ("1", "leave", first["QueueSid"])
    assert [path.partition("?")[2] for path in application.paths[:5]] == ["", "m=wait", "m=wait", "m=key", "m=out"]


async def test_callers_move_up_when_one_before_them_is_gone() -> None:
    application = Application([QUEUE, WAIT, QUEUE, WAIT, "", "", WAIT])
    async with application.phones() as (calls, _):
        first = (await calls.dial(PHONE, NUMBER))["call"]
        second = (await calls.dial(OTHER, NUMBER))["call"]
        assert (application.last["QueuePosition"], application.last["CurrentQueueSize"]) == ("2", "2")
        await calls.hang_up(first)
        told = next(form for form in application.forms if "QueueResult" in form)
        assert (told["QueueResult"], told["CallStatus"]) == ("hangup", "completed")
        await calls.wait(second)
        assert (application.last["QueuePosition"], application.last["CurrentQueueSize"]) == ("1", "1")


async def test_an_application_calls_somebody_out_of_the_queue() -> None:
    dial = f'<Say>Now</Say><Dial action="{{hook}}?m=d"><Number>{AGENT}</Number></Dial>'
    application = Application([QUEUE, WAIT, "<Say>not heard</Say>", dial, BYE])
    async with application.phones() as (calls, twilio):
        call = (await calls.dial(PHONE, NUMBER))["call"]
        status, resource = await change(twilio, call, Url=f"{application.hook}?m=fetched", Method="POST")
        assert (status, resource["sid"], resource["status"]) == (200, call, "in-progress")
        async with asyncio.timeout(15):
            while (shown := await calls.look(call))["state"] != "dial":
                assert shown["state"] == "queue"
                await asyncio.sleep(0)
        assert (said(shown), shown["agent"]["number"], shown["queue"]) == (["Now"], AGENT, None)
        assert application.forms[2]["QueueResult"] == "redirected"
        assert [path.partition("?")[2] for path in application.paths[2:4]] == ["m=out", "m=fetched"]
        await calls.agent(call, "busy")
    assert next(form for form in application.forms if "DialCallStatus" in form)["DialCallStatus"] == "busy"


async def test_a_caller_who_hangs_up_while_they_are_called_out_of_the_queue_is_gone() -> None:
    application = Application([QUEUE, WAIT, ""])
    async with application.phones() as (calls, _):
        call = (await calls.dial(PHONE, NUMBER))["call"]
        calls.change(Account(SID, TOKEN, NUMBER, application.hook), call, {"Url": (f"{application.hook}?m=fetched",)})
        await calls.hang_up(call)
        await calls.close()
    assert [path.partition("?")[2] for path in application.paths[2:]] == ["m=out", ""]
    assert application.last["CallStatus"] == "completed"


async def test_a_queue_that_is_full_takes_nobody() -> None:
    application = Application([QUEUE])
    async with application.phones() as (calls, _):
        application.answers = [QUEUE, WAIT] * SIZE_MAX + [QUEUE, BYE]
        for place in range(SIZE_MAX):
            await calls.dial(f"+2547001{place:05d}", NUMBER)
        assert said(await calls.dial(PHONE, NUMBER)) == ["Bye"]
        assert next(form for form in application.forms if "QueueResult" in form)["QueueResult"] == "queue-full"


@pytest.mark.parametrize("document", [f"<Dial>{AGENT}</Dial>", "<Record/>", QUEUE, "<Reject/>"])
async def test_what_a_waiting_caller_cannot_be_sent_ends_the_call(document: str) -> None:
    application = Application([QUEUE, document])
    async with application.phones() as (calls, _):
        shown = await calls.dial(PHONE, NUMBER)
    assert (shown["state"], said(shown), shown["error"][:5]) == ("ended", [BROKEN], "12200")


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"Url": "nowhere"}, 400, 21205),
        ({"Url": "https://example.com/", "Method": "PUT"}, 400, 20001),
        ({"Status": "busy"}, 400, 21218),
        ({"Status": "canceled"}, 400, 21220),
        ({"Status": "completed", "Url": "https://example.com/"}, 400, 21218),
    ],
)
async def test_what_twilio_would_not_do_is_refused(form: dict[str, str], status: int, code: int) -> None:
    async with Application([QUEUE, WAIT]).phones() as (calls, twilio):
        call = (await calls.dial(PHONE, NUMBER))["call"]
        answer = await change(twilio, call, **form)
        assert (answer[0], answer[1]["code"]) == (status, code)
        assert (await change(twilio, "CA404", Url="https://example.com/"))[1]["code"] == 20404
        assert (await change(twilio, call, "wrong", Url="https://example.com/"))[0] == 401


async def test_an_application_ends_a_call_that_goes_on() -> None:
    application = Application([QUEUE, WAIT, ""])
    async with application.phones() as (calls, twilio):
        call = (await calls.dial(PHONE, NUMBER))["call"]
        assert (await change(twilio, call, Status="completed"))[0] == 200
        await calls.close()
    assert application.last["CallStatus"] == "completed"
