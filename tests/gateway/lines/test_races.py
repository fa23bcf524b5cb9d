"""What happens to a caller in the queue while several things happen at once, or what Twilio tells comes late, twice or never."""

from __future__ import annotations

import pytest

from core.store import agents
from tests.channels.voice_twilio.calling import answer, heard, ring
from tests.gateway.desk.signed import Signed, signed_in
from tests.gateway.lines.queued import IN, Api, claim, enqueued, out, wait, waiting, work
from tests.gateway.running import Running

OTHER = "CA" + "7" * 32
MISSED = {**IN, "DialCallStatus": "no-answer", "DialCallSid": "CA7"}
TALKED = {**IN, "DialCallStatus": "completed", "DialBridged": "true", "DialCallDuration": "9"}


def target(api: tuple[Api, str], number: int = -1) -> str:
    """Return where Twilio was asked to send the caller."""
    return api[0].asked[number][1]["Url"]


async def test_who_took_the_work_over_keeps_it_when_the_phone_of_the_one_before_is_not_answered(
    parley: Running, desk: Signed, api: tuple[Api, str]
) -> None:
    _, item = await waiting(parley, desk)
    await claim(desk, item)
    fetched = await ring(parley, target(api), **IN)
    async with signed_in(parley, "supervisor") as other:
        assert (await other.post(f"/desk/api/items/{item}/take-over", {}))[0] == 200
        back = await ring(parley, fetched[1].attrib["action"], **MISSED)
        assert [node.tag for node in back] == ["Say", "Enqueue"]
        ((holder,),) = await parley.rows("select a.login from work_item w join agent a on a.id = w.agent_id")
        assert holder == "supervisor", "they did not fail to answer"
        await wait(parley, back[1])
        assert await claim(other, item) == "rings"


async def test_a_caller_who_is_fetched_for_nobody_can_be_taken_at_once(parley: Running, desk: Signed, api: tuple[Api, str]) -> None:
    _, item = await waiting(parley, desk)
    await claim(desk, item)
    assert (await desk.post(f"/desk/api/items/{item}/release", {}))[0] == 200
    back = await ring(parley, target(api), **IN)
    await wait(parley, back[1])
    assert await claim(desk, item) == "rings"


async def test_a_caller_of_whom_twilio_did_not_say_that_it_fetched_them_is_put_through_and_comes_back(
    parley: Running, desk: Signed, api: tuple[Api, str]
) -> None:
    _, item = await waiting(parley, desk)
    api[0].status = 500
    assert await claim(desk, item) == "not_fetched"
    fetched = await ring(parley, target(api), **IN)
    assert fetched[1].tag == "Dial"
    assert (await work(parley))[2]["call"]["status"] == "fetched"
    back = await ring(parley, fetched[1].attrib["action"], **MISSED)
    assert [node.tag for node in back] == ["Say", "Enqueue"], "nobody hangs up on them"
    assert (await work(parley))[1] == "waiting"


async def test_a_caller_who_leaves_while_an_agent_takes_them_is_put_through(parley: Running, desk: Signed, api: tuple[Api, str]) -> None:
    enqueue, item = await waiting(parley, desk)
    await claim(desk, item)
    left = await out(parley, enqueue, "leave")
    assert left.find("Enqueue") is not None
    assert (await work(parley))[1] == "working", "whoever took the work keeps it"
    fetched = await ring(parley, target(api), **IN)
    assert fetched[1].tag == "Dial"
    assert heard(await ring(parley, fetched[1].attrib["action"], **TALKED)) == "Goodbye."
    assert (await work(parley))[2]["call"]["status"] == "completed"


@pytest.mark.parametrize("told", ["the queue", "the call"])
async def test_a_request_that_was_on_its_way_when_the_call_ended_does_not_bring_it_back(parley: Running, desk: Signed, told: str) -> None:
    enqueue, item = await waiting(parley, desk)
    if told == "the queue":
        await out(parley, enqueue, "hangup", CallStatus="completed")
    else:
        await ring(parley, CallStatus="completed")
    await wait(parley, enqueue)
    assert (await work(parley))[2]["call"]["status"] == "abandoned"
    assert await claim(desk, item) == "no_caller"


@pytest.mark.parametrize(
    "missed",
    [
        *({"DialCallStatus": status} for status in ("busy", "no-answer", "failed", "canceled", "unheard-of")),
        {"DialCallStatus": "completed", "DialBridged": "false"},
    ],
    ids=lambda missed: " ".join(missed.values()),
)
async def test_however_an_agent_does_not_take_the_caller_the_caller_waits_on(
    parley: Running, desk: Signed, api: tuple[Api, str], missed: dict[str, str]
) -> None:
    _, item = await waiting(parley, desk)
    await claim(desk, item)
    fetched = await ring(parley, target(api), **IN)
    leg = {"CallSid": "CA" + "9" * 32, "Direction": "outbound-dial", "From": "+254711082000", "To": "+254711082112"}
    whisper = await ring(parley, fetched[1][0].attrib["url"], **leg)
    assert whisper[0].attrib["actionOnEmptyResult"] == "true", "a mailbox that presses nothing is let go"
    for digits in ("", "2", "*"):
        assert [node.tag for node in await ring(parley, whisper[0].attrib["action"], **{**leg, "Digits": digits})] == ["Hangup"]
    back = await ring(parley, fetched[1].attrib["action"], **IN, **missed)
    assert [node.tag for node in back] == ["Say", "Enqueue"]
    assert (await work(parley))[1] == "waiting"


