"""Calls through a whole gateway: silence, keys and spoken words do on the line what the dialogs promise."""

from __future__ import annotations

import asyncio
import json
import threading
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.agents import SessionLimits, open_session
from tests.channels.demo import demo_with
from tests.channels.voice_twilio.calling import CHANNEL, answer, heard, on, ring
from tests.gateway.running import ANNA, Running, running


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path / "data", config=demo_with(tmp_path, CHANNEL)) as started:
        yield started


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
    assert "50 shillings to your balance now? For yes, press 1. For no, press 2." in heard(confirm)
    back = await answer(parley, confirm, Digits="*")
    assert heard(back) == heard(amount)
    people = await answer(parley, back, Digits="0")
    assert heard(people).startswith("All our colleagues are busy.")


async def test_a_call_that_ended_in_silence_is_gone_on_with_in_the_next(parley: Running) -> None:
    prompt = await answer(parley, await ring(parley, CallStatus="ringing"), Digits="2")
    for _ in range(3):
        prompt = await answer(parley, prompt)
    assert prompt.find("Gather") is None
    offer = await ring(parley, CallStatus="ringing", CallSid="CA" + "2" * 32)
    assert heard(offer) == "You were at top-up. For going on, press 1. For starting again, press 2."


SMS = "+254711082000"
SENT = "select m.channel_id, m.text from outbox o join message m on m.id = o.message_id"


async def found(parley: Running, sql: str) -> list[Any]:
    """Return the rows as soon as there are any."""
    async with asyncio.timeout(15):
        with parley.gateway.hints.listen("events") as listener:
            while not (rows := await parley.rows(sql)):
                await listener.wait(1)
    return rows


async def behave(parley: Running, mode: str) -> None:
    """Let the operator's billing answer at once, or not before it is told to."""
    demo = parley.gateway.demo
    assert demo is not None
    how = {"mode": mode} | ({"delay_s": 120} if mode == "slow" else {})
    async with parley.http.put(f"{demo.bss_url}/demo/behaviour", json=how) as answered:
        assert answered.status == 200


async def test_a_caller_waits_for_a_slow_result_and_the_call_goes_on_with_it(parley: Running) -> None:
    menu = await ring(parley, CallStatus="ringing")
    await behave(parley, "slow")
    action = menu[0].attrib["action"]
    wait = await ring(parley, action, Digits="1")
    assert [node.tag for node in wait] == ["Say", "Pause", "Redirect"]
    assert heard(wait) == "One moment, please."
    assert ET.tostring(await ring(parley, action, Digits="1")) == ET.tostring(wait), "the same request gets the same answer"
    longer = await on(parley, wait)
    assert heard(longer) == "Thank you for waiting. It takes a little longer."
    await behave(parley, "ok")
    result = await on(parley, longer)
    assert "shilling" in heard(result)
    assert ET.tostring(await on(parley, longer)) == ET.tostring(result)
    assert ET.tostring(await on(parley, wait)) == ET.tostring(longer)
    await ring(parley, CallStatus="completed")
    assert await parley.rows("select 1 from outbox") == [], "what was heard is not written as well"
    said = await parley.rows("select text from message where direction = 'outbound'")
    assert not any("moment" in text for (text,) in said), "asking to wait is not what was said"


async def test_a_result_that_comes_while_the_caller_listens_to_the_wait_is_there_when_asked_for(parley: Running) -> None:
    menu = await ring(parley, CallStatus="ringing")
    await behave(parley, "slow")
    wait = await ring(parley, menu[0].attrib["action"], Digits="1")
    await behave(parley, "ok")
    await found(parley, "select 1 from action where state = 'done'")
    result = await on(parley, wait)
    assert "shilling" in heard(result)


async def test_a_caller_who_hangs_up_while_waiting_gets_the_result_by_message(parley: Running) -> None:
    menu = await ring(parley, CallStatus="ringing")
    await behave(parley, "slow")
    await ring(parley, menu[0].attrib["action"], Digits="1")
    await ring(parley, CallStatus="completed")
    await behave(parley, "ok")
    sent = await found(parley, SENT)
    assert [(channel, "KES" in text) for channel, text in sent] == [("sms", True)]


