"""Callers who are put through: to the phone of a queue, to a queue at Twilio, or to the phone of one person; what Twilio tells of it."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from channels.voice_twilio import VoiceTwilio
from core.model.inbound import ContactSignal
from core.model.outbound import OutboundMessage, Reply, SendError, SendErrorCode
from tests.channels.voice_twilio.subject import ACCOUNT, CALL, SUBJECT, adapter, form, request
from tests.channels.voice_twilio.vocabulary import check, check_in_queue, problems
from tests.conformance.subject import MESSAGE_ID, PUBLIC_URL

DIAL = ("billing +254711000222", "technical queue:tech-calls", "* +254711000333")


def message(**reply: object) -> OutboundMessage:
    return replace(SUBJECT.message, reply=Reply("One moment.", **reply))  # type: ignore[arg-type]


def put_through(made: VoiceTwilio, transfer: str) -> tuple[str, str]:
    """Return the verb that puts a caller through, and to where."""
    root = ET.fromstring(made.acknowledge([message(transfer=transfer)]).body.decode())
    check(root)
    assert root[0].tag == "Say", "a sentence first"
    return root[1].tag, "".join(root[1].itertext())


@pytest.mark.parametrize(
    ("transfer", "to"),
    [
        ("billing", ("Dial", "+254711000222")),
        ("technical", ("Enqueue", "tech-calls")),
        ("general", ("Dial", "+254711000333")),
        ("", ("Dial", "+254711000333")),
        ("+254711082112", ("Dial", "+254711082112")),
    ],
)
def test_each_queue_has_its_phone_or_its_line(transfer: str, to: tuple[str, str]) -> None:
    assert put_through(adapter(dial=DIAL), transfer) == to


@pytest.mark.parametrize(
    ("queue", "attended", "possible"),
    [("billing", False, True), ("technical", True, True), ("technical", False, False), ("general", False, True), ("", False, True)],
)
def test_a_line_needs_people_at_work_and_a_phone_does_not(queue: str, *, attended: bool, possible: bool) -> None:
    assert adapter(dial=DIAL).capabilities.through(queue, attended=attended) is possible


def test_without_a_setting_nobody_is_put_through() -> None:
    assert not adapter().capabilities.through("billing", attended=True)


@pytest.mark.parametrize("music", ["", "https://music.example/soft.mp3"])
def test_who_waits_hears_a_sentence_and_music_if_there_is_any_and_may_press_a_key(music: str) -> None:
    root = ET.fromstring(adapter(dial=DIAL, music=music).waiting(message()).body.decode())
    check_in_queue(root)
    (gather,) = root
    assert [node.tag for node in gather] == (["Say", "Play"] if music else ["Say"])
    assert (gather.attrib["input"], gather.attrib["finishOnKey"], "actionOnEmptyResult" in gather.attrib) == ("dtmf", "", False)
    assert gather.attrib["action"] == f"{PUBLIC_URL}?m={MESSAGE_ID}&s=leave"


def test_leaving_the_line_is_one_verb() -> None:
    root = ET.fromstring(adapter().leave().body.decode())
    check_in_queue(root)
    assert [node.tag for node in root] == ["Leave"]


@pytest.mark.parametrize(
    "wrong", ["<Enqueue/>", f"<Enqueue>{'x' * 65}</Enqueue>", "<Enqueue maxQueueSize='3'>a</Enqueue>", "<Leave/><Say>more</Say>"]
)
def test_the_vocabulary_knows_the_verbs_of_a_queue(wrong: str) -> None:
    assert list(problems(ET.fromstring(f"<Response>{wrong}</Response>")))


def told(purpose: str, **fields: str) -> ContactSignal:
    """Return the only event of a request about a caller who was put through."""
    first, *_ = adapter().parse(request(form(**fields), f"{PUBLIC_URL}?m={MESSAGE_ID}&s={purpose}"))
    assert isinstance(first, ContactSignal)
    return first


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ("bridged", "completed"),
        ("bridging-in-process", "completed"),
        ("redirected-from-bridged", "completed"),
        ("hangup", "abandoned"),
        ("leave", "left"),
        ("queue-full", "full"),
        ("error", "failed"),
        ("system-error", "failed"),
        ("QUEUE-FULL", "full"),
        ("surprise", "failed"),
    ],
)
def test_each_result_of_a_queue_is_understood(result: str, outcome: str) -> None:
    signal = told("dialled", QueueResult=result, QueueTime="12")
    assert (signal.signal, signal.value, signal.session_id) == ("dialled", f"{outcome} 0", CALL)


def test_a_caller_whom_we_called_out_of_the_queue_has_not_left_it() -> None:
    signal = told("dialled", QueueResult="redirected")
    assert (signal.signal, signal.value) == ("fetched", MESSAGE_ID)


def test_a_caller_who_hung_up_in_the_queue_has_ended_the_call_too() -> None:
    fields = form(QueueResult="hangup", CallStatus="completed")
    events = adapter().parse(request(fields, f"{PUBLIC_URL}?m={MESSAGE_ID}&s=dialled"))
    assert [event.signal for event in events if isinstance(event, ContactSignal)] == ["dialled", "hung_up"]


def test_a_place_and_a_key_are_told_as_text() -> None:
    waits, key = told("waiting", QueuePosition="3"), told("leave", Digits="1")
    assert (waits.signal, waits.value, waits.text) == ("waiting", MESSAGE_ID, "3")
    assert (key.signal, key.text) == ("leave", "1")


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"sid": CALL, "status": "in-progress"}, True),
        (400, {"code": 21220, "message": "Call is not in-progress."}, False),
        (404, {"code": 20404, "message": "not found"}, False),
        (400, {"code": 21205, "message": "Invalid URL."}, SendErrorCode.REFUSED),
        (401, {"code": 20003, "message": "Authenticate"}, SendErrorCode.BAD_CREDENTIALS),
        (500, {}, SendErrorCode.PROVIDER_DOWN),
        (200, {}, SendErrorCode.UNREADABLE_ANSWER),
    ],
)
async def test_a_caller_is_called_out_of_the_queue(status: int, body: dict[str, object], outcome: object) -> None:
    asked: asyncio.Queue[tuple[str, dict[str, str]]] = asyncio.Queue()

    async def change(request: web.Request) -> web.Response:
        asked.put_nowait((request.path, {name: str(value) for name, value in (await request.post()).items()}))
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_post("/{rest:.*}", change)
    async with TestServer(app) as server:
        made = adapter(api_base=str(server.make_url("")).rstrip("/"))
        try:
            came: object = await made.fetch(CALL, MESSAGE_ID)
        except SendError as error:
            came = error.code
        finally:
            await made.close()
    assert came is outcome
    path, fields = asked.get_nowait()
    assert path == f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{CALL}.json"
    assert fields == {"Url": f"{PUBLIC_URL}?m={MESSAGE_ID}&s=fetched", "Method": "POST"}
