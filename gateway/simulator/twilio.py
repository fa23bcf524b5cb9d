"""Plays Twilio: takes messages over the REST API, delivers people's messages to the webhook, signs, and reports back.

What is said here is what the documentation of the real service says; a client or adapter should notice no difference. Everything is
kept in memory, since it is the phone's side and not ours. Must not know the gateway but by its URLs.
"""

from __future__ import annotations

import asyncio
import hmac
from base64 import b64encode
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from yarl import URL

from channels.signatures import twilio_signature
from core.clock import Clock
from gateway.simulator.twilio_checks import Form, check_message, one, shown
from gateway.simulator.twilio_files import Files
from gateway.simulator.twilio_lists import Lists
from gateway.simulator.twilio_placed import Placing
from gateway.simulator.twilio_wire import (
    API_VERSION,
    WHATSAPP,
    Account,
    Exchange,
    PhoneMessage,
    Refusal,
    as_text,
    bare,
    inbound_form,
    replies,
    resource,
    status_form,
)

WEBHOOK_TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)
KEPT_MESSAGES = 1_000
KEPT_EXCHANGES = 200
BODY_BYTES_MAX = 60_000_000  # a bot may upload files of 50 MB
WINDOW_MS = 24 * 3_600_000
_WINDOW_CLOSED = "63016"
_FORM = "application/x-www-form-urlencoded; charset=UTF-8"
Listener = Callable[[PhoneMessage], Awaitable[None]]