async def test_a_result_that_was_never_fetched_is_sent_when_the_caller_has_hung_up(parley: Running) -> None:
    menu = await ring(parley, CallStatus="ringing")
    await behave(parley, "slow")
    await ring(parley, menu[0].attrib["action"], Digits="1")
    await behave(parley, "ok")
    await found(parley, "select 1 from action where state = 'done'")
    assert await parley.rows("select 1 from outbox") == []
    await ring(parley, CallStatus="completed")
    sent = await parley.rows(SENT)
    assert [(channel, "KES" in text) for channel, text in sent] == [("sms", True)]
    await ring(parley, CallStatus="completed", CallSid="CA" + "3" * 32)
    assert len(await parley.rows("select 1 from outbox")) == 1


async def test_what_a_crash_leaves_is_gone_on_with_by_the_next_request(tmp_path: Path) -> None:
    config = demo_with(tmp_path, CHANNEL + "hold_s = 300\n")
    async with running(tmp_path / "data", config=config) as parley:
        menu = await ring(parley, CallStatus="ringing")
        await behave(parley, "slow")
        wait = await ring(parley, menu[0].attrib["action"], Digits="1")
        path = wait.findtext("Redirect", "").partition("/c/")[2]
        parley.gateway.store.close()  # the process dies: nothing of what still runs can be written
        await behave(parley, "ok")
    async with running(tmp_path / "data", config=config) as parley:
        result = await ring(parley, f"{parley.gateway.url}/c/{path}", CallStatus="in-progress")
        while result.find("Redirect") is not None:
            result = await on(parley, result)
        assert "shilling" in heard(result)
        assert await parley.rows("select 1 from outbox") == []


async def test_while_the_store_is_away_people_on_a_line_are_told_to_try_again(parley: Running) -> None:
    await ring(parley, CallStatus="ringing")
    parley.gateway.store.close()
    sorry = await ring(parley, CallStatus="ringing", CallSid="CA" + "4" * 32)
    assert [node.tag for node in sorry] == ["Say", "Hangup"]
    assert heard(sorry) == "The service is not available at the moment. Please try again later. Goodbye."
    assert sorry[0].attrib["language"] == "en-US"
    assert await parley.dial("") == (200, "END The service is not available now. Please try again later.")
    assert parley.gateway.counters.value("fixed_answers", channel="line") == 1
    twilio_sms = parley.gateway.channels["sms"]
    assert twilio_sms.sorry is None, "a provider that comes back is refused instead"
    fields = {"CallSid": "CA1"}
    async with parley.http.post(parley.gateway.channels["line"].webhook_url, data=fields) as unsigned:
        assert unsigned.status == 403, "who cannot be told from a stranger hears nothing"


async def test_a_call_that_the_store_keeps_waiting_hears_the_fixed_sentence(parley: Running) -> None:
    await ring(parley, CallStatus="ringing")
    go_on = threading.Event()
    blocked = asyncio.ensure_future(parley.gateway.store.write(lambda _: go_on.wait(30)))
    try:
        sorry = await ring(parley, CallStatus="ringing", CallSid="CA" + "5" * 32)
    finally:
        go_on.set()
    assert heard(sorry).startswith("The service is not available")
    assert await blocked


async def test_who_was_never_asked_to_wait_hears_a_sentence(parley: Running) -> None:
    menu = await ring(parley, CallStatus="ringing")
    strange = await ring(parley, menu[0].attrib["action"] + "&s=hold", CallStatus="in-progress")
    assert [node.tag for node in strange] == ["Say", "Hangup"]


async def sign_in(parley: Running) -> None:
    """Let somebody be at the desk."""
    at = parley.gateway.clock.now_ms()
    (agent_id, *_), *_ = await parley.rows("select id from agent")
    await parley.gateway.store.write(lambda tx: open_session(tx, "t" * 40, agent_id, at, SessionLimits()))


async def card_of(parley: Running) -> tuple[str, dict[str, Any]]:
    ((reason, card),) = await parley.rows("select reason, card from work_item where state = 'waiting'")
    return reason, json.loads(card)


async def test_with_people_at_work_a_call_is_handed_over(parley: Running) -> None:
    await sign_in(parley)
    people = await answer(parley, await ring(parley, CallStatus="ringing"), Digits="0")
    assert "I am passing this to a colleague, who will contact you on this number." in heard(people)
    assert [node.tag for node in people] == ["Say", "Hangup"]
    assert (await card_of(parley))[0] == "asked"


