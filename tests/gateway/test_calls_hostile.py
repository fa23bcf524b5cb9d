"""Whatever comes over a line is answered by a spoken sentence, and people who call again hear how their matter stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.routing import work
from core.store import agents
from tests.channels.demo import demo_with
from tests.channels.voice_twilio.calling import CHANNEL, answer, heard, ring
from tests.gateway.running import BEN, Running, running
from tests.gateway.test_calls import behave, sign_in

AGAIN = "CA" + "2" * 32
STATUSES = ("queued", "initiated", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled", "surprising")


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path / "data", config=demo_with(tmp_path, CHANNEL)) as started:
        yield started


async def test_who_calls_again_while_an_agent_has_their_request_hears_so_and_not_the_menu(parley: Running) -> None:
    await sign_in(parley)
    await answer(parley, await ring(parley, CallStatus="ringing"), Digits="0")
    await ring(parley, CallStatus="completed")
    at = parley.gateway.clock.now_ms()
    agent = (await parley.gateway.store.read(agents.everyone))[0]
    ((item_id,),) = await parley.rows("select id from work_item")
    await parley.gateway.store.write(lambda tx: work.claim(tx, item_id, agent, at))
    document = await ring(parley, CallStatus="ringing", CallSid=AGAIN)
    assert heard(document) == "A colleague has your request and will contact you on this number. Goodbye."
    assert [node.tag for node in document] == ["Say", "Hangup"]
    assert await parley.rows("select count(*) from work_item") == [(1,)]


async def test_the_rest_of_the_menu_is_behind_nine_and_can_be_said_at_once(parley: Running) -> None:
    menu = await ring(parley, CallStatus="ringing")
    assert heard(menu).endswith("For an agent, press 5. For more, press 9.")
    more = await answer(parley, menu, Digits="9")
    assert heard(more) == (
        "For your last bill, press 1. For your requests, press 2. For another language, press 3. For your details, press 4."
    )
    assert heard(await answer(parley, more, Digits="3")).startswith("Which language?")
    said = await ring(parley, CallStatus="ringing", CallSid=AGAIN, From=BEN)
    assert heard(await answer(parley, said, SpeechResult="My last bill.", CallSid=AGAIN, From=BEN)).startswith("Your bill of")


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("direction", ["inbound", "outbound-api", "outbound-dial"])
async def test_each_status_of_a_call_is_answered_by_a_sentence(parley: Running, status: str, direction: str) -> None:
    here = parley.gateway.channels["line"].channel.address.value
    ends = {"From": here, "To": BEN} if direction != "inbound" else {"From": BEN, "To": here}
    for repeated in range(2):
        document = await ring(parley, CallStatus=status, Direction=direction, **ends)
        assert heard(document), f"{status} {repeated}"


@pytest.mark.parametrize(
    "given",
    [
        {"Digits": "7"},
        {"Digits": "8" * 64},
        {"Digits": "*#"},
        {"Digits": "ABCD"},
        {"SpeechResult": "what is this " * 800},
        {"SpeechResult": "\u202e\u0000\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")},
        {"SpeechResult": "<Say>{{ 7*7 }}</Say> ' or 1=1 -- /SetSlots(menu_choice=agent)"},
        {"Digits": "", "SpeechResult": "", "Confidence": "much"},
    ],
    ids=["a key of nothing", "many keys", "signs", "letters", "ten kilobytes", "signs of no script", "a document", "nothing"],
)
async def test_whatever_is_keyed_in_or_said_is_answered_by_a_sentence(parley: Running, given: dict[str, str]) -> None:
    menu = await ring(parley, CallStatus="ringing")
    document = await answer(parley, menu, **given)
    assert heard(document)
    assert "49" not in heard(document)
    assert document.find("Gather") is not None, "the call goes on"


@pytest.mark.parametrize(
    "caller", ["anonymous", "+266696687", "sip:jo@pbx.example", "client:jo", "sip:anonymous@anonymous.invalid", "+86282452253"]
)
async def test_whoever_calls_hears_the_menu(parley: Running, caller: str) -> None:
    assert "For your balance, press 1." in heard(await ring(parley, CallStatus="ringing", From=caller))


@pytest.mark.parametrize("mode", ["fail", "down"])
async def test_while_the_billing_is_away_a_caller_hears_so_and_is_offered_a_way_on(parley: Running, mode: str) -> None:
    menu = await ring(parley, CallStatus="ringing")
    await behave(parley, mode)
    document = await answer(parley, menu, Digits="1")
    while (redirect := document.find("Redirect")) is not None:
        document = await ring(parley, redirect.text or "", CallStatus="in-progress")
    assert heard(document) == "We cannot reach our billing system now. Try again? For yes, press 1. For no, press 2."


async def test_calls_of_one_person_at_the_same_time_are_each_answered(parley: Running) -> None:
    calls = [f"CA{place:032d}" for place in range(8)]
    documents = await asyncio.gather(*(ring(parley, CallStatus="ringing", CallSid=call) for call in calls))
    assert all(heard(document) for document in documents)
    went_on = [(call, document) for call, document in zip(calls, documents, strict=True) if document.find("Gather") is not None]
    assert went_on
    answers = await asyncio.gather(*(answer(parley, document, Digits="2", CallSid=call) for call, document in went_on))
    assert all(heard(document) for document in answers)
    assert await parley.rows("select count(distinct conversation_id) from message") == [(1,)]
