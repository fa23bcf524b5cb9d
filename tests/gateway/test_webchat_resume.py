"""Windows that drop, gateways that restart, readers that do not read: each side sees each message once, in order."""

from __future__ import annotations

import asyncio
import random
import re
import select
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway import pages, webchat
from gateway.runtime import GATEWAY
from gateway.simulator.twilio_wire import PhoneMessage
from gateway.webchat_limits import Limits
from gateway.webchat_typing import TYPING, Typing
from tests.gateway.running import ANNA, Running, running
from tests.gateway.webchat_client import Window
from tests.house import gateway_process as process

MANY = """
insert into message (id, conversation_id, seq, interaction_id, channel_id, address, direction, author, text, status, created_at, number)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1500)
select 'filler-' || i, conversation_id, 100000 + i, interaction_id, channel_id, address, direction, author, ?2, status, created_at,
    (select max(number) from message where address = ?1) + i
from n, (select * from message where address = ?1 limit 1)
"""
VISITORS = 20
MESSAGES = 12


class Life:
    """One run of the gateway, which ends when enough was heard in it."""

    def __init__(self, enough: int) -> None:
        self._left = enough
        self.over = asyncio.Event()

    def heard(self) -> None:
        self._left -= 1
        if self._left == 0:
            self.over.set()


async def talk(window: Window, said: list[str], chance: random.Random, life: Life) -> None:
    """Say everything that is not yet seen in the thread, with drops in between."""
    while len(own(window)) < len(said):
        text = said[len(own(window))]
        await window.say(text, f"id-{text.replace(' ', '-')}")
        if chance.random() < 0.2:
            await window.socket.close()  # before anything of it was read
            await window.open()
        while text not in own(window):
            await window.next()
        life.heard()


def own(window: Window) -> list[str]:
    return [frame["text"] for frame in window.messages if frame["direction"] == "inbound"]


async def live(window: Window, said: list[str], chance: random.Random, life: Life) -> None:
    """Talk until everything is said, or the gateway dies."""
    try:
        await window.open()
        await talk(window, said, chance, life)
    except (ConnectionError, TimeoutError, aiohttp.ClientError):
        assert life.over.is_set(), "dropped by a gateway that was well"


async def lead(url: str, windows: list[Window], said: list[str], seed: str, end: Callable[[], object], enough: int) -> None:
    """Have every visitor talk to the gateway at `url`, and end it when enough was heard."""
    life = Life(enough)
    for window in windows:
        window.url = window.origin = url
    talks = [asyncio.create_task(live(window, said, random.Random(f"{seed}/{place}"), life)) for place, window in enumerate(windows)]
    over = asyncio.create_task(life.over.wait())
    await asyncio.wait({over, asyncio.gather(*talks)}, return_when=asyncio.FIRST_COMPLETED)
    over.cancel()
    await asyncio.to_thread(end)
    await asyncio.gather(*talks)