async def test_with_nobody_there_a_caller_leaves_a_message(parley: Running) -> None:
    offer = await answer(parley, await ring(parley, CallStatus="ringing"), Digits="0")
    assert heard(offer) == (
        "All our colleagues are busy. For leaving a message, press 1. For a call back, press 2. For something else, press 3."
    )
    speak = await answer(parley, offer, Digits="1")
    say, record, silence = speak
    assert say.text == "Please speak after the tone, and press the hash key at the end."
    assert (record.tag, record.attrib["maxLength"], record.attrib["finishOnKey"], record.attrib["transcribe"]) == (
        "Record",
        "120",
        "#",
        "false",
    )
    nothing = await ring(parley, silence.text or "", CallStatus="in-progress")
    assert nothing.find("Record") is not None, "who said nothing is asked again"
    kept = nothing.find("Record")
    assert kept is not None
    account = parley.gateway.channels["line"].settings.account_sid
    url = f"https://api.twilio.com/2010-04-01/Accounts/{account}/Recordings/RE{'1' * 32}"
    over = await ring(parley, kept.attrib["action"], RecordingUrl=url, RecordingDuration="9", Digits="#")
    assert [node.tag for node in over] == ["Say", "Hangup"]
    reason, card = await card_of(parley)
    assert (reason, card["facts"].get("spoken_message")) == ("voicemail", None)
    ((source, kind),) = await parley.rows("select source, content_type from media")
    assert (json.loads(source)["url"], kind) == (f"{url}.mp3", "audio/mpeg")


async def test_a_message_that_ends_with_hanging_up_is_left_all_the_same(parley: Running) -> None:
    offer = await answer(parley, await ring(parley, CallStatus="ringing"), Digits="0")
    record = (await answer(parley, offer, Digits="1")).find("Record")
    assert record is not None
    left = {"RecordingUrl": "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1", "RecordingDuration": "3", "Digits": "hangup"}
    await ring(parley, record.attrib["action"], CallStatus="completed", **left)
    await ring(parley, CallStatus="completed")
    assert (await card_of(parley))[0] == "voicemail"
    assert len(await parley.rows("select 1 from media")) == 1


async def test_with_nobody_there_a_caller_asks_to_be_called_back(parley: Running) -> None:
    offer = await answer(parley, await ring(parley, CallStatus="ringing"), Digits="0")
    over = await answer(parley, offer, Digits="2")
    assert [node.tag for node in over] == ["Say", "Hangup"]
    assert (await card_of(parley))[0] == "callback"


async def texts(parley: Running, words: str) -> str:
    """Return the newest text on the phone as soon as it has these words."""
    demo = parley.gateway.demo
    assert demo is not None
    arrived = asyncio.Event()

    async def note(_: Any) -> None:
        arrived.set()

    demo.twilio.listen(note)
    async with asyncio.timeout(15):
        while True:
            bodies = [message.body for message in demo.twilio.messages(ANNA) if message.direction != "inbound"]
            if bodies and words in bodies[-1]:
                return bodies[-1]
            await arrived.wait()
            arrived.clear()


async def test_a_call_that_drops_in_a_top_up_goes_on_by_sms_at_the_same_step(parley: Running) -> None:
    demo = parley.gateway.demo
    assert demo is not None
    amount = await answer(parley, await ring(parley, CallStatus="ringing"), Digits="2")
    confirm = await answer(parley, amount, Digits="50")
    assert "Add 50 shillings to your balance now?" in heard(confirm)
    await ring(parley, CallStatus="completed")
    await demo.twilio.deliver(ANNA, SMS, "hello")
    assert "Continue" in await texts(parley, "top-up")
    await demo.twilio.deliver(ANNA, SMS, "1")
    await texts(parley, "Add KES 50 to your balance now?")
    await demo.twilio.deliver(ANNA, SMS, "1")
    assert "KES 50 added" in await texts(parley, "added")
    assert await parley.rows("select count(distinct conversation_id), count(distinct channel_id) from message") == [(1, 2)]


async def test_a_call_that_drops_in_a_top_up_goes_on_when_the_person_calls_again(parley: Running) -> None:
    amount = await answer(parley, await ring(parley, CallStatus="ringing"), Digits="2")
    await ring(parley, CallStatus="completed")
    offer = await ring(parley, CallStatus="ringing", CallSid="CA" + "2" * 32)
    assert heard(offer) == "You were at top-up. For going on, press 1. For starting again, press 2."
    again = await answer(parley, offer, Digits="1", CallSid="CA" + "2" * 32)
    assert heard(again).endswith(heard(amount))
