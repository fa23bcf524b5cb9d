"""Somebody calls whose request waits for people already: they hear since when, and may be put through or leave a message meanwhile."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.channels.demo import demo_with
from tests.channels.voice_twilio.calling import CHANNEL, answer, heard, ring
from tests.gateway.running import ANNA, Running, running

PEOPLE = "+254711000333"
AGAIN = "CA" + "2" * 32
WAITS = re.compile(r"Your request has been waiting for a colleague since (yesterday at )?[0-9]{2}:[0-9]{2}\. (.*)")
ALONE = "For leaving a message, press 1. For waiting for our call, press 2."
THROUGH = "For being put through, press 1. For leaving a message, press 2. For waiting for our call, press 3."
HAS_IT = "A colleague has your request and will contact you on this number. Goodbye."


@pytest.fixture
async def parley(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    dial = getattr(request, "param", "")
    async with running(tmp_path / "data", config=demo_with(tmp_path, CHANNEL + dial)) as started:
        yield started


with_phone = pytest.mark.parametrize("parley", [f'dial = ["* {PEOPLE}"]\n'], indirect=True)


async def text(parley: Running, words: str) -> None:
    demo = parley.gateway.demo
    assert demo is not None
    await demo.twilio.deliver(ANNA, "+254711082000", words)


async def request_by_text(parley: Running) -> None:
    """Let Anna ask for a person by SMS."""
    await text(parley, "agent")
    assert await parley.rows("select state, reason from work_item") == [("waiting", "asked")]


async def again(parley: Running) -> tuple[ET.Element, str]:
    """Call; return the question and its options."""
    document = await ring(parley, CallStatus="ringing", CallSid=AGAIN)
    found = WAITS.fullmatch(heard(document))
    assert found is not None, heard(document)
    return document, found[2]


async def choose(parley: Running, document: ET.Element, **given: str) -> ET.Element:
    return await answer(parley, document, CallSid=AGAIN, **given)


async def work(parley: Running) -> list[tuple[str, str, dict[str, Any]]]:
    return [(state, reason, json.loads(card)) for state, reason, card in await parley.rows("select state, reason, card from work_item")]


async def test_a_caller_whose_request_waits_leaves_a_message_with_it(parley: Running) -> None:
    await request_by_text(parley)
    asked, options = await again(parley)
    assert options == ALONE
    speak = await choose(parley, asked, Digits="1")
    record = speak.find("Record")
    assert record is not None
    url = "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1"
    over = await ring(parley, record.attrib["action"], CallSid=AGAIN, RecordingUrl=url, RecordingDuration="3", Digits="#")
    assert heard(over) == "I am passing this to a colleague, who will contact you on this number. Goodbye."
    assert [one[:2] for one in await work(parley)] == [("waiting", "asked")], "it is the same request"
    assert len(await parley.rows("select 1 from media")) == 1


@pytest.mark.parametrize("given", [{"Digits": "2"}, {"SpeechResult": "waiting for our call"}], ids=["key", "words"])
async def test_a_caller_whose_request_waits_may_leave_it_at_that(parley: Running, given: dict[str, str]) -> None:
    await request_by_text(parley)
    asked, _ = await again(parley)
    assert heard(await choose(parley, asked, **given)) == HAS_IT
    assert [one[:2] for one in await work(parley)] == [("waiting", "asked")]


@pytest.mark.parametrize("given", [{"SpeechResult": "top up"}, {"Digits": "0"}, {"Digits": "9"}, {}], ids=["a wish", "0", "9", "silence"])
async def test_nothing_else_is_begun_for_a_caller_whose_request_waits(parley: Running, given: dict[str, str]) -> None:
    await request_by_text(parley)
    document, _ = await again(parley)
    for _ in range(4):
        document = await choose(parley, document, **given)
        assert heard(document)
        assert "How much" not in heard(document)
        if document.find("Gather") is None:
            break
    assert [node.tag for node in document] == ["Say", "Hangup"]
    assert await parley.rows("select owner from conversation where owner <> 'bot'") == [("queued",)]


@with_phone
async def test_a_caller_whose_request_waits_is_put_through_and_it_stays_if_nobody_answers(parley: Running) -> None:
    await request_by_text(parley)
    asked, options = await again(parley)
    assert options == THROUGH
    through = await choose(parley, asked, Digits="1")
    assert [node.tag for node in through] == ["Say", "Dial"]
    number = through[1][0]
    assert number.text == PEOPLE
    leg = {"CallSid": "CA" + "9" * 32, "ParentCallSid": AGAIN, "Direction": "outbound-dial", "From": "+254711082000", "To": PEOPLE}
    assert "Press 1 to take it." in heard(await ring(parley, number.attrib["url"], **leg))
    missed = await ring(parley, through[1].attrib["action"], CallSid=AGAIN, CallStatus="in-progress", DialCallStatus="busy")
    assert heard(missed) == HAS_IT
    ((state, reason, card),) = await work(parley)
    assert (state, reason, card["call"]) == ("waiting", "asked", {"status": "busy", "seconds": 0, "again": True})
    assert (await again(parley))[1] == THROUGH, "and the next time"


@with_phone
async def test_a_caller_whose_request_waits_talks_and_an_agent_says_what_came_of_it(parley: Running) -> None:
    await request_by_text(parley)
    through = await choose(parley, (await again(parley))[0], Digits="1")
    talked = {"CallStatus": "in-progress", "DialCallStatus": "completed", "DialBridged": "true", "DialCallDuration": "9"}
    assert heard(await ring(parley, through[1].attrib["action"], CallSid=AGAIN, **talked)) == "Goodbye."
    assert [one[:2] for one in await work(parley)] == [("waiting", "asked")]


async def test_a_request_of_days_ago_is_named_by_its_date(parley: Running) -> None:
    await request_by_text(parley)
    days = 3 * 86_400_000
    await parley.gateway.store.write(lambda tx: tx.execute("update work_item set created_at = created_at - ?", (days,)))
    words = heard(await ring(parley, CallStatus="ringing", CallSid=AGAIN))
    assert re.match(r"Your request has been waiting for a colleague since [0-9]{1,2} [A-Z][a-z]+ [0-9]{4}\.", words), words


async def test_what_is_written_meanwhile_is_no_answer_to_the_question_on_the_phone(parley: Running) -> None:
    await request_by_text(parley)
    await again(parley)
    await text(parley, "1")
    assert [one[:2] for one in await work(parley)] == [("waiting", "asked")]
    assert await parley.rows("select owner from conversation where owner <> 'bot'") == [("queued",)]