async def test_visitors_who_drop_and_a_gateway_that_dies_lose_and_repeat_nothing(tmp_path: Path) -> None:
    said = [f"word {number}" for number in range(MESSAGES)]
    everything = VISITORS * MESSAGES
    async with AsyncExitStack() as stack:
        windows = [await stack.enter_async_context(Window("")) for _ in range(VISITORS)]
        for number, end in enumerate((signal.SIGKILL, signal.SIGTERM, signal.SIGKILL)):
            with process.gateway(tmp_path, "--data", str(tmp_path / "data")) as gateway:
                await lead(gateway.url, windows, said, f"life {number}", partial(gateway.stop, end), everything // 4)
        left = everything - sum(len(own(window)) for window in windows)
        async with running(tmp_path / "data") as parley:
            await lead(parley.gateway.url, windows, said, "last life", int, left)
            rows = await parley.rows("select address, text from message where number is not null order by number")
    for window in windows:
        assert own(window) == said
        assert [frame["number"] for frame in window.messages] == list(range(1, len(window.messages) + 1))
        assert [frame["text"] for frame in window.messages] == [text for who, text in rows if who == window.name]


async def test_open_windows_are_told_to_come_back_and_closed_with_1012(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        async with running(tmp_path) as parley:
            window = await stack.enter_async_context(Window(parley.gateway.url))
            await window.open()
            closed = asyncio.create_task(window.closed())
        assert await closed == 1012
        assert 0.2 <= window.others[-1]["in_s"] <= 30


@asynccontextmanager
async def limited(parley: Running, limits: Limits) -> AsyncIterator[tuple[Window, Typing]]:
    """The web chat of a gateway on a listener of its own, with other limits."""
    app = web.Application()
    app[GATEWAY] = parley.gateway
    pages.install(app, public_url=parley.gateway.url)
    webchat.install(app, parley.gateway, limits)
    async with TestServer(app) as server, Window(str(server.make_url("/")).rstrip("/"), origin=parley.gateway.url) as window:
        yield window, app[TYPING]


async def test_a_socket_without_a_word_is_closed(tmp_path: Path) -> None:
    async with running(tmp_path) as parley, limited(parley, Limits(hello_s=0.05)) as (window, _):
        await window.connect()
        assert await window.closed() == 1008


async def test_typing_goes_both_ways_and_into_no_record(tmp_path: Path) -> None:
    async with running(tmp_path) as parley, limited(parley, Limits()) as (window, typing):
        await window.open()
        with parley.gateway.hints.listen(f"typing:{window.name}") as ear:
            await window.send(type="typing")
            assert await ear.wait(5)
        assert 0 < typing.left_ms(window.name, "customer") <= 5_000
        await window.say("done", "m1")
        await window.until("ack", id="m1")
        assert typing.left_ms(window.name, "customer") == 0

        typing.note(window.name, "agent")
        frame = await window.until("typing", who="agent")
        assert 0 < frame["for_s"] <= 5
        typing.stop(window.name, "agent")
        assert (await window.until("typing", who="agent"))["for_s"] == 0
        assert await parley.rows("select count(*) from inbound where raw like '%typing%'") == [(0,)]


async def test_the_bot_is_seen_working_while_the_billing_system_takes_its_time(tmp_path: Path) -> None:
    async with running(tmp_path) as parley, Window(parley.gateway.url) as window:
        assert parley.gateway.demo is not None
        demo = parley.gateway.demo
        code = asyncio.get_running_loop().create_future()

        async def read(message: PhoneMessage) -> None:
            if message.direction != "inbound" and not code.done():
                code.set_result(re.findall(r"[0-9]{6}", message.body)[0])

        demo.twilio.listen(read)
        await window.open()
        await window.say("balance", "m1")
        await window.until("message", direction="outbound")
        await parley.http.put(f"{demo.bss_url}/demo/behaviour", json={"mode": "slow", "delay_s": 60})
        await window.say(ANNA, "m2")
        async with asyncio.timeout(10):
            await window.say(await code, "m3")
        await window.until("message", id="m3")
        assert (await window.until("typing", who="bot"))["for_s"] > 0
        await parley.http.put(f"{demo.bss_url}/demo/behaviour", json={"mode": "ok"})
        while "KES" not in (await window.until("message", direction="outbound"))["text"]:
            continue


async def test_a_reader_that_does_not_read_is_cut_off_and_costs_little(tmp_path: Path) -> None:
    limits = replace(Limits(), send_s=0.2)
    async with running(tmp_path) as parley, limited(parley, limits) as (window, _):
        await window.open()
        await window.say("hello", "m1")
        await window.until("ack", id="m1")
        await window.socket.close()
        visitor = window.name
        await parley.gateway.store.write(lambda tx: tx.execute(MANY, (visitor, "\U0001f600" * 4_000)))
        before = parley.gateway.counters.value("webchat_refused", code="slow_reader")
        with await deaf_socket(window) as deaf:
            poll = select.poll()
            poll.register(deaf, select.POLLHUP | select.POLLERR)
            assert await asyncio.to_thread(poll.poll, 10_000), "the connection is still open"
        assert parley.gateway.counters.value("webchat_refused", code="slow_reader") == before + 1


async def deaf_socket(window: Window) -> socket.socket:
    """Open a window by hand on a socket that is never read after the hello."""
    ticket = await window.ticket()
    host, port = window.url.removeprefix("http://").split(":")
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    deaf.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(deaf, (host, int(port)))
    head = (
        f"GET /webchat/web/socket HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {window.origin}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await loop.sock_sendall(deaf, head.encode())
    assert b"101" in await loop.sock_recv(deaf, 1_000)
    hello = f'{{"type":"hello","ticket":"{ticket}","after":1}}'.encode()
    await loop.sock_sendall(deaf, bytes([0x81, 0x80 | len(hello)]) + bytes(4) + hello)
    return deaf
