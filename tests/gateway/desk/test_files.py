"""Files that agents send: taken from who holds the conversation, judged by their bytes, and carried by each way that can."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.media import public
from gateway.media.signed import Signer
from tests.gateway.desk.signed import HEADERS, Signed, browser, signed_in
from tests.gateway.desk.test_work import SMS, asks_for_an_agent, claim
from tests.gateway.media.provider import png
from tests.gateway.running import ANNA, BEN, Running, running
from tests.gateway.webchat_client import Window

PICTURE = png(40, 30)
LARGE = PICTURE + bytes(3_000_000)  # more than a request of any other kind may have
WHATSAPP = "whatsapp:+254711082000"


async def until(parley: Running, true: Callable[[], bool]) -> None:
    """Wait for something that becomes true when the record changes."""
    with parley.gateway.hints.listen("events", "outbox") as listener:
        for _ in range(300):
            if true():
                return
            await listener.wait(0.1)
    raise AssertionError("it never became true")


async def delivered(parley: Running, message_id: str) -> None:
    with parley.gateway.hints.listen("events") as listener:
        for _ in range(300):
            if await parley.rows("select 1 from message where id = ? and status = 'delivered'", message_id):
                return
            await listener.wait(0.1)
    raise AssertionError("it was never delivered")


async def by_whatsapp(parley: Running, agent: Signed) -> tuple[str, str, int]:
    """Let a customer ask for an agent by WhatsApp; return the claimed conversation, the way to answer and the number to answer against."""
    assert parley.gateway.demo is not None
    await parley.gateway.demo.twilio.deliver(f"whatsapp:{ANNA}", WHATSAPP, "agent")
    return await claimed(agent)


async def claimed(agent: Signed) -> tuple[str, str, int]:
    conversation = (await agent.lists())["queue"][0]["conversation"]
    shown = await claim(agent, conversation)
    return conversation, shown["ways"][0]["key"], shown["conversation"]["seq"]


async def sends(agent: Signed, conversation: str, target: str, against: int, text: str = "", content: bytes = PICTURE) -> Any:
    status, uploaded = await agent.upload(conversation, target, content)
    assert status == 200, uploaded
    return await agent.reply(conversation, text, against, target=target, file=uploaded["file"])


async def test_a_file_is_for_who_holds_the_conversation(parley: Running) -> None:
    conversation = await asks_for_an_agent(parley)
    async with browser(parley) as nobody, signed_in(parley) as agent, signed_in(parley, "supervisor") as other:
        target = (await agent.conversation(conversation))["ways"][0]["key"]
        assert (await nobody.upload(conversation, target, PICTURE))[0] == 401
        assert (await agent.upload("no such conversation", target, PICTURE))[0] == 404
        assert (await agent.upload(conversation, target, PICTURE, headers={}))[1]["error"]["code"] == "cross_site"
        await claim(other, conversation)
        status, answer = await agent.upload(conversation, target, PICTURE)
        assert (status, answer["error"]["code"]) == (403, "not_yours")
    assert list((parley.gateway.data / "contents").rglob("*")) == []


async def test_a_way_that_carries_no_files_says_so_and_keeps_nothing(parley: Running) -> None:
    conversation = await asks_for_an_agent(parley)
    async with signed_in(parley) as agent:
        shown = await claim(agent, conversation)
        way = shown["ways"][0]
        assert (way["family"], way["files"]) == ("sms", None)
        status, answer = await agent.upload(conversation, way["key"], PICTURE)
        assert (status, answer["error"]["code"]) == (409, "no_files")
        assert answer["error"]["text"] == "No file can be sent this way."
    assert await parley.rows("select count(*) from message where author = 'agent'") == [(0,)]


async def test_what_a_file_is_and_how_large_decides(tmp_path: Path) -> None:
    async with running(tmp_path, overrides={"media.max_bytes": 4_096}) as parley, signed_in(parley) as agent:
        conversation, target, _ = await by_whatsapp(parley, agent)
        for content, code in (
            (b"<!doctype html><script>alert(1)</script>", "type_refused"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "type_refused"),
            (b"MZ" + bytes(100), "type_refused"),
            (b"just words", "type_refused"),
            (b"", "empty"),
            (PICTURE + bytes(4_096), "too_large"),
        ):
            status, answer = await agent.upload(conversation, target, content, name="picture.png")
            assert answer["error"]["code"] == code, content[:10]
            assert status in {409, 413, 415}


async def test_a_ticket_is_for_one_agent_one_conversation_and_some_hours(parley: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async with signed_in(parley) as agent, signed_in(parley, "supervisor") as other:
        conversation, target, seq = await by_whatsapp(parley, agent)
        ticket = (await agent.upload(conversation, target, PICTURE))[1]["file"]
        assert parley.gateway.demo is not None
        await parley.gateway.demo.twilio.deliver(f"whatsapp:{BEN}", WHATSAPP, "agent")
        another, target_of_another, seq_of_another = await claimed(other)
        forged = Signer(b"another key").sign(["x"] * 6, 10**14)
        for signed, where, key, against, file in (
            (other, another, target_of_another, seq_of_another, ticket),
            (agent, conversation, target, seq, ticket[:-2] + "xx"),
            (agent, conversation, target, seq, forged),
            (agent, conversation, target, seq, "\ud800."),
            (agent, conversation, target, seq, ""),
        ):
            status, answer = await signed.reply(where, "look", against, target=key, file=file)
            assert (status, answer["error"]["code"]) == (409, "no_file")
        with monkeypatch.context() as patched:
            patched.setattr("gateway.desk.uploads.LIFE_MS", -1)
            ended = (await agent.upload(conversation, target, PICTURE))[1]["file"]
        assert (await agent.reply(conversation, "look", seq, target=target, file=ended))[1]["error"]["code"] == "no_file"
        assert (await agent.reply(conversation, "look", seq, target=target, file=ticket))[0] == 200


async def test_whatsapp_fetches_a_picture_from_an_address_that_is_ours(parley: Running) -> None:
    assert parley.gateway.demo is not None
    twilio = parley.gateway.demo.twilio
    async with signed_in(parley) as agent:
        conversation, target, seq = await by_whatsapp(parley, agent)
        assert (await sends(agent, conversation, target, seq))[0] == 200
        phone = f"whatsapp:{ANNA}"
        await until(parley, lambda: any(one.media and one.status == "delivered" for one in twilio.messages(phone)))
        message = next(one for one in twilio.messages(phone) if one.media)
        assert (message.body, message.error) == ("", "")
        assert twilio.files.find(message.media[0].rpartition("/")[2]) == ("image/png", PICTURE)
        line = next(one for one in (await agent.lists())["mine"])
        assert (line["last"]["text"], line["last"]["attached"]) == ("", "image")
        entry = (await agent.conversation(conversation))["entries"][-1]
        sent = next(one for one in (await agent.conversation(conversation))["entries"] if one.get("message", {}).get("author") == "agent")
        assert entry["seq"] >= sent["seq"]
        assert [(one["kind"], one["state"], one["shown"]) for one in sent["message"]["media"]] == [("image", "stored", "image")]
    calls = [exchange.request for exchange in twilio.exchanges if "MediaUrl" in exchange.request]
    assert len(calls) == 1


async def test_words_that_would_be_lost_beside_a_file_are_refused(parley: Running) -> None:
    async with signed_in(parley) as agent:
        conversation, target, seq = await by_whatsapp(parley, agent)
        status, answer = await sends(agent, conversation, target, seq, "Your bill", b"%PDF-1.7 bill")
        assert (status, answer["error"]["code"]) == (409, "no_caption")
        assert (await sends(agent, conversation, target, seq, "", b"%PDF-1.7 bill"))[0] == 200


async def test_an_address_of_a_content_is_signed_and_ends(parley: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async with signed_in(parley) as agent, aiohttp.ClientSession() as http:
        conversation, target, seq = await by_whatsapp(parley, agent)
        await sends(agent, conversation, target, seq)
        ((media_id,),) = await parley.rows("select id from media")
        good = public.address(parley.gateway, media_id)
        async with http.get(good) as answer:
            assert (answer.status, await answer.read(), answer.headers["Content-Type"]) == (200, PICTURE, "image/png")
            assert answer.headers["Content-Disposition"].startswith("inline;")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in answer.headers["Content-Security-Policy"]
        async with http.head(good) as answer:
            assert answer.status == 200
        body, _, seal = good.rpartition("/")[2].partition(".")
        with monkeypatch.context() as patched:
            patched.setattr(public, "LIFE_MS", 0)
            over = public.address(parley.gateway, media_id)
        bad = [f"{body}.{seal[:-1]}", f"{body}.", body, f"{body}x.{seal}", "x" * 3_000, "%F0%9F%98%80", f"{body}.{seal}.{seal}", "..%2Fkey"]
        unknown = public.address(parley.gateway, "no such attachment")
        for address in [over, unknown, *(f"{parley.gateway.url}/m/{token}" for token in bad)]:
            async with http.get(address) as answer:
                assert answer.status == 404, address
        async with http.get(f"{parley.gateway.url}/m/") as answer:
            assert answer.status == 404
        async with http.post(good) as answer:
            assert answer.status == 405


async def test_a_visitor_gets_the_file_and_another_does_not(parley: Running) -> None:
    async with Window(parley.gateway.url) as anna, Window(parley.gateway.url) as eve, signed_in(parley) as agent:
        await anna.open()
        await eve.open()
        await anna.say("agent", "m1")
        while not (await agent.lists())["queue"]:
            await anna.next()
        conversation, target, seq = await claimed(agent)
        assert (await sends(agent, conversation, target, seq, "See here", LARGE))[0] == 200
        while not [message for message in anna.messages if message.get("files")]:
            await anna.next()
        message = next(message for message in anna.messages if message.get("files"))
        assert (message["author"], message["text"]) == ("agent", "See here")
        address = f"{anna.url}/webchat/{anna.channel}/files/{message['files'][0]['id']}"
        for window, status in ((anna, 200), (eve, 404)):
            headers = {"Origin": window.origin, "X-Parley-Visitor": window.visitor or ""}
            async with window.http.get(address, headers=headers) as answer:
                assert answer.status == status
                if status == 200:
                    assert await answer.read() == LARGE


async def test_telegram_is_handed_the_bytes(parley: Running) -> None:
    demo = parley.gateway.demo
    assert demo is not None
    token = parley.gateway.channels["telegram"].settings.bot_token
    await demo.telegram.say(token, ANNA, "agent")
    async with signed_in(parley) as agent:
        conversation, target, seq = await claimed(agent)
        assert (await sends(agent, conversation, target, seq, "x" * 1_025))[1]["error"]["code"] == "too_long"
        assert (await sends(agent, conversation, target, seq, "See here", LARGE))[0] == 200
        shown = demo.telegram.chat(token, ANNA).messages
        await until(parley, lambda: any(one.get("kind") == "photo" for one in shown.values()))
        message = next(one for one in shown.values() if one.get("kind") == "photo")
        assert message["text"] == "See here"
        assert demo.telegram.find(message["file"]) == ("files/a.png", LARGE)
        assert (await sends(agent, conversation, target, seq, "", b"GIF89a\x01\x00\x01\x00" + bytes(20)))[0] == 200
        await until(parley, lambda: any(one.get("kind") == "document" for one in shown.values()))


async def test_a_mail_has_the_file_with_it(parley: Running) -> None:
    demo = parley.gateway.demo
    assert demo is not None
    arrived: list[EmailMessage] = []

    async def note(_: str, mail: EmailMessage) -> None:
        arrived.append(mail)

    demo.exchanger.listen(note)
    url = f"{parley.gateway.url}/simulator/api/mail"
    async with parley.http.post(url, json={"msisdn": ANNA, "subject": "agent", "text": "I want an agent"}) as answer:
        assert (await answer.json())["status"] == 250
    async with signed_in(parley) as agent:
        async with asyncio.timeout(30):
            while not (await agent.lists())["queue"]:
                with parley.gateway.hints.listen("events") as listener:
                    await listener.wait(0.1)
        conversation, target, seq = await claimed(agent)
        assert (await sends(agent, conversation, target, seq, "Here is your bill", b"%PDF-1.7 bill"))[0] == 200
    await until(parley, lambda: any(list(mail.iter_attachments()) for mail in arrived))
    (part,) = next(list(mail.iter_attachments()) for mail in arrived if list(mail.iter_attachments()))
    assert (part.get_filename(), part.get_content_type(), part.get_content()) == ("a.png", "application/pdf", b"%PDF-1.7 bill")


async def test_mms_is_sent_where_the_number_can(tmp_path: Path) -> None:
    async with running(tmp_path, overrides={"channels.sms.mms": True}) as parley, signed_in(parley) as agent:
        assert parley.gateway.demo is not None
        twilio = parley.gateway.demo.twilio
        await twilio.deliver(ANNA, SMS, "agent")
        conversation, target, seq = await claimed(agent)
        assert (await sends(agent, conversation, target, seq, "See here"))[0] == 200
        await until(parley, lambda: any(one.media and one.status == "delivered" for one in twilio.messages(ANNA)))
        message = next(one for one in twilio.messages(ANNA) if one.media)
        assert message.body == "See here"
        assert twilio.files.find(message.media[0].rpartition("/")[2]) == ("image/png", PICTURE)


async def test_a_file_that_was_held_back_goes_with_its_words_when_they_are_sent_again(parley: Running) -> None:
    assert parley.gateway.demo is not None
    twilio = parley.gateway.demo.twilio
    async with signed_in(parley) as agent:
        conversation, target, seq = await by_whatsapp(parley, agent)
        status, answer = await sends(agent, conversation, target, seq, "See here")
        assert status == 200
        held = answer["message"]
        await delivered(parley, held)
        await parley.gateway.store.write(lambda tx: tx.execute("update message set status = 'cancelled' where id = ?", (held,)))
        newest = (await agent.conversation(conversation))["conversation"]["seq"]
        assert (await agent.post(f"/desk/api/messages/{held}/again", {"against_seq": newest}))[0] == 200
        await until(parley, lambda: sum(1 for one in twilio.messages(f"whatsapp:{ANNA}") if one.media) == 2)


@pytest.fixture
async def plain(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, overrides={"channels.whatsapp.api_base": "https://api.twilio.com"}) as started:
        yield started


async def test_without_an_https_address_twilio_is_offered_no_file(plain: Running) -> None:
    assert plain.gateway.url.startswith("http://")
    assert plain.gateway.channels["whatsapp"].channel.capabilities.media == frozenset()
    assert plain.gateway.channels["telegram"].channel.capabilities.media
    async with plain.http.post(f"{plain.gateway.url}/desk/api/conversations/x/files", headers=HEADERS) as answer:
        assert answer.status == 401
