"""Calls through a whole gateway: silence, keys and spoken words do on the line what the dialogs promise."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.channels.demo import demo_with
from tests.channels.voice_twilio.test_voice_twilio import CHANNEL, heard, ring
from tests.gateway.running import Running, running


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path / "data", config=demo_with(tmp_path, CHANNEL)) as started:
        yield started


async def answer(parley: Running, prompt: ET.Element, **given: str) -> ET.Element:
    """Answer a prompt at the address that it gives, by `Digits` or `SpeechResult`, or by neither: in silence."""
    gather = prompt.find("Gather")
    assert gather is not None, "the call is over"
    return await ring(parley, gather.attrib["action"], CallStatus="in-progress", **({"Digits": ""} | given))


async def test_silence_is_asked_twice_then_the_call_ends_with_a_goodbye(parley: Running) -> None:
    menu = await ring(parley, CallStatus="ringing")
    again = await answer(parley, menu)
    assert heard(again) == heard(menu)
    keys = await answer(parley, again)
    assert heard(keys).startswith("Are you still there? Please use the keys of your phone.")
    assert keys[0].attrib["input"] == "dtmf"
    over = await answer(parley, keys)
    assert [node.tag for node in over] == ["Say", "Hangup"]
    assert heard(over) == "Goodbye."


async def test_one_key_is_enough_in_a_menu_and_words_of_a_recogniser_are_understood(parley: Running) -> None:
    menu = await ring(parley, CallStatus="ringing")
    assert menu[0].attrib["numDigits"] == "1"
    amount = await answer(parley, menu, SpeechResult="Top-up.")
    assert "numDigits" not in amount[0].attrib
    confirm = await answer(parley, amount, SpeechResult="Fifty.")
    assert "50 to your balance now? For yes, press 1. For no, press 2." in heard(confirm)
    back = await answer(parley, confirm, Digits="*")
    assert heard(back) == heard(amount)
    people = await answer(parley, back, Digits="0")
    assert heard(people).endswith("Goodbye.")
    assert [node.tag for node in people] == ["Say", "Hangup"]


async def test_a_call_that_ended_in_silence_is_gone_on_with_in_the_next(parley: Running) -> None:
    prompt = await answer(parley, await ring(parley, CallStatus="ringing"), Digits="2")
    for _ in range(3):
        prompt = await answer(parley, prompt)
    assert prompt.find("Gather") is None
    offer = await ring(parley, CallStatus="ringing", CallSid="CA" + "2" * 32)
    assert heard(offer) == "You were at top-up. For going on, press 1. For starting again, press 2."
