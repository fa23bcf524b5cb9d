"""Callers wait in a queue at the provider until an agent at the desk takes their work, whose phone then rings; or until they leave it."""

from __future__ import annotations

import asyncio
import json
import xml.etree.ElementTree as ET

import pytest

from core import agents
from tests.channels.voice_twilio.calling import answer, heard, ring
from tests.channels.voice_twilio.subject import CALL
from tests.channels.voice_twilio.vocabulary import check_in_queue
from tests.gateway.desk.signed import Signed, signed_in
from tests.gateway.lines.queued import HERE, IN, PHONE, Api, claim, enqueued, out, wait, waiting, work
from tests.gateway.running import Running

WAITS = "You are number 2 in the queue. Please stay on the line. To leave a message or be called back instead, press 1."


async def test_a_caller_hears_their_place_and_the_desk_shows_that_they_wait(parley: Running, desk: Signed) -> None:
    enqueue = await enqueued(parley)
    for position, words in (
        ("2", WAITS),
        ("1", WAITS.replace("2", "1", 1)),
        ("", WAITS.partition(". ")[2]),
        ("x", WAITS.partition(". ")[2]),
    ):
        document = await wait(parley, enqueue, QueuePosition=position)
        assert heard(document) == words
        assert (document[0].tag, document[0].attrib["numDigits"]) == ("Gather", "1")
    _, state, card = await work(parley)
    assert (state, card["call"]["status"], card["call"]["call"]) == ("waiting", "waiting", CALL)
    _, lists = await desk.get("/desk/api/lists")
    assert [line["on_line"] for line in lists["queue"]] == [True]
    notes = await parley.rows("select count(*) from event where kind = 'work_item.call'")
    assert notes == [(1,)], "a place is no event"


async def test_the_phone_of_who_claims_rings_and_the_two_are_connected(parley: Running, desk: Signed, api: tuple[Api, str]) -> None:
    enqueue, item = await waiting(parley, desk)
    assert await claim(desk, item) == "rings"
    ((call, asked),) = api[0].asked
    assert (call, asked["Method"]) == (CALL, "POST")
    assert heard(await out(parley, enqueue, "redirected")) == "Thank you for waiting. A colleague is taking your call."
    fetched = await ring(parley, asked["Url"], **IN)
    assert [node.tag for node in fetched] == ["Say", "Dial"]
    number = fetched[1][0]
    assert (number.text, fetched[1].attrib["callerId"]) == (PHONE, HERE)
    leg = {"CallSid": "CA" + "9" * 32, "ParentCallSid": CALL, "Direction": "outbound-dial", "From": HERE, "To": PHONE}
    whisper = await ring(parley, number.attrib["url"], **leg)
    assert heard(whisper).endswith("Press 1 to take it.")
    assert list(await ring(parley, whisper[0].attrib["action"], **{**leg, "Digits": "1"})) == []
    over = await ring(parley, fetched[1].attrib["action"], **IN, DialCallStatus="completed", DialCallDuration="40", DialBridged="true")
    assert heard(over) == "Goodbye."
    _, state, card = await work(parley)
    assert (state, card["call"]) == ("working", {"status": "completed", "seconds": 40}), "the agent says what came of it"


async def test_who_claims_and_does_not_answer_gives_the_work_back_and_the_caller_waits_on(
    parley: Running, desk: Signed, api: tuple[Api, str]
) -> None:
    _, item = await waiting(parley, desk)
    await claim(desk, item)
    fetched = await ring(parley, api[0].asked[0][1]["Url"], **IN)
    missed = {**IN, "DialCallStatus": "no-answer", "DialCallSid": "CA7"}
    back = await ring(parley, fetched[1].attrib["action"], **missed)
    assert [node.tag for node in back] == ["Say", "Enqueue"]
    assert heard(back) == "Sorry, our colleague did not answer. Please stay on the line."
    assert ET.tostring(await ring(parley, fetched[1].attrib["action"], **missed)) == ET.tostring(back)
    assert (await work(parley))[1] == "waiting"
    await wait(parley, back[1])
    assert (await work(parley))[2]["call"]["status"] == "waiting"
    assert await claim(desk, item) == "rings"
    again = await ring(parley, api[0].asked[1][1]["Url"], **IN)
    over = await ring(parley, again[1].attrib["action"], **IN, DialCallStatus="completed", DialBridged="true")
    assert heard(over) == "Goodbye."


@pytest.mark.parametrize("result", ["leave", "queue-full", "error", "system-error", "something-new"])
async def test_who_is_not_taken_is_offered_a_message_and_a_call_back(parley: Running, desk: Signed, result: str) -> None:
    enqueue = await enqueued(parley)
    if result == "leave":
        prompt = await wait(parley, enqueue)
        other = await ring(parley, prompt[0].attrib["action"], **IN, Digits="5")
        check_in_queue(other)
        assert heard(other).startswith("Please stay on the line."), "only one key leads out"
        left = await ring(parley, prompt[0].attrib["action"], **IN, Digits="1")
        check_in_queue(left)
        assert [node.tag for node in left] == ["Leave"]
    offer = await out(parley, enqueue, result)
    assert heard(offer).startswith("All our colleagues are busy. For leaving a message, press 1. For a call back, press 2.")
    assert (await work(parley))[1] == "done"
    await answer(parley, offer, Digits="2")
    assert await parley.rows("select state, reason from work_item order by number") == [("done", "asked"), ("waiting", "callback")]


