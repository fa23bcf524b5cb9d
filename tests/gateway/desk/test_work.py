"""An agent's day over HTTP: what waits, claiming, answering on the customer's channel, notes, closing; and who may not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from core.identity import code_limits, codes
from core.model.address import Address, AddressKind
from gateway.sending import gauges
from tests.core.routing.people import new_id
from tests.gateway.desk.signed import Signed, signed_in
from tests.gateway.running import ANNA, BEN, Running, running

SMS = "+254711082000"


async def asks_for_an_agent(parley: Running, phone: str = ANNA, text: str = "agent") -> str:
    """Let a customer ask for an agent by SMS; return the conversation."""
    assert parley.gateway.demo is not None
    await parley.gateway.demo.twilio.deliver(phone, SMS, text)
    rows = await parley.rows(
        "select w.conversation_id from work_item w join interaction i on i.id = w.interaction_id where i.address = ?", phone
    )
    assert rows
    return str(rows[0][0])


async def says(parley: Running, text: str, phone: str = ANNA) -> None:
    assert parley.gateway.demo is not None
    await parley.gateway.demo.twilio.deliver(phone, SMS, text)


async def phone_shows(parley: Running, text: str, phone: str = ANNA) -> None:
    assert parley.gateway.demo is not None
    twilio, arrived = parley.gateway.demo.twilio, asyncio.Event()

    async def note(_: Any) -> None:
        arrived.set()

    twilio.listen(note)
    async with asyncio.timeout(10):
        while not any(message.body == text for message in twilio.messages(phone)):
            await arrived.wait()
            arrived.clear()


async def claim(agent: Signed, conversation: str) -> Any:
    item = (await agent.conversation(conversation))["item"]
    status, answer = await agent.post(f"/desk/api/items/{item['id']}/claim")
    assert status == 200, answer
    return await agent.conversation(conversation)


async def test_a_hand_over_is_claimed_answered_noted_and_closed(parley: Running) -> None:
    conversation = await asks_for_an_agent(parley)
    async with signed_in(parley) as agent:
        lists = await agent.lists()
        assert [(line["conversation"], line["address"]) for line in lists["queue"]] == [(conversation, ANNA)]
        shown = await claim(agent, conversation)
        assert (shown["conversation"]["owner"], shown["item"]["state"]) == ("agent", "working")
        assert next(entry["message"]["text"] for entry in shown["entries"] if "message" in entry) == "agent"
        assert [turn["author"] for turn in shown["item"]["turns"]][:1] == ["customer"]
        assert shown["ways"][0]["address"] == ANNA

        status, _ = await agent.reply(conversation, "How can I help?", shown["conversation"]["seq"])
        assert status == 200
        await phone_shows(parley, "How can I help?")
        assert (await agent.note(conversation, "asked"))[0] == 200
        status, closed = await agent.post(f"/desk/api/items/{shown['item']['id']}/close", {"disposition": "resolved", "note": None})
        assert (status, closed["item"]["state"]) == (200, "done")
        assert (await agent.lists())["mine"] == []

    assert await parley.rows("select status, close_reason, disposition, operator, department from interaction") == [
        ("closed", "agent", "resolved", "agent", "general")
    ]
    await says(parley, "balance")
    owner = await parley.rows("select owner, state is not null from conversation where id = ?", conversation)
    assert owner == [("bot", 1)], "the bot answers again"


async def test_the_bot_is_silent_while_an_agent_has_the_conversation(parley: Running) -> None:
    conversation = await asks_for_an_agent(parley)
    async with signed_in(parley) as agent:
        await claim(agent, conversation)
        before = await parley.rows("select count(*) from message where author = 'bot'")
        await says(parley, "balance")
        assert await parley.rows("select count(*) from message where author = 'bot'") == before


async def test_a_reply_over_something_unseen_is_refused_and_shows_it(parley: Running) -> None:
    conversation = await asks_for_an_agent(parley)
    async with signed_in(parley) as agent:
        shown = await claim(agent, conversation)
        await says(parley, "it is about my bill")
        status, answer = await agent.reply(conversation, "Hello", shown["conversation"]["seq"])
        assert (status, answer["error"]["code"], answer["error"]["newer"]) == (409, "outdated", 1)
        _, newer = await agent.get(f"/desk/api/conversations/{conversation}/entries?after={shown['cursor']}")
        assert [entry["message"]["text"] for entry in newer["entries"] if "message" in entry] == ["it is about my bill"]
        assert (await agent.reply(conversation, "Hello", answer["error"]["seq"]))[0] == 200


async def test_a_ussd_customer_is_answered_by_sms(parley: Running) -> None:
    await parley.dial("", phone=BEN)
    await parley.dial("agent", phone=BEN)
    conversation = (await parley.rows("select conversation_id from work_item"))[0][0]
    async with signed_in(parley) as agent:
        shown = await claim(agent, conversation)
        assert shown["ways"][0]["family"] == "sms"
        assert (await agent.reply(conversation, "Hello by SMS", shown["conversation"]["seq"]))[0] == 200
        await phone_shows(parley, "Hello by SMS", BEN)


async def test_two_agents_claim_and_one_is_told_who_won(parley: Running) -> None:
    conversation = await asks_for_an_agent(parley)
    async with signed_in(parley) as one, signed_in(parley, "supervisor") as other:
        item = (await one.conversation(conversation))["item"]["id"]
        answers = await asyncio.gather(*(agent.post(f"/desk/api/items/{item}/claim") for agent in (one, other)))
        assert sorted(status for status, _ in answers) == [200, 409]
        lost = next(answer for status, answer in answers if status == 409)
        assert lost["error"]["code"] == "taken"
        assert lost["error"]["agent"].startswith("Demo ")


async def test_the_same_request_again_is_one_message(parley: Running) -> None:
    conversation = await asks_for_an_agent(parley)
    async with signed_in(parley) as agent:
        shown = await claim(agent, conversation)
        body = {"id": new_id(), "text": "Once", "against_seq": shown["conversation"]["seq"]}
        answers = [await agent.post(f"/desk/api/conversations/{conversation}/reply", body) for _ in range(2)]
        assert answers[0] == answers[1]
    assert await parley.rows("select count(*) from message where text = 'Once'") == [(1,)]


async def test_a_conversation_that_was_never_handed_over_is_not_shown(parley: Running) -> None:
    await says(parley, "balance")
    conversation = (await parley.rows("select id from conversation"))[0][0]
    async with signed_in(parley, "admin") as admin:
        assert (await admin.get(f"/desk/api/conversations/{conversation}"))[0] == 404
        assert (await admin.get(f"/desk/api/conversations/{conversation}/entries?after=0"))[0] == 404
        assert (await admin.note(conversation, "x"))[0] == 404


async def test_a_supervisor_takes_over_and_sends_back(parley: Running) -> None:
    conversation = await asks_for_an_agent(parley)
    async with signed_in(parley) as agent, signed_in(parley, "supervisor") as boss:
        item = (await claim(agent, conversation))["item"]["id"]
        assert [line["id"] for line in (await boss.lists())["others"]] == [item]
        assert "others" not in await agent.lists()
        assert (await boss.post(f"/desk/api/items/{item}/take-over"))[0] == 200
        status, answer = await agent.post(f"/desk/api/items/{item}/release")
        assert (status, answer["error"]["code"]) == (403, "not_yours")
        assert (await boss.post(f"/desk/api/items/{item}/return"))[1]["item"]["state"] == "waiting"


async def test_what_is_malformed_is_refused_with_a_code(parley: Running) -> None:
    wrong: list[tuple[str, Any, int, str]] = [
        ("reply", {"id": "1", "text": "x", "against_seq": 1}, 400, "bad_request"),
        ("reply", {"id": new_id(), "text": 5, "against_seq": 1}, 400, "bad_request"),
        ("reply", {"id": new_id(), "text": "x", "against_seq": True}, 400, "bad_request"),
        ("reply", {"id": new_id(), "text": "x", "against_seq": 1, "author": "bot"}, 400, "bad_request"),
        ("reply", [], 400, "bad_request"),
        ("reply", {"id": new_id(), "text": "x" * 70_000, "against_seq": 1}, 413, "too_large"),
        ("note", {"id": new_id(), "text": " "}, 409, "bad_text"),
    ]
    conversation = await asks_for_an_agent(parley)
    async with signed_in(parley) as agent:
        await claim(agent, conversation)
        for path, body, status, code in wrong:
            got, answer = await agent.post(f"/desk/api/conversations/{conversation}/{path}", body)
            assert (got, answer["error"]["code"]) == (status, code), body
    assert await parley.rows("select count(*) from message where author = 'agent'") == [(0,)]


async def test_long_histories_come_in_pages_without_holes(parley: Running) -> None:
    conversation = await asks_for_an_agent(parley)
    async with signed_in(parley) as agent:
        await claim(agent, conversation)
        for number in range(120):
            await agent.note(conversation, f"note {number}")
        shown = await agent.conversation(conversation)
        assert shown["older"]
        _, page = await agent.get(f"/desk/api/conversations/{conversation}/entries?before={shown['entries'][0]['cursor']}")
        assert not page["older"]
        seqs = [entry["seq"] for entry in page["entries"] + shown["entries"]]
        told = await parley.rows("select seq from event where conversation_id = ? and kind <> 'message.status' order by seq", conversation)
        assert seqs == [row[0] for row in told]


async def test_a_supervisor_lets_somebody_who_guessed_on_and_on_have_codes_again(parley: Running) -> None:
    conversation = await asks_for_an_agent(parley)
    async with signed_in(parley) as agent, signed_in(parley, "supervisor") as supervisor:
        assert (await agent.conversation(conversation))["person"]["codes_locked_at"] is None
        lock = "insert into code_lock (party_id, failures, locked_at) select party_id, 100, 5 from conversation where id = ?"
        await parley.gateway.store.write(lambda tx: tx.execute(lock, (conversation,)))
        assert (await agent.conversation(conversation))["person"]["codes_locked_at"] == 5
        path = f"/desk/api/conversations/{conversation}/unlock-codes"
        assert (await agent.post(path, {}))[0] == 403
        assert (await supervisor.post("/desk/api/conversations/nobody/unlock-codes", {}))[0] == 404
        assert await supervisor.post(path, {}) == (200, {})
        status, answer = await supervisor.post(path, {})
        assert (status, answer["error"]["code"]) == (409, "not_locked")
        assert (await agent.conversation(conversation))["person"]["codes_locked_at"] is None
    assert await parley.rows("select body from event where kind = 'codes.unlocked'") == [('{"by":"supervisor"}',)]


async def test_supervisors_read_which_numbers_get_no_codes(tmp_path: Path) -> None:
    async with running(tmp_path, overrides={"codes.per_day": 0}) as parley, signed_in(parley, "supervisor") as supervisor:
        address, now = Address(AddressKind.MSISDN, "+254712345678"), parley.gateway.clock.now_ms()
        most = parley.gateway.settings.codes.per_day
        made = await parley.gateway.store.write(lambda tx: codes.make(tx, b"k", "c", "p", address, "verify", now, most))
        assert made.problem == "throttled"
        _, answer = await supervisor.get("/desk/api/delivery")
        assert answer["code_stops"] == [{"range": "", "until": now + code_limits.STOP_MS}]
        assert "parley_code_stops 1" in await parley.gateway.store.read(lambda tx: gauges.of_store(tx, [], now))


async def test_how_a_prospect_calls_themself_is_shown_as_a_claim(parley: Running) -> None:
    assert parley.gateway.demo is not None
    phone = "+254700000431"
    await parley.gateway.demo.twilio.deliver(f"whatsapp:{phone}", f"whatsapp:{SMS}", "agent")
    medium = "select m.claimed_name, c.id from contact_medium m join conversation c on c.party_id = m.party_id where m.value = ?"
    ((claimed, conversation),) = await parley.rows(medium, phone)
    async with signed_in(parley) as agent:
        person = (await agent.conversation(conversation))["person"]
    assert claimed == "Customer 431"
    assert ([one["claimed_name"] for one in person["addresses"]], person["name"]) == ([claimed], None)
