"""Files in the web chat: a visitor's file is a message of the visitor, shown to this visitor and the agents, and to nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from gateway.webchat_files import BYTES_MAX
from tests.gateway.desk.signed import signed_in
from tests.gateway.media.clamd import EICAR, Clamd
from tests.gateway.media.provider import png
from tests.gateway.running import Running, running
from tests.gateway.webchat_client import Window

PICTURE = png(40, 30)


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started


def address(window: Window) -> str:
    return f"{window.url}/webchat/{window.channel}/files"


def headers(window: Window, **more: str) -> dict[str, str]:
    return {"Origin": window.origin, "X-Parley-Visitor": window.visitor or "", **more}


async def sends(window: Window, content: bytes, *, own_id: str = "f1", name: str = "photo.png", **more: str) -> tuple[int, Any]:
    async with window.http.post(
        address(window), params={"id": own_id, "name": name}, data=BytesIO(content), headers=headers(window, **more)
    ) as answer:
        assert answer.headers.get("Access-Control-Allow-Origin") in {window.origin, None}
        return answer.status, await answer.json()


async def gets(window: Window, media_id: str, **more: str) -> tuple[int, Any, bytes]:
    async with window.http.get(f"{address(window)}/{media_id}", headers=headers(window, **more)) as answer:
        return answer.status, answer.headers, await answer.read()


async def test_a_file_is_a_message_and_comes_back_to_its_visitor_only(parley: Running) -> None:
    async with Window(parley.gateway.url) as anna, Window(parley.gateway.url) as eve:
        await anna.open()
        await eve.open()
        assert await sends(anna, PICTURE, name="../../my photo.png") == (200, {"id": "f1"})
        while not [message for message in anna.messages if message.get("files")]:
            await anna.next()
        message = next(message for message in anna.messages if message.get("files"))
        (file,) = message["files"]
        assert (message["id"], message["text"], file["name"], file["shown"], file["size"]) == (
            "f1",
            "",
            "my photo.png",
            "image",
            len(PICTURE),
        )
        status, told, content = await gets(anna, file["id"])
        assert (status, content) == (200, PICTURE)
        assert told["Content-Type"] == "image/png"
        assert told["Cache-Control"] == "private, no-store"
        assert "sandbox" in told["Content-Security-Policy"]
        assert (await gets(eve, file["id"]))[0] == 404
        assert (await gets(anna, file["id"], **{"X-Parley-Visitor": ""}))[0] == 404
        assert (await gets(anna, file["id"], **{"X-Parley-Visitor": f"{anna.name}.9999999999999.{'x' * 43}"}))[0] == 404
        assert (await gets(anna, file["id"], Origin="https://evil.example"))[0] == 403
        async with anna.http.get(f"{address(anna)}/{file['id']}", headers={"X-Parley-Visitor": anna.visitor or ""}) as answer:
            assert answer.status == 403
        own = {"X-Parley-Visitor": anna.visitor or "", "Sec-Fetch-Site": "same-origin"}
        async with anna.http.get(f"{address(anna)}/{file['id']}", headers=own) as answer:
            assert answer.status == 200, "a page of the gateway's own"
        assert await sends(anna, PICTURE) == (200, {"id": "f1"}), "asked again"
        assert await parley.rows("select count(*) from media") == [(1,)]


async def test_the_agent_sees_what_the_visitor_sent(parley: Running) -> None:
    async with Window(parley.gateway.url) as anna, signed_in(parley) as agent:
        await anna.open()
        await anna.say("agent", "m1")
        await anna.until("ack")
        await sends(anna, PICTURE)
        (line,) = (await agent.lists())["queue"]
        entries = (await agent.conversation(line["conversation"]))["entries"]
        (shown,) = next(entry["message"]["media"] for entry in entries if entry.get("message", {}).get("media"))
        assert (shown["state"], shown["shown"], shown["name"]) == ("stored", "image", "photo.png")
        async with agent.http.get(f"{agent.url}/desk/media/{shown['id']}") as answer:
            assert await answer.read() == PICTURE


async def test_what_is_not_taken_is_refused_with_a_code_and_leaves_nothing(parley: Running) -> None:
    async with Window(parley.gateway.url) as anna:
        await anna.open()
        refused = {
            "too_large": b"x" * (BYTES_MAX + 1),
            "type_refused": b"<script>alert(1)</script>",
            "empty": b"",
        }
        for code, content in refused.items():
            status, answer = await sends(anna, content)
            assert status in {413, 415}
            assert answer["error"]["code"] == code
        assert (await sends(anna, b"MZ\x90"))[1]["error"]["code"] == "type_refused"
        assert (await sends(anna, PICTURE, own_id="../x"))[0] == 400
        assert (await sends(anna, PICTURE, **{"X-Parley-Visitor": "nobody"}))[0] == 403
        assert await parley.rows("select count(*) from media") == [(0,)]
        async with anna.http.post(address(anna), data=PICTURE, headers=headers(anna, Origin="https://evil.example")) as answer:
            assert answer.status == 403


async def test_a_frame_cannot_say_that_a_file_was_kept(parley: Running) -> None:
    async with Window(parley.gateway.url) as anna:
        await anna.open()
        file = {"name": "x", "content_type": "image/png", "digest": "0" * 64, "size": "1"}
        await anna.send(type="file", id="f1", text="", **{"x-parley-file": file})
        assert (await anna.until("error"))["code"] == "unknown_frame"
        await anna.send(type="message", id="f2", text="hi", media=[file], files=[file], **{"x-parley-file": "{}"})
        await anna.until("ack")
        assert await parley.rows("select count(*) from media") == [(0,)]


async def test_a_source_sends_a_few_files_and_then_waits(parley: Running) -> None:
    async with Window(parley.gateway.url) as anna:
        await anna.open()
        statuses = [(await sends(anna, PICTURE, own_id=f"f{number}"))[0] for number in range(12)]
        assert statuses[:10] == [200] * 10
        assert 429 in statuses[10:]


async def test_a_site_that_is_listed_may_ask_with_the_token(parley: Running) -> None:
    async with Window(parley.gateway.url) as anna:
        for path in ("", "/01900000-0000-7000-8000-000000000000"):
            async with anna.http.options(address(anna) + path, headers={"Origin": anna.origin}) as answer:
                assert answer.status == 204
                assert "x-parley-visitor" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(("away", "refused"), [(False, (415, "infected")), (True, (503, "not_scanned"))])
async def test_a_malicious_file_is_no_message_nor_is_one_that_nobody_looked_at(
    tmp_path: Path, *, away: bool, refused: tuple[int, str]
) -> None:
    async with Clamd(away=away).running() as clamd, running(tmp_path, overrides={"media.scanner": clamd.url}) as parley:
        async with Window(parley.gateway.url) as anna:
            await anna.open()
            status, answer = await sends(anna, EICAR)
        assert (status, answer["error"]["code"]) == refused
        assert await parley.rows("select 1 from media") == []
