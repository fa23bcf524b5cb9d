"""An agent calls a customer back: what Twilio is asked for, what the customer or their machine hears, and what the record says of it."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from core.routing import reach, speak, work
from core.store import agents, conversations
from core.store.api import Tx
from tests.channels.demo import demo_with
from tests.channels.voice_twilio.calling import CHANNEL, answer, heard, ring
from tests.gateway.running import ANNA, Running, running

HERE, PEOPLE = "+254711082000", "+254711000333"
OUT = "CA" + "8" * 32
WORDS = "This is Demo Telecom. You asked us to call you back."


class Api:
    """The part of Twilio that makes calls; it writes down what it is asked."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[dict[str, list[str]]] = asyncio.Queue()

    async def call(self, request: web.Request) -> web.Response:
        await self.asked.put(parse_qs(await request.text()))
        return web.json_response({"sid": OUT, "status": "queued"}, status=201)


@pytest.fixture
async def api() -> AsyncIterator[tuple[Api, str]]:
    made, app = Api(), web.Application()
    app.router.add_post("/2010-04-01/Accounts/{sid}/Calls.json", made.call)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield made, f"http://{host}:{port}"
    await runner.cleanup()


@pytest.fixture(params=["", f'dial = ["* {PEOPLE}"]\n'], ids=["a message", "put through"])
async def parley(tmp_path: Path, api: tuple[Api, str], request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    config = demo_with(tmp_path, f'{CHANNEL}api_base = "{api[1]}"\n{request.param}')
    async with running(tmp_path / "data", config=config) as started:
        yield started


async def wanted(parley: Running) -> None:
    """Let Anna ask to be called back."""
    menu = await ring(parley, CallStatus="ringing")
    people = await answer(parley, menu, Digits="0")
    dial = people.find("Dial")
    if dial is not None:
        people = await ring(parley, dial.attrib["action"], DialCallStatus="busy")
    await answer(parley, people, Digits="2")


async def call_back(parley: Running) -> str:
    """Let an agent take the work and call; return the id of the message."""
    at, channels = parley.gateway.clock.now_ms(), parley.gateway.core_channels()
    agent = (await parley.gateway.store.read(agents.everyone))[0]
    ((item_id, conversation_id),) = await parley.rows("select id, conversation_id from work_item where reason = 'callback'")
    await parley.gateway.store.write(lambda tx: work.claim(tx, item_id, agent, at))
    ways = await parley.gateway.store.read(lambda tx: reach.targets(tx, channels, conversation_id))
    first, *others = [way.channel_id for way in ways]
    assert first == "sms", "a call is never what is taken without being chosen"
    assert set(others) == {"voice", "line"}
    ((seq,),) = await parley.rows("select seq from conversation where id = ?", conversation_id)

    def unit(tx: object) -> speak.Spoken:
        cause = parley.gateway.clock.new_id()
        key = f"line|msisdn:{ANNA}"
        return speak.reply(tx, channels, conversation_id, agent, WORDS, against_seq=seq, cause=cause, at=at, target=key)  # type: ignore[arg-type]

    spoken = await parley.gateway.store.write(unit)
    parley.gateway.hints.wake("outbox")
    return spoken.message_id


async def status(parley: Running, message_id: str) -> str:
    ((found,),) = await parley.rows("select status from message where id = ?", message_id)
    return str(found)


async def called(parley: Running, url: str, **given: str) -> ET.Element:
    """Ask what to say in the call that we made, or tell how it goes."""
    return await ring(parley, url, **{"CallSid": OUT, "Direction": "outbound-api", "From": HERE, "To": ANNA, **given})


async def asked_of(api: tuple[Api, str]) -> dict[str, str]:
    async with asyncio.timeout(15):
        form = await api[0].asked.get()
    return {name: " ".join(values) for name, values in form.items()}


async def test_a_customer_who_answers_hears_the_agents_words(parley: Running, api: tuple[Api, str]) -> None:
    await wanted(parley)
    message_id = await call_back(parley)
    form = await asked_of(api)
    assert (form["To"], form["From"], form["MachineDetection"], form["Timeout"]) == (ANNA, HERE, "DetectMessageEnd", "20")
    assert form["StatusCallbackEvent"] == "initiated ringing answered completed"
    for told, reached in (("initiated", "accepted"), ("ringing", "sent"), ("in-progress", "delivered")):
        await called(parley, form["StatusCallback"], CallStatus=told, CallbackSource="call-progress-events")
        assert await status(parley, message_id) == reached
    document = await called(parley, form["Url"], CallStatus="in-progress", AnsweredBy="human")
    through = bool(parley.gateway.channels["line"].settings.dial)
    assert heard(document) == WORDS
    assert [node.tag for node in document] == ["Say", "Dial" if through else "Hangup"]
    if through:
        number = document[1].find("Number")
        assert number is not None
        whisper = await ring(parley, number.attrib["url"], CallSid="CA" + "9" * 32, From=HERE, To=PEOPLE, Direction="outbound-dial")
        assert "Press 1 to take" in heard(whisper)
        taken = await ring(
            parley, whisper[0].attrib["action"], CallSid="CA" + "9" * 32, From=HERE, To=PEOPLE, Direction="outbound-dial", Digits="1"
        )
        assert list(taken) == [], "the two are connected"
        over = await called(parley, document[1].attrib["action"], CallStatus="in-progress", DialCallStatus="completed", DialBridged="true")
        assert heard(over) == "Goodbye."
    await called(parley, form["StatusCallback"], CallStatus="completed", CallbackSource="call-progress-events")
    assert await status(parley, message_id) == "delivered"
    assert await parley.rows("select state from work_item where reason = 'callback'") == [("working",)], "the agent ends the work"


@pytest.mark.parametrize(
    ("answered_by", "verbs"),
    [("machine_end_beep", ["Say", "Hangup"]), ("machine_start", ["Say", "Hangup"]), ("fax", ["Hangup"])],
)
async def test_a_machine_is_told_the_message_and_a_fax_nothing(
    parley: Running, api: tuple[Api, str], answered_by: str, verbs: list[str]
) -> None:
    await wanted(parley)
    await call_back(parley)
    form = await asked_of(api)
    document = await called(parley, form["Url"], CallStatus="in-progress", AnsweredBy=answered_by)
    assert [node.tag for node in document] == verbs


@pytest.mark.parametrize("told", ["busy", "no-answer", "failed", "canceled"])
async def test_a_call_that_reached_nobody_failed_and_is_not_made_again(parley: Running, api: tuple[Api, str], told: str) -> None:
    await wanted(parley)
    message_id = await call_back(parley)
    form = await asked_of(api)
    await called(parley, form["StatusCallback"], CallStatus=told, CallbackSource="call-progress-events")
    assert await status(parley, message_id) == "failed"
    assert api[0].asked.empty()


async def test_what_was_said_to_one_is_not_said_to_another(parley: Running, api: tuple[Api, str]) -> None:
    await wanted(parley)
    await call_back(parley)
    form = await asked_of(api)
    document = await called(parley, form["Url"], CallStatus="in-progress", To="+254711000999")
    assert heard(document) == "Thank you for calling. We will get back to you. Goodbye."


async def texted(parley: Running, words: str) -> None:
    demo = parley.gateway.demo
    assert demo is not None
    await demo.twilio.deliver(ANNA, "+254711082000", words)


async def ways_to_call(parley: Running) -> list[str]:
    """Return the numbers that can be called from the line."""
    ((conversation_id,),) = await parley.rows("select conversation_id from work_item where state <> 'done'")
    ways = await parley.gateway.store.read(lambda tx: reach.targets(tx, parley.gateway.core_channels(), conversation_id))
    return [way.address.value for way in ways if way.channel_id == "line" and way.link is not None]


async def test_a_customer_who_never_called_can_be_called_and_is_put_through_to_the_agents_own_phone(
    parley: Running, api: tuple[Api, str]
) -> None:
    await texted(parley, "agent")
    assert await ways_to_call(parley) == [ANNA]
    at = parley.gateway.clock.now_ms()
    ((item_id, conversation_id),) = await parley.rows("select id, conversation_id from work_item")
    everyone = await parley.gateway.store.read(agents.everyone)
    agent = next(one for one in everyone if one.login == "agent")

    def unit(tx: Tx) -> speak.Spoken:
        work.claim(tx, item_id, agent, at)
        seen = conversations.load(tx, conversation_id).seq
        cause, channels = parley.gateway.clock.new_id(), parley.gateway.core_channels()
        return speak.reply(tx, channels, conversation_id, agent, WORDS, against_seq=seen, cause=cause, at=at, target=f"line|msisdn:{ANNA}")

    await parley.gateway.store.write(unit)
    parley.gateway.hints.wake("outbox")
    form = await asked_of(api)
    document = await called(parley, form["Url"], CallStatus="in-progress", AnsweredBy="human")
    number = document.find("Dial/Number")
    assert number is not None
    assert number.text == agent.phone
    ((by_call,),) = await parley.rows("select count(*) from interaction where channel_id = 'line' and direction = 'outbound'")
    assert by_call == 1, "a call is a contact of its own, not part of the one by SMS"


async def test_a_number_whose_owner_wants_no_more_messages_is_not_called_unless_they_wrote_again(parley: Running) -> None:
    await texted(parley, "agent")
    await texted(parley, "STOP")
    assert await ways_to_call(parley) == []
    await texted(parley, "but where is my money")
    assert await ways_to_call(parley) == [ANNA]


async def test_a_number_that_has_another_owner_by_now_is_not_called(parley: Running) -> None:
    await texted(parley, "agent")
    await parley.gateway.store.write(lambda tx: tx.execute("update contact_medium set valid_to = 1 where value = ?", (ANNA,)))
    assert await ways_to_call(parley) == []
