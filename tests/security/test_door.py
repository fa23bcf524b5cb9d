"""Sockets as strangers use them: bad HTTP, many, silent, slow, smuggling. A good request beside them is answered as always."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from gateway import web as gateway_web
from gateway.compose import Tuning
from gateway.counters import Counters
from gateway.door import Door
from tests.gateway.running import ANNA, Running, running

PLACES = 24
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, tuning=Tuning(connections=PLACES)) as started:
        yield started


class Raw:
    """One plain socket."""

    def __init__(self, parley: Running) -> None:
        self._port = urlsplit(parley.gateway.url).port

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def rest(self) -> bytes:
        """Return all that comes until the other end closes."""
        async with asyncio.timeout(15):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""


def path_of(parley: Running) -> str:
    return urlsplit(parley.gateway.channels["ussd"].webhook_url).path


def form(number: int) -> bytes:
    return f"sessionId=r{number}&serviceCode=*384*100%23&phoneNumber=%2B254700000001&networkCode=1&text=".encode()


def post(parley: Running, body: bytes, *headers: str, length: bool = True) -> bytes:
    lines = [f"POST {path_of(parley)} HTTP/1.1", "Host: gateway", f"Content-Type: {FORM}", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def heard(parley: Running) -> int:
    return int((await parley.rows("select count(*) from inbound"))[0][0])


SMUGGLED = "POST {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: " + FORM + "\r\nContent-Length: {length}\r\n\r\n{body}"
CASES = {
    "length and chunks": (("Transfer-Encoding: chunked", "Content-Length: 5"), b"0\r\n\r\n"),
    "chunks and length": (("Content-Length: 5", "Transfer-Encoding: chunked"), b"0\r\n\r\n"),
    "two lengths": (("Content-Length: 0", "Content-Length: 5"), b""),
    "two equal lengths": (("Content-Length: 0", "Content-Length: 0"), b""),
    "a list of lengths": (("Content-Length: 0, 5",), b""),
    "a signed length": (("Content-Length: +0",), b""),
    "a negative length": (("Content-Length: -1",), b""),
    "a length in hex": (("Content-Length: 0x0",), b""),
    "a length that is a word": (("Content-Length: none",), b""),
    "an endless length": (("Content-Length: " + "9" * 40,), b""),
    "a space before the colon": (("Content-Length : 5",), b""),
    "a folded header": (("X-A: 1\r\n Content-Length: 5",), b""),
    "a header without colon": (("Content-Length",), b""),
    "a null in a header": (("X-A: a\0b",), b""),
    "a bare CR in a header": (("X-A: a\rb",), b""),
    "chunks that are not": (("Transfer-Encoding: chunked",), b"zz\r\n"),
    "a negative chunk": (("Transfer-Encoding: chunked",), b"-1\r\n"),
    "an endless chunk": (("Transfer-Encoding: chunked",), b"f" * 20 + b"\r\n"),
    "chunks spelled oddly": (("Transfer-Encoding: xchunked",), b"0\r\n\r\n"),
    "chunks not last": (("Transfer-Encoding: chunked, identity",), b"0\r\n\r\n"),
    "chunks behind a tab": (("Transfer-Encoding:\x0bchunked",), b"0\r\n\r\n"),
    "a long header": (("X-A: " + "a" * 20_000,), b""),
    "10,000 headers": (tuple(f"X-{n}: 1" for n in range(10_000)), b""),
}

NO_HTTP = (
    b"GET / HTTP/9.9",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1",
    b"\x16\x03\x01\x02\x00\x01",
    b"canary-word / HTTP/1.1",
    b"GET http://[ HTTP/1.1",
)


async def test_no_second_request_hides_behind_a_malformed_one(parley: Running) -> None:
    hidden = SMUGGLED.format(path=path_of(parley), length=len(form(2)), body=form(2).decode())
    for name, (headers, tail) in CASES.items():
        async with Raw(parley) as raw:
            await raw.send(post(parley, b"", *headers, length=False) + tail + hidden.encode())
            answer = await raw.rest()
        assert await heard(parley) == 0, name
        assert answer.count(b"HTTP/1.") <= 1, name
        if answer:
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.0 400 "), name
            assert b"aiohttp" not in head, name
            assert json.loads(body)["error"]["code"] == "bad_request", name
    assert (await parley.dial(""))[0] == 200
    assert parley.gateway.counters.value("malformed_requests") >= len(CASES) - 2


async def test_what_is_no_http_is_answered_without_a_word_of_it_and_not_logged(parley: Running, caplog: pytest.LogCaptureFixture) -> None:
    for line in NO_HTTP:
        async with Raw(parley) as raw:
            await raw.send(line + b"\r\nHost: gateway\r\n\r\n")
            answer = await raw.rest()
        assert answer.startswith(b"HTTP/1.0 400"), line[:40]
        assert b"canary" not in answer
    assert caplog.records == []


async def test_a_thousand_requests_in_one_go_are_answered_one_by_one(parley: Running) -> None:
    async with Raw(parley) as raw:
        last = post(parley, form(0), "Connection: close")
        raw.writer.write(post(parley, form(0)) * 999 + last)
        answer = await raw.rest()
    assert answer.count(b"HTTP/1.1 200 OK") == 1_000
    assert await heard(parley) == 1


async def test_silent_and_half_spoken_sockets_do_not_keep_a_good_request_out(small: Running) -> None:
    async with AsyncExitStack() as stack:
        for number in range(PLACES * 4):
            raw = await stack.enter_async_context(Raw(small))
            if number % 2:
                await raw.send(b"POST /c/ussd HTTP/1.1\r\nX-A: ")
        async with asyncio.timeout(20):
            assert (await small.dial(""))[0] == 200
    assert small.gateway.counters.value("connections_shed") >= PLACES * 3


async def test_the_guard_against_silent_sockets_bites(small: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Door, "opened", lambda *_: None)
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(Raw(small)) for _ in range(PLACES * 4)]
        assert (await small.dial(""))[0] == 200
        assert not any(raw.reader.at_eof() for raw in sockets)  # nobody had to go: one more gateway without places


async def test_whoever_has_asked_for_something_keeps_the_place(small: Running) -> None:
    async with Raw(small) as good:
        await good.send(post(small, form(1)))
        async with asyncio.timeout(20):
            await good.reader.readuntil(b"\r\n\r\n")
        async with AsyncExitStack() as stack:
            for _ in range(PLACES * 2):
                await stack.enter_async_context(Raw(small))
            await good.send(post(small, form(2), "Connection: close"))
            assert b"HTTP/1.1 200 OK" in await good.rest()


async def test_a_body_that_takes_too_long_is_given_up(parley: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_web, "BODY_TIMEOUT_S", 0.1)
    async with Raw(parley) as raw:
        await raw.send(post(parley, b"", "Content-Length: 100", length=False) + b"session")
        async with asyncio.timeout(20):
            assert (await raw.reader.readline()).startswith(b"HTTP/1.1 408")
    assert parley.gateway.counters.value("refused", channel="ussd", code="slow_body") == 1
    assert await heard(parley) == 0


async def test_a_packed_body_is_never_unpacked(parley: Running) -> None:
    bomb = gzip.compress(b"a=1&" * 5_000_000, compresslevel=9)
    assert len(bomb) < 50_000
    for coding in ("gzip", "deflate", "br", "gzip, gzip"):
        for channel, expected in (("ussd", 200), ("sms", 403)):
            headers = {"Content-Encoding": coding, "Content-Type": FORM}
            status, _ = await parley.post(channel, data=bomb, headers=headers)
            assert status == expected
    assert await heard(parley) == 0
    assert await parley.rows("select length(raw) from unreadable") == [(len(bomb),)]


async def test_ten_thousand_fields_cost_nothing(parley: Running) -> None:
    body = b"&".join(b"f%d=1" % number for number in range(10_000))
    assert (await parley.post("ussd", data=body, headers={"Content-Type": FORM}))[0] == 200
    assert (await parley.post("sms", data=body, headers={"Content-Type": FORM}))[0] == 403
    assert await heard(parley) == 0
    assert (await parley.dial("", phone=ANNA))[0] == 200


async def test_who_is_let_in_too_late_is_broken_off(unused_tcp_port: int) -> None:
    """A socket that is accepted while the gateway stops belongs to nobody: without the guard it would stay open."""

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(text="here")

    server = web.Server(answer)
    door = Door(server, Counters(), 10, 5.0)
    listening = await asyncio.get_running_loop().create_server(door, "127.0.0.1", unused_tcp_port)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        writer.write(b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n")
        async with asyncio.timeout(15):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()
        door.end()
        late, other = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        async with asyncio.timeout(15):
            with suppress(ConnectionResetError):
                assert await late.read() == b""
        other.transport.abort()
    finally:
        listening.close()
        await server.shutdown(1.0)