class Fault(StrEnum):
    """How the API misbehaves on purpose."""

    OK = "ok"
    THROTTLED = "429"
    DOWN = "500"
    HANG = "hang"  # takes nothing and never answers
    LOST_ANSWER = "close"  # takes the message, then closes the connection instead of answering


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a person's message: the status of the webhook's answer (0: nobody answered) and the replies in it."""

    message: PhoneMessage
    status: int
    replies: tuple[PhoneMessage, ...]


class TwilioStandIn:
    """One Twilio with its accounts, the phones on the other side, and a log of what was said on the wire."""

    def __init__(self, clock: Clock) -> None:
        self.files = Files()
        self.fault = Fault.OK
        self.blocked: set[str] = set()  # people who told the network STOP: sending to them is error 21610
        self.exchanges: deque[Exchange] = deque(maxlen=KEPT_EXCHANGES)
        self.clock = clock
        self.voices: dict[str, Account] = {}  # by the number that can be called
        self.place: Callable[[Account, Form], dict[str, Any]] | None = None  # makes a call, where there are phones
        self.change: Callable[[Account, str, Form], dict[str, Any]] | None = None  # changes one
        self._accounts: dict[str, Account] = {}
        self._messages: dict[str, PhoneMessage] = {}
        self._heard: dict[tuple[str, str], int] = {}  # when a person last wrote to a WhatsApp sender
        self._listeners: list[Listener] = []
        self._reporting: set[asyncio.Task[None]] = set()
        self._closed = asyncio.Event()
        self._session: aiohttp.ClientSession | None = None

    def connect(self, account: Account) -> None:
        """Add an account with its number for messages, or change what is known of it."""
        self._accounts[account.sid] = account

    def connect_voice(self, account: Account) -> None:
        """Add an account with its number for calls, or change what is known of it."""
        self.voices[account.number] = account

    def listen(self, listener: Listener) -> None:
        """Have `listener` called with every message, and again with every new status of it."""
        self._listeners.append(listener)

    def messages(self, phone: str) -> list[PhoneMessage]:
        """Return the messages to and from a phone, oldest first."""
        return [message for message in self._messages.values() if phone in {message.from_, message.to}]

    def messages_of(self, account: Account) -> list[PhoneMessage]:
        """Return the messages to and from the number of an account, oldest first."""
        return self.messages(account.number) if account.sid in self._accounts else []

    async def deliver(
        self, from_: str, to: str, body: str, *, media: tuple[str, ...] = (), extra: Mapping[str, str] | None = None
    ) -> Delivered:
        """Send a person's message to the webhook of the number `to`; raises KeyError for a number of no account."""
        account = next((account for account in self._accounts.values() if account.number == to), None)
        if account is None:
            raise KeyError(to)
        now = self.clock.now_ms()
        self._heard[to, from_] = now
        sid = self._sid("MM" if media and not from_.startswith(WHATSAPP) else "SM")
        message = await self._show(PhoneMessage(sid, "inbound", from_, to, body, "received", now, media=media, extra=extra or {}))
        status, answer = await self.post("webhook", from_, account, account.webhook_url, inbound_form(account, message))
        answers = [
            await self._show(PhoneMessage(self._sid(), "outbound-reply", to, from_, text, "queued", self.clock.now_ms(), callback))
            for text, callback in (replies(answer) if status == 200 else [])
        ]
        for reply in answers:
            self._report(account, reply)
        return Delivered(message, status, tuple(answers))

    def upload(self, to: str, content_type: str, content: bytes) -> str:
        """Keep an attachment of a message to the number `to` and return its address, which asks for the account's password."""
        account = next(account for account in self._accounts.values() if account.number == to)
        return self.files.keep(account, f"Messages/{self._sid('MM')}/Media/{self._sid('ME')}", content_type, content)

    async def file(self, request: web.Request) -> web.Response:
        """Answer one call that fetches an attachment or a recording."""
        try:
            self.authenticated(request)
        except Refusal as refusal:
            return web.json_response(refusal.document(), status=refusal.status)
        return self.files.answer(request.path)

    async def read(self, sid: str) -> None:
        """Tell that the person has read a message, once it was delivered."""
        message = self._messages.get(sid)
        account = next((account for account in self._accounts.values() if message and account.number == message.from_), None)
        if message is None or account is None or message.status != "delivered":
            return
        await self._tell(account, replace(message, status="read"))

    def pass_a_day(self, phone: str) -> None:
        """Let 24 hours go by for a person on WhatsApp, so that only approved templates reach them until they write again."""
        for pair, at in self._heard.items():
            if pair[1] == phone:
                self._heard[pair] = at - WINDOW_MS

    def open_until(self, phone: str, sender: str) -> int:
        """Return until when a sender may write freely to a person, ms UTC; 0 if the person never wrote."""
        at = self._heard.get((sender, phone))
        return 0 if at is None else at + WINDOW_MS

    async def reported(self) -> None:
        """Wait until all status callbacks that are due have been answered."""
        while self._reporting:
            await asyncio.gather(*self._reporting)

    async def close(self) -> None:
        """Stop reporting, let go of hanging requests, and end the connections."""
        self._closed.set()
        for task in self._reporting:
            task.cancel()
        await asyncio.gather(*self._reporting, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Answer one call of the API that creates a message."""
        posted = await request.post()
        form = {name: [value for value in posted.getall(name) if isinstance(value, str)] for name in posted}
        answer = await self._create(request, form)
        asked = as_text(f"{request.method} {request.path} HTTP/1.1", request.headers, urlencode(form, doseq=True))
        status_line = f"HTTP/1.1 {answer.status} {answer.reason}"
        self.note("api", one(form, "To"), asked, as_text(status_line, answer.headers, answer.text or ""))
        return answer

    async def _create(self, request: web.Request, form: Form) -> web.Response:
        match self.fault:
            case Fault.HANG:
                await self._closed.wait()
                return web.json_response(Refusal(503, 20503, "Service Unavailable").document(), status=503)
            case Fault.THROTTLED:
                refusal = Refusal(429, 20429, "Too Many Requests")
                return web.json_response(refusal.document(), status=429, headers={"Retry-After": "1"})
            case Fault.DOWN:
                return web.json_response(Refusal(500, 20500, "Internal Server Error").document(), status=500)
        try:
            account = self.authenticated(request)
            message = self._accepted(account, form)
        except Refusal as refusal:
            return web.json_response(refusal.document(), status=refusal.status)
        await self._show(message)
        self._report(account, message)
        if self.fault is Fault.LOST_ANSWER and request.transport is not None:
            request.transport.close()
        return web.json_response(resource(account, message), status=201)

    def _accepted(self, account: Account, form: Form) -> PhoneMessage:
        """Return the message that a call asks for; raises `Refusal`. Outside of the 24 hours free text is taken, and fails later."""
        check_message(account, form)
        text, buttons = shown(account, form)
        to, from_, now = one(form, "To"), one(form, "From"), self.clock.now_ms()
        if to in self.blocked:
            raise Refusal(400, 21610, "Attempt to send to unsubscribed recipient")
        content = account.contents.get(one(form, "ContentSid"))
        free = to.startswith(WHATSAPP) and not (content and content.approved)
        error = _WINDOW_CLOSED if free and self.open_until(to, from_) <= now else ""
        message = PhoneMessage(self._sid(), "outbound-api", from_, to, text, "queued", now, one(form, "StatusCallback"))
        return replace(message, media=tuple(form.get("MediaUrl", ())), buttons=buttons, error=error)

    def authenticated(self, request: web.Request) -> Account:
        """Return the account of a call of the API; raises `Refusal`."""
        sid = request.match_info["sid"]
        account = self._accounts.get(sid) or next((voice for voice in self.voices.values() if voice.sid == sid), None)
        given = request.headers.get("Authorization", "")
        expected = "Basic " + b64encode(f"{account.sid}:{account.auth_token}".encode()).decode() if account else ""
        if account is None or not hmac.compare_digest(expected.encode(), given.encode()):
            raise Refusal(401, 20003, "Authenticate")
        return account

    def _report(self, account: Account, message: PhoneMessage) -> None:
        task = asyncio.create_task(self._statuses(account, message))
        self._reporting.add(task)
        task.add_done_callback(self._reporting.discard)

    async def _statuses(self, account: Account, message: PhoneMessage) -> None:
        """Take a message from queued to delivered, or to its error, telling its callback each time."""
        message = await self.files.taken(self._open(), account, message, self._sid("ME"))
        for status in ("queued", "failed") if message.error else ("queued", "sent", "delivered"):
            await self._tell(account, replace(message, status=status))

    async def _tell(self, account: Account, message: PhoneMessage) -> None:
        await self._show(message)
        if message.callback:
            await self.post("callback", message.to, account, message.callback, status_form(account, message))

    async def post(self, what: str, phone: str, account: Account, url: str, form: Mapping[str, str]) -> tuple[int, str]:
        """Post a signed form; return status and text of the answer, or 0 and nothing where nobody answers."""
        headers = {
            "Content-Type": _FORM,
            "X-Twilio-Signature": twilio_signature(account.auth_token, url, {name: (value,) for name, value in form.items()}),
            "I-Twilio-Idempotency-Token": self.clock.random(16).hex(),
            "User-Agent": "TwilioProxy/1.1",
        }
        body = urlencode(form)
        asked = as_text(f"POST {url} HTTP/1.1", headers, body)
        try:
            async with self._open().post(URL(url, encoded=True), data=body, headers=headers, allow_redirects=False) as answer:
                text = await answer.text(errors="replace")
                self.note(what, phone, asked, as_text(f"HTTP/1.1 {answer.status} {answer.reason}", answer.headers, text))
                return answer.status, text
        except (aiohttp.ClientError, TimeoutError) as error:
            self.note(what, phone, asked, f"no answer: {type(error).__name__}")
            return 0, ""

    async def _show(self, message: PhoneMessage) -> PhoneMessage:
        self._messages[message.sid] = message
        if len(self._messages) > KEPT_MESSAGES:
            del self._messages[next(iter(self._messages))]
        for listener in self._listeners:
            await listener(message)
        return message

    def note(self, what: str, phone: str, asked: str, answered: str) -> None:
        """Keep what was said on the wire about a person's message or call."""
        if phone.startswith(WHATSAPP):
            what = f"whatsapp-{what}"
        self.exchanges.append(Exchange(what, bare(phone), self.clock.now_ms(), asked, answered))

    def _sid(self, kind: str = "SM") -> str:
        return f"{kind}{self.clock.random(16).hex()}"

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=WEBHOOK_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar())
        return self._session


def make_app(twilio: TwilioStandIn) -> web.Application:
    """Build the application that answers for api.twilio.com."""
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    Lists(twilio).install(app)
    Placing(twilio).install(app)
    app.router.add_post(f"/{API_VERSION}/Accounts/{{sid}}/Messages.json", twilio.create)
    app.router.add_get(f"/{API_VERSION}/Accounts/{{sid}}/Messages/{{message}}/Media/{{file}}", twilio.file)
    app.router.add_get(f"/{API_VERSION}/Accounts/{{sid}}/Recordings/{{file}}", twilio.file)
    return app
