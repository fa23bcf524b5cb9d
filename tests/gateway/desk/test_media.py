"""Attachments at the desk over HTTP: who gets a content, as what, under which name, and that it can do nothing there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.store.media import Item
from gateway.media.serving import disposition
from tests.gateway.desk.signed import Signed, browser, signed_in
from tests.gateway.media.provider import Provider, account_path, gateway_at, png, sends_mms, settled
from tests.gateway.running import BEN, Running

PICTURE = png(40, 30)
PAGE = b"<!doctype html><script>alert(1)</script>"


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider().running() as started:
        yield started


@pytest.fixture
async def parley(provider: Provider, tmp_path: Path) -> AsyncIterator[Running]:
    async with gateway_at(provider, tmp_path) as started:
        yield started


async def sent(parley: Running, provider: Provider, *contents: bytes, text: str = "agent", **more: Any) -> list[str]:
    """Let a customer send contents, and return the ids of the attachments once they are there."""
    paths = [account_path(parley, f"ME{number}") for number in range(len(contents))]
    provider.files |= dict(zip(paths, contents, strict=True))
    await sends_mms(parley, provider, *paths, text=text, **more)
    await settled(parley)
    rows = await parley.rows(
        "select id from media where message_id = (select max(message_id) from media where channel_id = 'sms') order by position"
    )
    return [row[0] for row in rows]


async def got(agent: Signed, media_id: str, **headers: str) -> tuple[int, Any, bytes]:
    async with agent.http.get(f"{agent.url}/desk/media/{media_id}", headers=headers) as answer:
        return answer.status, answer.headers, await answer.read()


async def test_an_agent_sees_the_picture_and_a_stranger_does_not(parley: Running, provider: Provider) -> None:
    (media_id,) = await sent(parley, provider, PICTURE)
    async with browser(parley) as stranger:
        assert (await got(stranger, media_id))[0] == 401
    async with signed_in(parley) as agent:
        status, headers, body = await got(agent, media_id)
        assert (status, body) == (200, PICTURE)
        assert headers["Content-Type"] == "image/png"
        assert headers["Content-Disposition"] == "inline; filename=\"image.png\"; filename*=UTF-8''image.png"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "private, no-store"
        assert "sandbox" in headers["Content-Security-Policy"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        (conversation,) = (line["conversation"] for line in (await agent.lists())["queue"])
        entries = (await agent.conversation(conversation))["entries"]
        (shown,) = next(entry["message"]["media"] for entry in entries if entry.get("message", {}).get("media"))
        assert (shown["id"], shown["state"], shown["shown"], shown["size"]) == (media_id, "stored", "image", len(PICTURE))


async def test_what_is_no_picture_is_only_saved_whatever_it_was_called(parley: Running, provider: Provider) -> None:
    ids = await sent(parley, provider, PAGE, b"%PDF-1.7", b"<svg onload=alert(1)>", b"MZ\x90", png(50_000, 50_000))
    async with signed_in(parley) as agent:
        kinds = []
        for media_id in ids:
            status, headers, _ = await got(agent, media_id)
            assert status == 200
            assert headers["Content-Disposition"].startswith("attachment; ")
            kinds.append(headers["Content-Type"])
    assert kinds == ["application/octet-stream", "application/pdf", *["application/octet-stream"] * 3]


async def test_a_player_gets_the_part_that_it_asks_for(parley: Running, provider: Provider) -> None:
    sound = b"OggS" + bytes(range(256)) * 10
    (media_id,) = await sent(parley, provider, sound)
    async with signed_in(parley) as agent:
        status, headers, body = await got(agent, media_id, Range="bytes=100-199")
        assert (status, body) == (206, sound[100:200])
        assert headers["Content-Range"] == f"bytes 100-199/{len(sound)}"
        assert (await got(agent, media_id, Range="bytes=90000-"))[0] == 416


async def test_what_was_not_handed_over_or_is_not_there_is_not_found(parley: Running, provider: Provider) -> None:
    (others,) = await sent(parley, provider, PICTURE, text="balance", phone=BEN)
    async with signed_in(parley, "admin") as agent:
        assert (await got(agent, others))[0] == 404, "the bot has that conversation"
        assert (await got(agent, "01900000-0000-7000-8000-000000000000"))[0] == 404
        assert (await got(agent, "..%2f..%2fkey"))[0] == 404
        (mine,) = await sent(parley, provider, PICTURE)
        assert (await got(agent, mine))[0] == 200
        digest = (await parley.rows("select digest from media limit 1"))[0][0]
        parley.gateway.blobs.path(digest).unlink()
        assert (await got(agent, mine))[0] == 410
        await parley.gateway.store.write(
            lambda tx: tx.execute("update media set state = 'refused', code = 'gone', digest = null, size = null")
        )
        assert (await got(agent, mine))[0] == 404


def test_a_name_in_a_header_is_only_a_name() -> None:
    item = Item("1", "m", "c", 0, "document", "résumé 資料.pdf", "application/pdf", "", "stored", None, "d", 1, 1, 0, None)
    assert disposition(item) == ("attachment; filename=\"r_sum_ __.pdf\"; filename*=UTF-8''r%C3%A9sum%C3%A9%20%E8%B3%87%E6%96%99.pdf")
