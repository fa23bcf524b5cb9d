"""The live feed: numbered, resumed after a drop and a restart of the gateway, nothing missed, nothing twice, nothing of others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.gateway.desk.signed import Signed, signed_in
from tests.gateway.desk.test_work import asks_for_an_agent, claim, says
from tests.gateway.running import BEN, Running, running


class Page:
    """What a page of the desk does with the feed: it checks that each frame follows the one before."""

    def __init__(self, after: int) -> None:
        self.last = after
        self.events: list[dict[str, Any]] = []
        self.others: list[dict[str, Any]] = []

    def hear(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "event":
            assert frame["after"] == self.last, "a frame was missed"
            assert frame["cursor"] > frame["after"]
            self.last = frame["cursor"]
            self.events.append(frame)
        else:
            self.others.append(frame)

    def texts(self) -> list[str]:
        return [frame["message"]["text"] for frame in self.events if "message" in frame]


@asynccontextmanager
async def followed(signed: Signed, after: int) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with signed.http.ws_connect(f"{signed.url}/desk/feed?after={after}", headers={"Origin": signed.url}) as socket:
        yield socket


async def hear_until(socket: aiohttp.ClientWebSocketResponse, page: Page, enough: Any) -> None:
    async with asyncio.timeout(10):
        while not enough(page):
            page.hear(await socket.receive_json())


async def test_what_happens_arrives_in_the_order_of_the_log(parley: Running) -> None:
    async with signed_in(parley) as agent:
        page = Page((await agent.lists())["cursor"])
        async with followed(agent, page.last) as socket:
            conversation = await asks_for_an_agent(parley)
            await says(parley, "one")
            await says(parley, "two")
            await hear_until(socket, page, lambda page: "two" in page.texts())
    assert [text for text in page.texts() if text in {"agent", "one", "two"}] == ["agent", "one", "two"]
    assert {frame["conversation"] for frame in page.events} == {conversation}


async def test_after_a_drop_the_page_goes_on_where_it_was(parley: Running) -> None:
    async with signed_in(parley) as agent:
        conversation = await asks_for_an_agent(parley)
        page = Page((await agent.lists())["cursor"])
        for number in range(6):
            async with followed(agent, page.last) as socket:
                await says(parley, f"while live {number}")
                await hear_until(socket, page, lambda page, number=number: f"while live {number}" in page.texts())
            await says(parley, f"while away {number}")
        async with followed(agent, page.last) as socket:
            await hear_until(socket, page, lambda page: "while away 5" in page.texts())
    told = [f"while {state} {number}" for number in range(6) for state in ("live", "away")]
    assert [text for text in page.texts() if text.startswith("while")] == told
    seqs = [frame["seq"] for frame in page.events if frame["conversation"] == conversation]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


async def test_after_a_restart_of_the_gateway_nothing_is_missing(tmp_path: Path) -> None:
    page: Page | None = None
    for life in range(3):
        async with running(tmp_path) as parley:
            if page is None:
                await asks_for_an_agent(parley)
            await says(parley, f"before {life}")
            async with signed_in(parley) as agent:
                page = page or Page(0)
                async with followed(agent, page.last) as socket:
                    await says(parley, f"after {life}")
                    await hear_until(socket, page, lambda page, life=life: f"after {life}" in page.texts())
    assert page is not None
    told = [text for text in page.texts() if text.startswith(("before", "after"))]
    assert told == [f"{when} {life}" for life in range(3) for when in ("before", "after")]


async def test_talk_with_the_bot_is_sent_only_to_who_looks_at_it(parley: Running) -> None:
    async with signed_in(parley) as agent:
        conversation = await asks_for_an_agent(parley)
        shown = await claim(agent, conversation)
        await agent.post(f"/desk/api/items/{shown['item']['id']}/close", {"disposition": "resolved", "note": None})
        page, looker = Page((await agent.lists())["cursor"]), Page((await agent.lists())["cursor"])
        async with followed(agent, page.last) as socket, followed(agent, looker.last) as looking:
            await looking.send_json({"type": "viewing", "conversation": conversation})
            await hear_until(looking, looker, lambda page: any(frame["type"] == "viewing" for frame in page.others))
            await says(parley, "menu")
            await asks_for_an_agent(parley, BEN)
            await hear_until(looking, looker, lambda page: any(frame["kind"] == "work_item.created" for frame in page.events))
            await hear_until(socket, page, lambda page: any(frame["kind"] == "work_item.created" for frame in page.events))
    assert "menu" in looker.texts()
    assert "menu" not in page.texts()
    assert conversation not in {frame["conversation"] for frame in page.events}


async def test_a_cursor_of_another_log_starts_anew(parley: Running) -> None:
    async with signed_in(parley) as agent, followed(agent, 10**12) as socket:
        frame = await socket.receive_json(timeout=20)
        assert frame == {"type": "reset", "cursor": (await agent.lists())["cursor"]}


@asynccontextmanager
async def window(parley: Running) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """An open window of the web chat, as the widget opens one."""
    url, origin = f"{parley.gateway.url}/webchat/web", {"Origin": parley.gateway.url}
    async with parley.http.post(f"{url}/ticket", json={}, headers=origin) as answer:
        ticket = (await answer.json())["ticket"]
    async with parley.http.ws_connect(f"{url}/socket", headers=origin) as socket:
        await socket.send_json({"type": "hello", "ticket": ticket, "after": 0})
        yield socket


async def hear(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while (frame := await socket.receive_json())["type"] != kind:
            continue
    return frame


async def test_visitor_and_agent_see_each_other_write(parley: Running) -> None:
    async with window(parley) as visitor, signed_in(parley) as agent:
        await visitor.send_json({"type": "message", "id": "m1", "text": "agent"})
        await hear(visitor, "ack")
        conversation = str((await parley.rows("select conversation_id from work_item"))[0][0])
        shown = await claim(agent, conversation)
        async with followed(agent, shown["cursor"]) as socket:
            await socket.send_json({"type": "viewing", "conversation": conversation})
            await hear(socket, "viewing")
            await visitor.send_json({"type": "typing"})
            typing = await hear(socket, "typing")
            assert (typing["conversation"], typing["left_ms"] > 0) == (conversation, True)
            await socket.send_json({"type": "typing", "conversation": conversation})
            while (await hear(visitor, "typing"))["who"] != "agent":
                continue
        assert (await agent.reply(conversation, "Hello in the chat", shown["conversation"]["seq"]))[0] == 200
        while (await hear(visitor, "message"))["text"] != "Hello in the chat":
            continue


async def test_only_the_holder_of_a_conversation_is_seen_writing(parley: Running) -> None:
    async with window(parley) as visitor, signed_in(parley) as agent, signed_in(parley, "supervisor") as boss:
        await visitor.send_json({"type": "message", "id": "m1", "text": "agent"})
        await hear(visitor, "ack")
        conversation = str((await parley.rows("select conversation_id from work_item"))[0][0])
        shown = await claim(agent, conversation)
        async with followed(boss, shown["cursor"]) as socket:
            await socket.send_json({"type": "typing", "conversation": conversation})
            await socket.send_json({"type": "viewing", "conversation": conversation})
            await hear(socket, "viewing")
        await agent.reply(conversation, "The next frame", shown["conversation"]["seq"])
        told = []
        while not told or told[-1].get("text") != "The next frame":
            told.append(await visitor.receive_json(timeout=10))
        assert [frame for frame in told if frame["type"] == "typing" and frame["who"] == "agent"] == []


async def test_colleagues_see_who_else_looks(parley: Running) -> None:
    conversation = await asks_for_an_agent(parley)
    async with signed_in(parley) as agent, signed_in(parley, "supervisor") as boss:
        page = Page(0)
        async with followed(agent, 0) as socket, followed(boss, 0) as other:
            for one in (socket, other):
                await one.send_json({"type": "viewing", "conversation": conversation})
            await hear_until(socket, page, lambda page: any(frame.get("names") == ["Demo Supervisor"] for frame in page.others))


async def test_a_page_that_floods_or_talks_nonsense_is_closed(parley: Running) -> None:
    async with signed_in(parley) as agent:
        for frames, code in (([{"type": "active"}] * 60, 1008), (["nonsense"], 1007), ([{"type": "x" * 5_000}], 1009)):
            async with followed(agent, 0) as socket:
                for frame in frames:
                    await socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))
                async with asyncio.timeout(20):
                    async for _ in socket:
                        pass
                assert socket.close_code == code
