"""The web chat's protocol over a real gateway: who may open a window, what it shows, and that nothing is shown twice or missed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.gateway.running import Running, running
from tests.gateway.webchat_client import Window

pytestmark = pytest.mark.asyncio(loop_scope="module")

STRANGERS = [
    "https://evil.example",
    "null",
    None,
    "http://127.0.0.1.evil.tld",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "https://{host}",
    "{url}/",
]
VECTORS = ["<script>alert(1)</script>", "{{7*7}} ${x} %(y)s {0.__class__}", "\u202etxt.exe", "😀👩‍👩‍👧‍👦 שלום عالم", "a\r\nb\u2028c"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parley(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """One gateway for all these tests; each has a visitor of its own."""
    async with running(tmp_path_factory.mktemp("webchat")) as parley:
        yield parley


async def said_by(parley: Running, window: Window) -> int:
    """Return how many messages of the visitor are in the record."""
    [(count,)] = await parley.rows("select count(*) from message where direction = 'inbound' and address = ?", window.name)
    return int(count)


def refused(parley: Running, code: str) -> int:
    return parley.gateway.counters.value("webchat_refused", code=code)


async def test_a_visitor_is_greeted_with_choices_and_answered(parley: Running) -> None:
    async with Window(parley.gateway.url) as window:
        assert await window.open() == {"type": "ready", "last": 0, "after": 0}
        await window.send(type="joined", id="j1")
        await window.until("ack", id="j1")
        welcome = window.messages[0] if window.messages else await window.until("message")
        assert (welcome["number"], welcome["direction"], welcome["author"]) == (1, "outbound", "bot")
        assert all(choice.keys() == {"token", "label"} for choice in welcome["choices"])
        choice = next(choice for choice in welcome["choices"] if choice["label"] == "Language")
        await window.send(type="choice", id="c1", **choice)
        mine = await window.until("message", direction="inbound")
        assert (mine["id"], mine["text"], mine["author"]) == ("c1", "Language", "customer")
        answer = await window.until("message", direction="outbound")
        assert "Français" in [choice["label"] for choice in answer["choices"]] or len(answer["choices"]) == 3


async def test_the_thread_is_there_again_after_a_reload(parley: Running) -> None:
    async with Window(parley.gateway.url) as window:
        await window.open()
        await window.say("balance", "m1")
        await window.until("message", direction="outbound")
        await window.socket.close()
        seen, window.messages, window.last = window.messages, [], 0
        ready = await window.open()
        while window.last < ready["last"]:
            await window.next()
        assert [(frame["number"], frame["text"]) for frame in window.messages] == [(frame["number"], frame["text"]) for frame in seen]


async def test_a_message_sent_again_is_there_once_and_acknowledged_again(parley: Running) -> None:
    async with Window(parley.gateway.url) as window:
        await window.open()
        for _ in range(3):
            await window.say("hello there", "same")
            await window.until("ack", id="same")
        await window.socket.close()
        window.last, window.messages = 0, []
        ready = await window.open()
        while window.last < ready["last"]:
            await window.next()
        assert [frame["text"] for frame in window.messages if frame["direction"] == "inbound"] == ["hello there"]
        assert await said_by(parley, window) == 1


@pytest.mark.parametrize("origin", STRANGERS)
async def test_other_sites_get_neither_ticket_nor_socket(parley: Running, origin: str | None) -> None:
    async with Window(parley.gateway.url) as window:
        url = parley.gateway.url
        before = refused(parley, "origin")
        headers = {"Origin": origin.format(url=url, host=url.removeprefix("http://"))} if origin is not None else {}
        for method, path in (("POST", "ticket"), ("OPTIONS", "ticket"), ("GET", "socket")):
            async with window.http.request(method, f"{url}/webchat/web/{path}", headers=headers) as answer:
                assert answer.status == 403
                assert "Access-Control-Allow-Origin" not in answer.headers
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await window.http.ws_connect(f"{url}/webchat/web/socket", headers=headers)
        assert refused(parley, "origin") == before + 4


async def test_a_listed_site_may_ask_and_only_it(parley: Running) -> None:
    async with Window(parley.gateway.url) as window:
        url = f"{parley.gateway.url}/webchat/web/ticket"
        async with window.http.options(url, headers={"Origin": window.origin, "Access-Control-Request-Method": "POST"}) as answer:
            assert answer.status == 204
            assert answer.headers["Access-Control-Allow-Origin"] == window.origin
            assert "Access-Control-Allow-Credentials" not in answer.headers
        async with window.http.post(url, headers={"Origin": window.origin}) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == window.origin
            assert answer.headers["Vary"] == "Origin"


async def test_a_ticket_opens_one_window(parley: Running) -> None:
    async with Window(parley.gateway.url) as window:
        before = refused(parley, "ticket")
        ticket = await window.ticket()
        await window.open(ticket)
        await window.connect()
        await window.send(type="hello", ticket=ticket, after=0)
        assert await window.closed() == 1008
        assert refused(parley, "ticket") == before + 1
        assert ticket not in str(await parley.rows("select * from ticket"))


@pytest.mark.parametrize(
    "spoil", ["update ticket set expires_at = 1", "update ticket set kind = 'webchat:other'", "update ticket set kind = 'desk'"]
)
async def test_a_ticket_that_is_old_or_of_another_channel_opens_nothing(parley: Running, spoil: str) -> None:
    async with Window(parley.gateway.url) as window:
        ticket = await window.ticket()
        await parley.gateway.store.write(lambda tx: tx.execute(spoil))
        await window.connect()
        await window.send(type="hello", ticket=ticket, after=0)
        assert await window.closed() == 1008


@pytest.mark.parametrize(
    "hello",
    [
        '{"type":"hello","ticket":"x","after":0}',
        '{"type":"hello"}',
        "[]",
        "nonsense",
        '{"type":"message","id":"1","text":"x"}',
        "[" * 30_000,
    ],
)
async def test_a_window_without_a_hello_is_closed(parley: Running, hello: str) -> None:
    async with Window(parley.gateway.url) as window:
        await window.connect()
        await window.socket.send_str(hello)
        assert await window.closed() == 1008


async def test_unknown_channels_are_not_found(parley: Running) -> None:
    async with Window(parley.gateway.url) as window:
        for channel in ("nothing", "sms", "ussd"):
            async with window.http.post(f"{window.url}/webchat/{channel}/ticket", headers={"Origin": window.origin}) as answer:
                assert answer.status == 404


async def test_a_made_up_visitor_token_gives_a_new_visitor(parley: Running) -> None:
    async with Window(parley.gateway.url) as window:
        await window.ticket()
        mine = window.visitor
        await window.ticket()
        assert window.visitor == mine
        assert mine is not None
        visitor, expiry, mac = mine.split(".")
        for forged in (f"{visitor}x.{expiry}.{mac}", f"{visitor}.{int(expiry) + 1}.{mac}", f"{visitor}.1.{mac}", "x" * 900, mine[:-2]):
            window.visitor = forged
            await window.ticket()
            assert window.visitor is not None
            assert window.visitor.split(".")[0] != visitor


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"visitor": 7}', b"\xff", b"", b"[" * 1_000, b"x" * 2_000])
async def test_strange_ticket_requests_are_refused_or_start_afresh(parley: Running, body: bytes) -> None:
    async with Window(parley.gateway.url) as window:
        async with window.http.post(f"{window.url}/webchat/web/ticket", data=body, headers={"Origin": window.origin}) as answer:
            assert answer.status in {200, 400, 413}
        assert await window.open()


@pytest.mark.parametrize("text", VECTORS)
async def test_what_a_customer_writes_comes_back_as_written(parley: Running, text: str) -> None:
    async with Window(parley.gateway.url) as window:
        await window.open()
        await window.say(text, "m1")
        mine = await window.until("message", direction="inbound")
        assert mine["text"] == text.replace("\r\n", "\n").replace("\u2028", "\n")


async def test_frames_that_make_no_sense_close_nothing(parley: Running) -> None:
    async with Window(parley.gateway.url) as window:
        await window.open()
        for frame in ("nonsense", "[]", '{"type":"pay","id":"p"}', '{"type":7}', "[" * 30_000):
            await window.socket.send_str(frame)
            assert (await window.until("error"))["code"] == "unknown_frame"
        await window.say("still here", "m1")
        assert (await window.until("message", direction="inbound"))["text"] == "still here"


async def test_a_binary_frame_closes_the_window(parley: Running) -> None:
    async with Window(parley.gateway.url) as window:
        await window.open()
        await window.socket.send_bytes(b"\x00")
        assert await window.closed() == 1003


async def test_a_frame_above_32_kib_closes_the_window_and_one_of_it_does_not(parley: Running) -> None:
    async with Window(parley.gateway.url) as window:
        await window.open()
        frame = {"type": "message", "id": "long", "text": ""}
        frame["text"] = "x" * (32 * 1024 - len(json.dumps(frame)))
        await window.send(**frame)
        assert await window.until("ack", id="long")
        await window.send(**{**frame, "id": "more", "text": frame["text"] + "x" * 1024})
        assert await window.closed() == 1009
        assert await said_by(parley, window) == 1


async def test_a_flood_is_slowed_down_then_closed(parley: Running) -> None:
    async with Window(parley.gateway.url) as window:
        before = refused(parley, "flood")
        await window.open()
        for number in range(1_000):
            if window.socket.closed:
                break
            await window.socket.send_str(json.dumps({"type": "message", "id": f"f{number}", "text": "x"}))
        assert await window.closed() == 1008
        assert len([frame for frame in window.others if frame.get("code") == "too_fast"]) <= 2
        assert await said_by(parley, window) <= 20
        assert refused(parley, "flood") == before + 1


async def test_a_source_has_twenty_windows_and_gets_places_back(parley: Running) -> None:
    async with Window(parley.gateway.url) as window:
        sockets = [await window.connect() for _ in range(20)]
        with pytest.raises(aiohttp.WSServerHandshakeError, match="429"):
            await window.connect()
        for socket in sockets:
            await socket.close()
        window.socket = await window.connect()
        await window.send(type="hello", ticket=await window.ticket(), after=0)
        assert await window.until("ready")


async def test_a_source_asks_for_so_many_tickets(parley: Running) -> None:
    async with Window(parley.gateway.url) as window:
        statuses = []
        for _ in range(60):
            async with window.http.post(f"{window.url}/webchat/web/ticket", headers={"Origin": window.origin}) as answer:
                statuses.append(answer.status)
                headers = answer.headers
        assert statuses[:40] == [200] * 40
        assert statuses[-1] == 429
        assert int(headers["Retry-After"]) >= 1
        assert headers["Access-Control-Allow-Origin"] == window.origin


async def test_a_store_that_takes_nothing_loses_nothing_silently(tmp_path: Path) -> None:
    async with running(tmp_path) as parley, Window(parley.gateway.url) as window:
        await window.open()
        parley.gateway.store.close()
        await window.say("are you there?", "m1")
        assert await window.until("error") == {
            "type": "error",
            "code": "unavailable",
            "text": "The message could not be stored; it will be sent again.",
            "id": "m1",
        }
