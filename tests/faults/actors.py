"""Everybody outside the gateway, each with a history of their own: customers on three channels, the SMS provider, the billing system.

Histories only grow and never ask the gateway. A request without an answer is neither acknowledged nor lost: its outcome is unknown.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from aiohttp import web
from twilio.request_validator import RequestValidator

from config.keys import open_keys
from config.load import load
from core.clock import Clock
from gateway.configured import make_channels
from gateway.demo.bss import make_app, open_state
from tests.faults.lives import Home

ORIGIN = "https://site.example"
GONE = (aiohttp.ClientError, TimeoutError, ConnectionError)
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that can be made again, byte for byte."""

    key: Key
    path: str
    body: Mapping[str, str]
    token: str = ""  # Twilio's, to sign with; the signature covers the address, which changes with each life

    def headers(self, url: str) -> dict[str, str]:
        if not self.token:
            return {}
        return {"X-Twilio-Signature": _signature(self.token, url + self.path, tuple(self.body.items()))}


@lru_cache(maxsize=1_000)  # copies of a request are near each other
def _signature(token: str, url: str, body: tuple[tuple[str, str], ...]) -> str:
    return str(RequestValidator(token).compute_signature(url, dict(body)))


@dataclass(slots=True)
class History:
    """What customers know: what they began to send, what was acknowledged with which bytes, and answers that differed for one request."""

    sent: dict[Key, Sent] = field(default_factory=dict)
    acked: dict[Key, bytes] = field(default_factory=dict)
    repeated: int = 0
    differed: list[tuple[Key, bytes, bytes]] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


class Provider:
    """Plays the part of Twilio that accepts messages; `accepted` counts them by our own message id, in order of arrival."""

    def __init__(self) -> None:
        self.accepted: list[tuple[str, str, str]] = []  # message id, recipient, text
        self.changed = asyncio.Event()
        self.held: list[asyncio.Future[None]] | None = None

    def hold(self) -> None:
        """Take no message until `release`."""
        self.held = []

    def release(self) -> None:
        """Take what was held, the last that came first: what is under way at the same time has no order."""
        held, self.held = self.held or [], None
        for waiting in reversed(held):
            waiting.set_result(None)

    def counts(self) -> Counter[str]:
        return Counter(message_id for message_id, _, _ in self.accepted)

    async def handle(self, request: web.Request) -> web.Response:
        form = await request.post()
        if self.held is not None:
            self.held.append(asyncio.get_running_loop().create_future())
            await self.held[-1]
        message_id = parse_qs(urlsplit(str(form["StatusCallback"])).query)["m"][0]
        self.accepted.append((message_id, str(form["To"]), str(form["Body"])))
        self.changed.set()
        sid = f"SM{len(self.accepted):032x}"
        return web.json_response({"sid": sid, "status": "queued", "to": form["To"], "body": form["Body"], "error_code": None}, status=201)


@dataclass(slots=True)
class World:
    """All actors around one gateway."""

    home: Home
    provider: Provider
    history: History
    channels: Mapping[str, Any]
    session: aiohttp.ClientSession
    bss: str

    async def post(self, url: str, sent: Sent) -> bytes | None:
        """Make a request; returns the answer, None if none came or it was refused."""
        self.history.sent[sent.key] = sent
        try:
            async with self.session.post(url + sent.path, data=sent.body, headers=sent.headers(url)) as answer:
                body = await answer.read()
        except GONE:
            return None
        self.history.statuses[answer.status] += 1
        if (
            answer.status != 200 or body == self.channels["ussd"].adapter.sorry().body
        ):  # the screen that asks to dial again takes nothing in
            return None
        earlier = self.history.acked.setdefault(sent.key, body)
        if earlier != body:
            self.history.differed.append((sent.key, earlier, body))
        return body

    async def repeat(self, url: str, dice: random.Random) -> bytes | None:
        """Make an earlier request again."""
        self.history.repeated += 1
        keys = [key for key, sent in self.history.sent.items() if sent.path]
        return await self.post(url, self.history.sent[dice.choice(keys[-200:])]) if keys else b""

    def ussd(self, session_id: str, msisdn: str, text: str) -> Sent:
        body = {"sessionId": session_id, "serviceCode": "*384*100#", "phoneNumber": msisdn, "networkCode": "63902", "text": text}
        digest = blake2b(text.encode(), digest_size=8).hexdigest()
        return Sent(("ussd", f"{session_id}:{digest}"), urlsplit(self.channels["ussd"].webhook_url).path, body)

    def sms(self, number: int, msisdn: str, text: str, channel: str = "sms") -> Sent:
        configured = self.channels[channel]
        sid = f"SM{number:032x}"
        body = {
            "AccountSid": configured.settings.account_sid,
            "ApiVersion": "2010-04-01",
            "Body": text,
            "From": msisdn,
            "MessageSid": sid,
            "NumMedia": "0",
            "To": configured.channel.address.value,
        }
        return Sent((channel, sid), urlsplit(configured.webhook_url).path, body, configured.settings.auth_token[0])

    def report(self, message_id: str, sid: str, status: str) -> Sent:
        configured = self.channels["sms"]
        body = {"AccountSid": configured.settings.account_sid, "From": configured.channel.address.value, "MessageSid": sid}
        body |= {"MessageStatus": status, "SmsSid": sid, "SmsStatus": status, "To": "+254711000077"}
        path = f"{urlsplit(configured.webhook_url).path}?m={message_id}"
        return Sent(("report", f"{sid}:{status}"), path, body, configured.settings.auth_token[0])