async def test_a_caller_who_hung_up_after_the_work_was_closed_begins_anew(parley: Running, desk: Signed, api: tuple[Api, str]) -> None:
    enqueue, item = await waiting(parley, desk)
    await claim(desk, item)
    assert (await desk.post(f"/desk/api/items/{item}/close", {"disposition": "resolved", "note": None}))[0] == 200
    await out(parley, enqueue, "hangup", CallStatus="completed")
    menu = heard(await ring(parley, CallStatus="ringing", CallSid=OTHER))
    assert "All our colleagues are busy" not in menu
    assert "press 1" in menu


async def test_nothing_is_noted_as_said_to_a_caller_who_hung_up_in_the_queue(parley: Running, desk: Signed) -> None:
    enqueue, _ = await waiting(parley, desk)
    await out(parley, enqueue, "hangup", CallStatus="completed")
    assert await parley.rows("select text from message where author = 'bot' and text like 'A colleague has your request%'") == []


async def test_a_call_back_is_noted_with_the_work_of_a_caller_who_hung_up(parley: Running, desk: Signed) -> None:
    enqueue, _ = await waiting(parley, desk)
    await out(parley, enqueue, "hangup", CallStatus="completed")
    await ring(parley, enqueue.attrib["action"], **{**TALKED, "CallSid": OTHER})
    assert (await work(parley))[2]["call"] == {"status": "completed", "seconds": 9}


async def test_what_becomes_of_another_call_of_the_same_person_is_not_noted_with_the_one_that_waits(
    parley: Running, desk: Signed, api: tuple[Api, str]
) -> None:
    first, item = await waiting(parley, desk)
    asked = await ring(parley, CallStatus="ringing", CallSid=OTHER)
    second = (await answer(parley, asked, CallSid=OTHER, Digits="1")).find("Enqueue")
    assert second is not None
    await wait(parley, second, CallSid=OTHER)
    await out(parley, first, "hangup", CallStatus="completed")
    _, state, card = await work(parley)
    assert (state, card["call"]["status"], card["call"]["call"]) == ("waiting", "waiting", OTHER)
    assert await claim(desk, item) == "rings"
    assert api[0].asked[-1][0] == OTHER


async def test_nobody_waits_once_all_our_people_are_gone(parley: Running, desk: Signed) -> None:
    enqueue, _ = await waiting(parley, desk)
    assert (await desk.post("/desk/api/logout", {}))[0] == 200
    assert [node.tag for node in await wait(parley, enqueue)] == ["Leave"]
    assert heard(await out(parley, enqueue, "leave")).startswith("All our colleagues are busy.")


@pytest.mark.parametrize(("minutes", "verb"), [(20, "Gather"), (31, "Leave")])
async def test_an_agent_who_has_been_on_the_phone_for_a_while_is_there_still(
    parley: Running, desk: Signed, minutes: int, verb: str
) -> None:
    enqueue, _ = await waiting(parley, desk)
    await parley.gateway.store.write(lambda tx: tx.execute("update agent_session set seen_at = seen_at - ?", (minutes * 60_000,)))
    assert [node.tag for node in await wait(parley, enqueue)] == [verb]


async def test_a_caller_who_is_gone_waits_no_more_at_the_desk(parley: Running, desk: Signed, api: tuple[Api, str]) -> None:
    _, item = await waiting(parley, desk)
    api[0].status = 400
    assert await claim(desk, item) == "no_caller"
    _, state, card = await work(parley)
    assert (state, card["call"]["status"]) == ("working", "abandoned")


async def test_an_agent_whose_phone_is_changed_meanwhile_is_called_on_the_new_one(
    parley: Running, desk: Signed, api: tuple[Api, str]
) -> None:
    _, item = await waiting(parley, desk)
    await claim(desk, item)
    await parley.gateway.store.write(lambda tx: [agents.set_phone(tx, one.id, "+254711082119") for one in agents.everyone(tx)])
    assert (await ring(parley, target(api), **IN))[1][0].text == "+254711082119"


async def test_every_request_twice_changes_nothing(parley: Running, desk: Signed, api: tuple[Api, str]) -> None:
    enqueue, item = await waiting(parley, desk)
    await wait(parley, enqueue)
    await claim(desk, item)
    first, second = [await ring(parley, target(api), **IN) for _ in range(2)]
    assert first[1].attrib == second[1].attrib
    over = [heard(await ring(parley, first[1].attrib["action"], **TALKED)) for _ in range(2)]
    assert over == ["Goodbye.", "Goodbye."]
    notes = await parley.rows("select body from event where kind = 'work_item.call' order by cursor")
    assert [note.partition('"status":"')[2].partition('"')[0] for (note,) in notes] == ["waiting", "fetched", "completed"]


async def test_a_caller_in_a_queue_is_nobodys_who_uses_another_number(parley: Running, desk: Signed) -> None:
    enqueue = await enqueued(parley)
    strange = await ring(parley, enqueue.attrib["waitUrl"], **IN, From="+254711000999", CallSid=OTHER, QueuePosition="1")
    assert [node.tag for node in strange] == ["Leave"]
    assert "call" not in (await work(parley))[2]["call"]


async def test_a_caller_whose_request_waited_before_leaves_a_message_with_it_when_they_leave_the_queue(
    parley: Running, desk: Signed
) -> None:
    first, _ = await waiting(parley, desk)
    await out(parley, first, "hangup", CallStatus="completed")
    asked = await ring(parley, CallStatus="ringing", CallSid=OTHER)
    second = (await answer(parley, asked, CallSid=OTHER, Digits="1")).find("Enqueue")
    assert second is not None
    await wait(parley, second, CallSid=OTHER)
    offer = await out(parley, second, "leave", CallSid=OTHER)
    assert heard(offer).endswith("For leaving a message, press 1. For waiting for our call, press 2.")
    assert (await answer(parley, offer, CallSid=OTHER, Digits="1")).find("Record") is not None
    assert (await work(parley))[1] == "waiting", "it is the same request"
