"""A caller is put through to people by phone, who hear first what it is about; nobody who takes it is no dead end."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.channels.demo import demo_with
from tests.channels.voice_twilio.calling import CHANNEL, answer, heard, ring
from tests.gateway.running import ANNA, Running, running

HERE, PEOPLE = "+254711082000", "+254711000333"
DIAL = f'dial = ["* {PEOPLE}"]\n'


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path / "data", config=demo_with(tmp_path, CHANNEL + DIAL)) as started:
        yield started


async def put_through(parley: Running) -> tuple[ET.Element, str]:
    """Ask for a person; return the Dial, and the address of what is whispered."""
    amount = await answer(parley, await ring(parley, CallStatus="ringing"), Digits="2")
    document = await answer(parley, amount, SpeechResult="agent")
    assert [node.tag for node in document] == ["Say", "Dial"]
    assert heard(document) == "One moment, I am putting you through to a colleague."
    dial = document[1]
    (number,) = dial
    assert (number.text, dial.attrib["callerId"]) == (PEOPLE, HERE)
    return dial, number.attrib["url"]


async def pick_up(parley: Running, url: str, **given: str) -> ET.Element:
    """Answer the phone of one of our people."""
    leg = {"CallSid": "CA" + "9" * 32, "ParentCallSid": "CA1", "Direction": "outbound-dial", "From": HERE, "To": PEOPLE}
    return await ring(parley, url, **{**leg, **given})


async def back(parley: Running, dial: ET.Element, **given: str) -> ET.Element:
    """Let the caller come back from the Dial."""
    return await ring(parley, dial.attrib["action"], **{"CallStatus": "in-progress", "DialCallDuration": "0", **given})


async def item(parley: Running) -> tuple[str, dict[str, Any]]:
    ((state, card),) = await parley.rows("select state, card from work_item order by number desc limit 1")
    return state, json.loads(card)


async def test_people_hear_who_calls_take_the_call_and_it_stays_at_the_desk(parley: Running) -> None:
    dial, url = await put_through(parley)
    state, card = await item(parley)
    assert (state, card["call"]) == ("waiting", {"status": "ringing"})
    whispered = await pick_up(parley, url)
    (gather,) = whispered
    assert heard(whispered) == "A call about top-up. Press 1 to take it."
    assert (gather.attrib["numDigits"], gather.attrib["input"]) == ("1", "dtmf")
    connected = await pick_up(parley, gather.attrib["action"], Digits="1")
    assert list(connected) == [], "an empty document connects the two"
    assert (await item(parley))[1]["call"] == {"status": "taken"}
    over = await back(parley, dial, DialCallStatus="completed", DialCallDuration="63", DialBridged="true")
    assert [node.tag for node in over] == ["Say", "Hangup"]
    assert heard(over) == "Goodbye."
    state, card = await item(parley)
    assert (state, card["call"]) == ("waiting", {"status": "completed", "seconds": 63}), "an agent says what came of it"
    kinds = await parley.rows("select distinct address from interaction")
    assert kinds == [(ANNA,)], "our people are no customers"


@pytest.mark.parametrize(
    "outcome",
    [
        {"DialCallStatus": "busy"},
        {"DialCallStatus": "no-answer"},
        {"DialCallStatus": "failed"},
        {"DialCallStatus": "canceled"},
        {"DialCallStatus": "completed", "DialBridged": "false"},
        {},
    ],
    ids=["busy", "no answer", "failed", "cancelled", "picked up but not taken", "nothing said"],
)
async def test_a_caller_whom_nobody_takes_is_offered_a_message_and_a_call_back(parley: Running, outcome: dict[str, str]) -> None:
    dial, _ = await put_through(parley)
    offer = await back(parley, dial, **outcome)
    assert heard(offer).startswith("All our colleagues are busy. For leaving a message, press 1. For a call back, press 2.")
    assert ET.tostring(await back(parley, dial, **outcome)) == ET.tostring(offer), "the same request gets the same answer"
    assert (await item(parley))[0] == "done"
    await answer(parley, offer, Digits="2")
    assert await parley.rows("select state, reason from work_item order by number") == [("done", "asked"), ("waiting", "callback")]


async def test_who_does_not_press_the_key_lets_the_caller_go(parley: Running) -> None:
    _, url = await put_through(parley)
    (gather,) = await pick_up(parley, url)
    for keys in ("", "2", "*"):
        refused = await pick_up(parley, gather.attrib["action"], Digits=keys)
        assert [node.tag for node in refused] == ["Hangup"]
    assert (await item(parley))[1]["call"] == {"status": "ringing"}


async def test_a_caller_who_hangs_up_while_it_rings_is_to_be_called_back(parley: Running) -> None:
    dial, url = await put_through(parley)
    await back(parley, dial, DialCallStatus="no-answer", CallStatus="completed")
    state, card = await item(parley)
    assert (state, card["call"]["status"]) == ("waiting", "abandoned")
    assert await parley.rows("select session_id, owner from conversation where owner <> 'bot'") == [(None, "queued")]
    late = await pick_up(parley, url)
    assert heard(late) == "A call about top-up. Press 1 to take it."


async def test_a_whisper_about_nothing_hangs_up(parley: Running) -> None:
    dial, url = await put_through(parley)
    await back(parley, dial, DialCallStatus="busy")
    assert [node.tag for node in await pick_up(parley, url)] == ["Hangup"], "nobody waits any more"