@asynccontextmanager
async def window(world: World, url: str, shown: str = "") -> AsyncIterator[tuple[aiohttp.ClientWebSocketResponse, str]]:
    """Open a chat window; yields the socket after its `ready`, and the visitor's token."""
    async with world.session.post(
        f"{url}/webchat/web/ticket", json={"visitor": shown} if shown else {}, headers={"Origin": ORIGIN}
    ) as answer:
        answer.raise_for_status()
        given = await answer.json()
    async with world.session.ws_connect(f"{url}/webchat/web/socket", headers={"Origin": ORIGIN}) as socket:
        await socket.send_json({"type": "hello", "ticket": given["ticket"], "after": 0})
        while (await frame(socket))["type"] != "ready":
            continue
        yield socket, given["visitor"]


async def frame(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    """Return the next frame; raises ConnectionError when the window is closed."""
    message = await socket.receive()
    if message.type is not aiohttp.WSMsgType.TEXT:
        raise ConnectionError(message.type)
    found: dict[str, Any] = json.loads(message.data)
    return found


async def chat(world: World, socket: aiohttp.ClientWebSocketResponse, visitor_token: str, own_id: str, text: str) -> None:
    """Send one chat message and wait for its acknowledgement."""
    key = ("web", f"{visitor_token.split('.', maxsplit=1)[0]}:{own_id}")
    world.history.sent[key] = Sent(key, "", {"text": text})
    await socket.send_json({"type": "message", "id": own_id, "text": text})
    while True:
        told = await frame(socket)
        if told["type"] == "ack" and told["id"] == own_id:
            world.history.acked[key] = b""
            return
        if told["type"] == "error":
            return


@asynccontextmanager
async def serve(app: web.Application) -> AsyncIterator[str]:
    """Serve an application on a free port of the loopback; yields its address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def world(folder: Path, make: Any) -> AsyncIterator[World]:
    """Put the actors together around the gateway of `make(folder, provider=…, backend=…)`."""
    provider = Provider()
    sink = web.Application()
    sink.router.add_post("/2010-04-01/Accounts/{sid}/Messages.json", provider.handle)
    (folder / "bss").mkdir()
    state = open_state(folder / "bss", clock=Clock(), currency="KES")
    try:
        async with serve(sink) as provider_url, serve(make_app(state)) as bss_url:
            home: Home = make(folder, provider=provider_url, backend=bss_url)
            channels = make_channels(load(home.config, os.environ, None), os.environ, open_keys(home.data), "http://127.0.0.1:1")
            limits = aiohttp.ClientTimeout(total=20)
            async with aiohttp.ClientSession(timeout=limits, connector=aiohttp.TCPConnector(limit=0)) as session:
                yield World(home, provider, History(), channels, session, bss_url)
    finally:
        state.ledger.close()


async def until(condition: Any, changed: asyncio.Event, seconds: float) -> None:
    """Wait until a condition holds, looking whenever something changed and now and then; fails after `seconds`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not condition():
        assert loop.time() < end, "what was waited for did not happen"
        changed.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(changed.wait(), 0.05)
