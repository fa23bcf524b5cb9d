"""Plays Telegram: takes calls of the Bot API, shows their messages to people, and delivers what people do by webhook or on request.

What is said here is what the documentation of the Bot API says; a client or adapter should notice no difference. Everything is kept in
memory, since it is the person's side and not ours. Must not know the gateway but by its URLs.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from core.clock import Clock
from gateway.simulator.telegram_bots import Bot
from gateway.simulator.telegram_wire import Refusal, chat_member, checked, fields_of, json_object
from gateway.simulator.twilio_wire import Exchange, as_text

KEPT_MESSAGES = 200
_FILES = {"sendPhoto": "photo", "sendAudio": "audio", "sendVideo": "video", "sendDocument": "document"}
Listener = Callable[[Mapping[str, Any]], None]


@dataclass
class Chat:
    """One person's private chat with a bot, as the person sees it: messages by their number."""

    person: dict[str, Any]
    phone: str
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)
    blocked: bool = False


class TelegramStandIn:
    """One Telegram with its bots, the people on the other side, and a log of what was said on the wire."""

    def __init__(self, clock: Clock) -> None:
        self.exchanges: deque[Exchange] = deque(maxlen=KEPT_MESSAGES)
        self.answers: deque[Refusal] = deque()  # what the next calls are refused with
        self._clock = clock
        self._bots: dict[str, Bot] = {}
        self._chats: dict[tuple[str, int], Chat] = {}
        self._queries: dict[str, tuple[str, Chat, dict[str, Any]]] = {}  # pressed buttons that wait to be answered
        self._files: dict[str, tuple[str, bytes]] = {}
        self._numbers = clock.now_ms() // 1000  # beyond those of an earlier life, which people still have on their phones
        self._listeners: list[Listener] = []
        self._session: aiohttp.ClientSession | None = None

    def connect(self, token: str, *, url: str = "", secret: str = "") -> Bot:
        """Add a bot, with its webhook if it has one, or change what is known of it."""
        bot = self._bots.setdefault(token, Bot(token, len(self._bots) + 1, self._clock))
        bot.hook(url, secret, ())
        return bot

    def listen(self, listener: Listener) -> None:
        """Have `listener` called with every message that a person sees, and again when it changes."""
        self._listeners.append(listener)

    def chat(self, token: str, phone: str, first_name: str = "Customer") -> Chat:
        """Return the chat of the person with this phone."""
        number = int(phone.lstrip("+")[-9:])
        person = {"id": number, "is_bot": False, "first_name": first_name, "language_code": "en"}
        return self._chats.setdefault((token, number), Chat(person, phone))

    async def say(self, token: str, phone: str, text: str) -> bool:
        """Write a text to the bot; True if its webhook took it."""
        return await self.send(token, phone, {"text": text, **_command(text)}, {"text": text})

    async def send(self, token: str, phone: str, content: Mapping[str, Any], shown: Mapping[str, Any]) -> bool:
        """Send a message with this content; `shown` is what the person sees of it."""
        chat = self.chat(token, phone)
        kept = self._show(token, chat, {"mine": True, **shown})
        return await self._update(token, {"message": self._message(chat, kept, content)})

    async def edit(self, token: str, phone: str, number: int, text: str) -> bool:
        """Change the text of a message that was written; raises KeyError for one that is not the person's own."""
        chat = self.chat(token, phone)
        kept = chat.messages[number]
        if not kept.get("mine"):
            raise KeyError(number)
        self._show(token, chat, {**kept, "text": text, "edited": True})
        message = self._message(chat, kept, {"text": text, "edit_date": self._clock.now_ms() // 1000})
        return await self._update(token, {"edited_message": message})

    async def press(self, token: str, phone: str, number: int, row: int, column: int) -> bool:
        """Press a button of a message; raises LookupError for one that is not there."""
        chat = self.chat(token, phone)
        kept = chat.messages[number]
        button = kept["inline_keyboard"][row][column]
        query_id = str(int.from_bytes(self._clock.random(7), "big"))
        kept["waiting"] = True
        self._tell(token, chat, kept)
        self._queries[query_id] = token, chat, kept
        if len(self._queries) > KEPT_MESSAGES:
            del self._queries[next(iter(self._queries))]
        markup = {"reply_markup": {"inline_keyboard": kept["inline_keyboard"]}}
        message = self._message(chat, kept, {"text": kept["text"], **markup})
        query = {"id": query_id, "from": chat.person, "message": message, "chat_instance": "1", "data": button["callback_data"]}
        return await self._update(token, {"callback_query": query})

    async def share_contact(self, token: str, phone: str, *, of: str = "") -> bool:
        """Share the person's own number, or somebody else's from the address book."""
        chat = self.chat(token, phone)
        contact = {"phone_number": (of or phone).lstrip("+"), "first_name": "Someone" if of else chat.person["first_name"]}
        if not of:
            contact["user_id"] = chat.person["id"]
        return await self.send(token, phone, {"contact": contact}, {"text": f"{contact['first_name']}, {of or phone}", "kind": "contact"})

    async def block(self, token: str, phone: str, *, blocked: bool) -> bool:
        """Block the bot, or let it speak again."""
        chat = self.chat(token, phone)
        chat.blocked = blocked
        at = self._clock.now_ms() // 1000
        return await self._update(token, chat_member(_private(chat), chat.person, at, "kicked" if blocked else "member"))

    def upload(self, content: bytes, path: str) -> str:
        """Keep a file that a person sends, and return the id by which the bot can ask for it."""
        file_id = f"AgAD{self._clock.random(12).hex()}"
        self._files[file_id] = (path, content)
        return file_id

    def find(self, file_id: str) -> tuple[str, bytes] | None:
        """Return path and content of a file."""
        return self._files.get(file_id)

    async def close(self) -> None:
        """Stop waiting and end the connections."""
        for bot in self._bots.values():
            bot.let_go()
        if self._session is not None:
            await self._session.close()

    # ── the Bot API ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def call(self, request: web.Request) -> web.Response:
        """Answer one call of the Bot API."""
        method, token = request.match_info["method"], request.match_info["token"]
        fields = await fields_of(request, self.upload)
        try:
            if token not in self._bots:
                raise Refusal(401, "Unauthorized")
            if self.answers:
                raise self.answers.popleft()
            result = await self._run(self._bots[token], method, fields)
        except Refusal as refusal:
            answer = web.json_response(refusal.document(), status=refusal.code)
        else:
            answer = web.json_response({"ok": True, "result": result})
        if method != "getUpdates":
            asked = as_text(f"POST /bot(hidden)/{method} HTTP/1.1", {}, json.dumps(fields, indent=1, ensure_ascii=False))
            self._note("telegram-api", str(fields.get("chat_id", "")), asked, f"HTTP/1.1 {answer.status}", answer.text or "")
        return answer

    async def file(self, request: web.Request) -> web.Response:
        """Give a file to a bot that asked for its path."""
        path = request.match_info["path"]
        content = next((content for name, content in self._files.values() if name == path), None)
        if request.match_info["token"] not in self._bots or content is None:
            raise web.HTTPNotFound
        return web.Response(body=content, content_type="application/octet-stream")

    async def _run(self, bot: Bot, method: str, fields: Mapping[str, Any]) -> Any:
        values = checked(method, fields)
        match method:
            case "getMe":
                return {"id": bot.id, "is_bot": True, "first_name": "Bot", "username": f"bot_{bot.id}"}
            case "answerCallbackQuery":
                return self._heard(values["callback_query_id"])
            case "getFile":
                return self._path_of(values["file_id"])
            case "setWebhook":
                bot.hook(values["url"], values.get("secret_token", ""), values.get("allowed_updates", ()))
                return True
            case "deleteWebhook":
                bot.hook("", "", ())
                return True
            case "getWebhookInfo":
                return bot.info()
            case "getUpdates":
                return await bot.waiting(values)
        return self._take(bot, method, values)

    def _take(self, bot: Bot, method: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Show a message of the bot to the person and return it as the API describes it."""
        chat = self._chats.get((bot.token, values["chat_id"]))
        if chat is None:
            raise Refusal(400, "Bad Request: chat not found")
        if chat.blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        shown = {"text": values.get("text", values.get("caption", "")), **values.get("reply_markup", {})}
        if method in _FILES:
            shown |= {"kind": _FILES[method], "file": values[_FILES[method]]}
        elif "text" not in values:
            raise Refusal(400, "Bad Request: message text is empty")
        kept = self._show(bot.token, chat, shown)
        me = {"id": bot.id, "is_bot": True, "first_name": "Bot"}
        return {"message_id": kept["number"], "from": me, "chat": _private(chat), "date": kept["at"] // 1000, "text": shown["text"]}

    def _heard(self, query_id: str) -> bool:
        token, chat, kept = self._queries.pop(query_id, ("", None, {}))
        if chat is None:
            raise Refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        kept["waiting"] = False
        self._tell(token, chat, kept)
        return True

    def _path_of(self, file_id: str) -> dict[str, Any]:
        if file_id not in self._files:
            raise Refusal(400, "Bad Request: invalid file_id")
        path, content = self._files[file_id]
        return {"file_id": file_id, "file_unique_id": file_id[-8:], "file_size": len(content), "file_path": path}

    # ── to and from people ──────────────────────────────────────────────────────────────────────────────────────────

    def _show(self, token: str, chat: Chat, shown: Mapping[str, Any]) -> dict[str, Any]:
        """Put a message into a chat, or change the one with its number; return it as the person sees it."""
        if "number" not in shown:
            self._numbers += 1
            shown = {"number": self._numbers, "at": self._clock.now_ms(), "mine": False, "text": "", **shown}
        kept = chat.messages[shown["number"]] = dict(shown)
        if len(chat.messages) > KEPT_MESSAGES:
            del chat.messages[next(iter(chat.messages))]
        self._tell(token, chat, kept)
        return kept

    def _tell(self, token: str, chat: Chat, kept: Mapping[str, Any]) -> None:
        for listener in self._listeners:
            listener({"token": token, "phone": chat.phone, **kept})

    def _message(self, chat: Chat, kept: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
        sender = chat.person if kept.get("mine") else {"id": 1, "is_bot": True, "first_name": "Bot"}
        return {"message_id": kept["number"], "date": kept["at"] // 1000, "chat": _private(chat), "from": sender, **content}

    async def _update(self, token: str, update: Mapping[str, Any]) -> bool:
        """Hand an update to a bot, and carry out the calls that it gives in its answers; True if its webhook took the update."""
        bot = self._bots[token]
        number = bot.queue(update)
        if not bot.url:
            return True
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        async for pushed in bot.push(self._session):
            person = str(_sender(pushed.update)["id"])
            asked = as_text(f"POST {bot.url} HTTP/1.1", pushed.headers, json.dumps(pushed.update, indent=1, ensure_ascii=False))
            self._note("telegram-update", person, asked, f"HTTP/1.1 {pushed.status or 'none'}", pushed.answer)
            call = json_object(pushed.answer)
            if "method" in call:
                with suppress(Refusal):  # nobody is told of a call in an answer that goes wrong
                    await self._run(bot, str(call.pop("method")), call)
        return number not in bot.pending

    def _note(self, what: str, person: str, asked: str, status: str, answer: str) -> None:
        phone = next((chat.phone for (_, number), chat in self._chats.items() if str(number) == person), "")
        self.exchanges.append(Exchange(what, phone, self._clock.now_ms(), asked, as_text(status, {}, answer)))


def make_routes(telegram: TelegramStandIn) -> list[web.RouteDef]:
    """Return where the Bot API answers."""
    return [
        web.route("*", "/bot{token}/{method}", telegram.call),
        web.get("/file/bot{token}/{path:.+}", telegram.file),
    ]


def _command(text: str) -> dict[str, Any]:
    """Return the marks that Telegram puts on a command."""
    found = re.match(r"/[A-Za-z0-9_]+(@[A-Za-z0-9_]+)?", text)
    return {"entities": [{"type": "bot_command", "offset": 0, "length": found.end()}]} if found else {}


def _private(chat: Chat) -> dict[str, Any]:
    return {"id": chat.person["id"], "type": "private", "first_name": chat.person["first_name"]}


def _sender(update: Mapping[str, Any]) -> dict[str, Any]:
    sender: dict[str, Any] = next(what["from"] for what in update.values() if isinstance(what, dict))
    return sender
