"""Twilio's part in a call, against an application that answers with prepared TwiML and writes down what it was asked."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from twilio.request_validator import RequestValidator

from core.clock import Clock
from gateway.simulator.feed import Feed
from gateway.simulator.twilio import TwilioStandIn, make_app
from gateway.simulator.twilio_call import UnknownCall
from gateway.simulator.twilio_calls import BROKEN, NO_NUMBER
from gateway.simulator.twilio_placed import Telephone
from gateway.simulator.twilio_wire import Account

SID, TOKEN, NUMBER, PHONE, AGENT = "AC" + "1" * 32, "secret", "+254711082000", "+254700000001", "+254700000008"
MENU = '<Gather action="{hook}?m=menu" numDigits="1" actionOnEmptyResult="true" input="dtmf speech"><Say>Press 1</Say></Gather>'
BYE = "<Say>Bye</Say><Hangup/>"


@dataclass
class Application:
    """Answers each request with the next of `answers`, the last of them for ever. `{hook}` in them is its own address."""

    answers: list[str]
    hook: str = ""
    forms: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    status: int = 200

    async def answer(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        given = request.headers["X-Twilio-Signature"]
        assert RequestValidator(TOKEN).validate(f"{self.hook.rpartition('/c/')[0]}{request.path_qs}", form, given)
        self.forms.append(form)
        self.paths.append(request.path_qs)
        text = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=self.status, text=f"<Response>{text.replace('{hook}', self.hook)}</Response>", content_type="text/xml")

    @property
    def last(self) -> dict[str, str]:
        return self.forms[-1]

    @asynccontextmanager
    async def phones(self) -> AsyncIterator[tuple[Telephone, TwilioStandIn]]:
        app = web.Application()
        app.router.add_post("/c/{rest:.*}", self.answer)
        twilio = TwilioStandIn(Clock())
        async with TestServer(app) as server, TestServer(make_app(twilio)) as api:
            self.hook = str(server.make_url("/c/voice/secret"))
            twilio.files.base_url = str(api.make_url("")).rstrip("/")
            twilio.connect_voice(Account(SID, TOKEN, NUMBER, self.hook))
            calls = Telephone(twilio, Feed())
            yield calls, twilio
            await calls.close()
            await twilio.close()


def said(shown: dict[str, Any]) -> list[str]:
    return [heard["say"] for heard in shown["heard"] if "say" in heard]


async def test_a_call_rings_gathers_a_key_and_ends_with_its_status() -> None:
    application = Application([MENU, BYE, ""])
    async with application.phones() as (calls, twilio):
        shown = await calls.dial(PHONE, NUMBER)
        assert (shown["state"], said(shown)) == ("gather", ["Press 1"])
        assert shown["listen"] == {"input": "dtmf speech", "timeout_s": 5, "max_s": 120, "barge_in": True, "digits": ""}
        over = await calls.press(shown["call"], "1")
        assert (over["state"], said(over), over["error"]) == ("ended", ["Bye"], "")
        with pytest.raises(UnknownCall):
            await calls.press(shown["call"], "1")
        assert [form["CallStatus"] for form in application.forms] == ["ringing", "in-progress", "completed"]
        assert {form["CallSid"] for form in application.forms} == {shown["call"]}
        assert (application.forms[1]["Digits"], application.forms[1]["msg"]) == ("1", "Gather End")
        assert application.paths[1].endswith("?m=menu")
        assert (application.last["CallDuration"], application.last["CallbackSource"]) == ("0", "call-progress-events")
        assert application.forms[0] | {"From": PHONE, "To": NUMBER, "Direction": "inbound", "AccountSid": SID} == application.forms[0]
        assert [exchange.what for exchange in twilio.exchanges] == ["voice", "voice", "voice-status"]


@pytest.mark.parametrize(
    ("gather", "keys", "digits"),
    [
        ('<Gather numDigits="3"/>', "123", "123"),
        ("<Gather/>", "12#", "12"),
        ('<Gather finishOnKey="*"/>', "1#*", "1#"),
        ('<Gather finishOnKey="" numDigits="1"/>', "#", "#"),
        ("<Gather/>", "#", ""),
    ],
)
async def test_an_answer_by_keys_is_complete_by_number_or_by_a_key(gather: str, keys: str, digits: str) -> None:
    application = Application([gather, BYE])
    async with application.phones() as (calls, _):
        shown = await calls.dial(PHONE, NUMBER)
        for key in keys[:-1]:
            assert (await calls.press(shown["call"], key))["state"] == "gather"
        assert (await calls.press(shown["call"], keys[-1]))["state"] == "ended"
    assert application.forms[1]["Digits"] == digits


async def test_words_are_heard_where_they_are_listened_for_and_silence_is_told_or_passed_over() -> None:
    application = Application(['<Gather numDigits="4"/>' + MENU, MENU, MENU, BYE])
    async with application.phones() as (calls, _):
        call = (await calls.dial(PHONE, NUMBER))["call"]
        assert (await calls.say(call, "hello"))["state"] == "gather"
        assert len(application.forms) == 1, "keys only"
        passed = await calls.wait(call)
        assert said(passed) == ["Press 1"], "the document goes on, nobody is asked"
        await calls.say(call, "balance please")
        assert application.last["SpeechResult"] == "balance please"
        await calls.wait(call)
        assert (application.last["Digits"], "SpeechResult" in application.last) == ("", False)


async def test_a_redirect_is_followed_once_what_stands_before_it_was_said() -> None:
    application = Application(
        ['<Say>One moment</Say><Pause length="3"/><Redirect>{hook}?hold=1</Redirect>', "<Redirect>{hook}</Redirect>", BYE]
    )
    async with application.phones() as (calls, _):
        shown = await calls.dial(PHONE, NUMBER)
        assert (shown["state"], shown["heard"][1]) == ("speaking", {"pause": 3})
        assert len(application.forms) == 1
        assert said(await calls.wait(shown["call"])) == ["Bye"]
        assert [path.partition("?")[2] for path in application.paths[:3]] == ["", "hold=1", ""]


async def test_a_recording_is_kept_for_those_who_have_the_password() -> None:
    application = Application(['<Record action="{hook}?m=r" maxLength="2" recordingStatusCallback="{hook}?m=s"/>', "", BYE])
    async with application.phones() as (calls, _), aiohttp.ClientSession() as http:
        shown = await calls.dial(PHONE, NUMBER)
        assert (shown["state"], shown["listen"]["max_s"]) == ("record", 2)
        await calls.recorded(shown["call"], 30)
        told, acted = application.forms[1:3]
        assert (told["RecordingStatus"], told["RecordingUrl"]) == ("completed", acted["RecordingUrl"])
        assert acted["RecordingDuration"] == "2"
        async with http.get(acted["RecordingUrl"]) as answer:
            assert answer.status == 401
        async with http.get(acted["RecordingUrl"], headers={"Authorization": aiohttp.encode_basic_auth(SID, TOKEN)}) as answer:
            assert answer.content_type == "audio/x-wav"
            with wave.open(io.BytesIO(await answer.read())) as sound:
                assert sound.getnframes() == 2 * sound.getframerate()
        async with http.get(acted["RecordingUrl"] + ".mp3", headers={"Authorization": aiohttp.encode_basic_auth(SID, TOKEN)}) as answer:
            assert (answer.content_type, (await answer.read())[:3]) == ("audio/mpeg", b"ID3")


async def test_who_hangs_up_while_they_speak_has_still_left_their_message() -> None:
    application = Application(['<Record action="{hook}?m=r"/>', BYE])
    async with application.phones() as (calls, _):
        call = (await calls.dial(PHONE, NUMBER))["call"]
        await calls.hang_up(call, recorded_s=4)
    acted, over = application.forms[1:]
    assert (acted["Digits"], acted["RecordingDuration"], acted["CallStatus"]) == ("hangup", "4", "completed")
    assert over["CallbackSource"] == "call-progress-events"


async def test_an_agent_hears_who_calls_takes_the_call_and_hangs_up() -> None:
    whisper = '<Gather numDigits="1" action="{hook}?m=w"><Say>A customer about a bill. Press 1.</Say></Gather><Hangup/>'
    dial = f'<Dial action="{{hook}}?m=d"><Number url="{{hook}}?m=who">{AGENT}</Number></Dial>'
    application = Application([dial, whisper, "", BYE])
    async with application.phones() as (calls, _):
        shown = await calls.dial(PHONE, NUMBER)
        call = shown["call"]
        assert (shown["state"], shown["agent"]["number"], shown["agent"]["state"]) == ("dial", AGENT, "ringing")
        asked = await calls.agent(call, "answer")
        assert (await calls.wait(call))["state"] == "dial", "it does not ring any more"
        assert asked["agent"]["heard"][0]["say"].startswith("A customer")
        assert (application.last["ParentCallSid"], application.last["To"], application.last["Direction"]) == (call, AGENT, "outbound-dial")
        talking = await calls.press(call, "1", agent=True)
        assert (talking["state"], talking["agent"]["state"]) == ("talk", "talk")
        over = await calls.agent(call, "hang-up")
        assert (over["state"], said(over)) == ("ended", ["Bye"])
    dialled = application.forms[3]
    assert (dialled["DialCallStatus"], dialled["CallSid"], dialled["DialCallDuration"]) == ("completed", call, "0")


@pytest.mark.parametrize(
    ("act", "status"), [("busy", "busy"), ("no-answer", "no-answer"), ("silence", "no-answer"), ("refuses", "no-answer")]
)
async def test_an_agent_who_does_not_come_is_told_to_the_application(act: str, status: str) -> None:
    whisper = '<Gather numDigits="1"><Say>Press 1</Say></Gather><Hangup/>'
    url = ' url="{hook}?m=w"' if act == "refuses" else ""
    application = Application([f'<Dial action="{{hook}}?m=d"><Number{url}>{AGENT}</Number></Dial>', *([whisper] if url else []), BYE])
    async with application.phones() as (calls, _):
        call = (await calls.dial(PHONE, NUMBER))["call"]
        if act == "silence":
            shown = await calls.wait(call)
        elif act == "refuses":
            await calls.agent(call, "answer")
            shown = await calls.wait(call, agent=True)
        else:
            shown = await calls.agent(call, act)
        assert said(shown) == ["Bye"]
    assert next(form for form in application.forms if "DialCallStatus" in form)["DialCallStatus"] == status


async def test_a_caller_who_waits_in_a_queue_is_taken_by_an_agent() -> None:
    application = Application(['<Enqueue action="{hook}?m=q">general</Enqueue>', BYE])
    async with application.phones() as (calls, _):
        shown = await calls.dial(PHONE, NUMBER)
        assert shown["state"] == "queue"
        assert (await calls.agent(shown["call"], "answer"))["state"] == "talk"
        await calls.agent(shown["call"], "hang-up")
    assert application.forms[1]["QueueResult"] == "bridged"


async def test_a_caller_who_hangs_up_is_reported_and_one_without_network_is_not() -> None:
    application = Application([MENU])
    async with application.phones() as (calls, _):
        first = await calls.dial(PHONE, NUMBER)
        second = await calls.dial(PHONE, NUMBER)
        assert first["call"] != second["call"]
        assert [form["CallStatus"] for form in application.forms] == ["ringing", "completed", "ringing"], "a phone has one call at a time"
        calls.drop(second["call"])
        with pytest.raises(UnknownCall):
            await calls.hang_up(second["call"])
        assert len(application.forms) == 3


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [("<Shout/>", 200, "12200"), ("<", 200, "12100"), (BYE, 500, "11200"), ("<Redirect>{hook}</Redirect>", 200, "11200")],
)
async def test_what_goes_wrong_is_said_as_twilio_says_it_and_shown(answer: str, status: int, code: str) -> None:
    application = Application([answer], status=status)
    async with application.phones() as (calls, _):
        shown = await calls.dial(PHONE, NUMBER)
    assert (shown["state"], said(shown)) == ("ended", [BROKEN])
    assert shown["error"].startswith(code)
    assert application.last["CallStatus"] == "completed"


async def test_a_number_of_nobody_is_not_in_service() -> None:
    application = Application([BYE])
    async with application.phones() as (calls, _):
        assert said(await calls.dial(PHONE, "+254711082999")) == [NO_NUMBER]
    assert application.forms == []