async def test_who_hangs_up_in_the_queue_is_left_to_be_called_back(parley: Running, desk: Signed) -> None:
    enqueue, item = await waiting(parley, desk)
    await out(parley, enqueue, "hangup", CallStatus="completed")
    _, state, card = await work(parley)
    assert (state, card["call"]["status"]) == ("waiting", "abandoned")
    assert await claim(desk, item) == "no_caller"


async def test_a_call_that_ends_without_a_word_of_the_queue_is_over_at_the_desk_too(parley: Running, desk: Signed) -> None:
    _, item = await waiting(parley, desk)
    await ring(parley, CallStatus="completed", CallSid="CA" + "6" * 32)
    assert (await work(parley))[2]["call"]["status"] == "waiting", "that was another call"
    await ring(parley, CallStatus="completed")
    _, state, card = await work(parley)
    assert (state, card["call"]["status"]) == ("waiting", "abandoned")
    assert await claim(desk, item) == "no_caller"


@pytest.mark.parametrize("result", ["bridged", "bridging-in-process", "redirected-from-bridged"])
async def test_a_phone_of_the_operators_own_may_take_the_next_caller(parley: Running, desk: Signed, result: str) -> None:
    enqueue, _ = await waiting(parley, desk)
    assert heard(await out(parley, enqueue, result)) == "Goodbye."
    _, state, card = await work(parley)
    assert (state, card["call"]["status"]) == ("waiting", "completed"), "an agent says what came of it"


async def test_a_caller_who_could_not_be_fetched_may_be_again_and_stays_with_the_agent(
    parley: Running, desk: Signed, api: tuple[Api, str]
) -> None:
    enqueue, item = await waiting(parley, desk)
    api[0].status = 503
    assert await claim(desk, item) == "not_fetched"
    assert (await work(parley))[2]["call"]["status"] == "waiting"
    api[0].status = 200
    assert await claim(desk, item) == "rings", "who holds it may try again"
    await out(parley, enqueue, "hangup", CallStatus="completed")
    assert (await work(parley))[1:] == ("working", {**(await work(parley))[2], "call": {"status": "abandoned", "seconds": 0, "call": CALL}})


async def test_a_request_that_was_on_its_way_does_not_undo_that_a_caller_is_fetched(parley: Running, desk: Signed) -> None:
    enqueue, item = await waiting(parley, desk)
    assert await claim(desk, item) == "rings"
    await wait(parley, enqueue)
    _, _, card = await work(parley)
    assert card["call"]["status"] == "fetched"
    long_ago = json.dumps({**card, "call": {**card["call"], "at": card["call"]["at"] - 60_000}})
    await parley.gateway.store.write(lambda tx: tx.execute("update work_item set card = ?", (long_ago,)))
    await wait(parley, enqueue)
    assert (await work(parley))[2]["call"]["status"] == "waiting", "nobody called them out of it"
    assert await claim(desk, item) == "rings"


async def test_an_agent_without_a_phone_rings_nobody(parley: Running, desk: Signed, api: tuple[Api, str]) -> None:
    enqueue, item = await waiting(parley, desk)
    ((agent_id,),) = await parley.rows("select id from agent where login = 'agent'")
    await parley.gateway.store.write(lambda tx: agents.set_phone(tx, agent_id, None))
    assert await claim(desk, item) == "no_phone"
    assert api[0].asked == []
    assert heard(await wait(parley, enqueue)) == WAITS, "the caller waits on"


async def test_a_caller_fetched_for_nobody_waits_on_and_one_without_work_is_let_out(
    parley: Running, desk: Signed, api: tuple[Api, str]
) -> None:
    enqueue, item = await waiting(parley, desk)
    await claim(desk, item)
    assert (await desk.post(f"/desk/api/items/{item}/release", {}))[0] == 200
    fetched = await ring(parley, api[0].asked[0][1]["Url"], **IN)
    assert [node.tag for node in fetched] == ["Say", "Enqueue"]
    await claim(desk, item)
    assert (await desk.post(f"/desk/api/items/{item}/close", {"disposition": "resolved", "note": None}))[0] == 200
    assert [node.tag for node in await wait(parley, enqueue)] == ["Leave"]
    alone = await ring(parley, api[0].asked[0][1]["Url"], **IN)
    assert heard(alone), "a sentence in any case"


async def test_with_nobody_at_the_desk_a_caller_need_not_wait(parley: Running) -> None:
    offer = await answer(parley, await ring(parley, CallStatus="ringing"), Digits="0")
    assert heard(offer).startswith("All our colleagues are busy.")


async def test_what_is_said_in_the_queue_is_in_the_language_of_the_caller(parley: Running, desk: Signed) -> None:
    await parley.gateway.store.write(lambda tx: tx.execute("update party set language = 'fr'"))
    enqueue = (await answer(parley, await ring(parley, CallStatus="ringing"), Digits="0")).find("Enqueue")
    assert enqueue is not None
    document = await wait(parley, enqueue)
    assert heard(document).startswith("Vous êtes numéro 2 dans la file.")
    assert document[0][0].attrib["language"] == "fr-FR"


async def test_while_the_store_is_away_who_waits_hears_a_sentence(parley: Running, desk: Signed) -> None:
    enqueue = await enqueued(parley)
    parley.gateway.store.close()
    document = await wait(parley, enqueue)
    assert heard(document).startswith("The service is not available")


async def test_two_agents_claim_at_once_and_one_phone_rings(parley: Running, desk: Signed, api: tuple[Api, str]) -> None:
    _, item = await waiting(parley, desk)
    async with signed_in(parley, "supervisor") as other:
        claims = await asyncio.gather(*(one.post(f"/desk/api/items/{item}/claim", {}) for one in (desk, other)))
    assert sorted(status for status, _ in claims) == [200, 409]
    assert len(api[0].asked) == 1
