"""Calls the Bot API through python-telegram-bot, over our own connections.

The library builds requests and knows the API; its connection is replaced by ours, which tells failures apart as for every provider.
Must not try again, and must keep the library from logging what it sends and receives.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputFile, KeyboardButton, LinkPreviewOptions, ReplyKeyboardMarkup
from telegram.error import InvalidToken, TelegramError
from telegram.request import BaseRequest, RequestData

from channels.http import RETRY_AFTER_MAX_S, Http, HttpAnswer, refusal
from core.model.inbound import Media
from core.model.outbound import Choice, Reply, SendError, SendErrorCode

T = TypeVar("T")
WANTED = ("message", "edited_message", "callback_query", "my_chat_member")
WEBHOOK_IS_SET = "the bot has a webhook, so its updates go there"
_SHORT_LABEL_CHARS = 12
_POLL_S = 25  # how long Telegram holds a call for updates; boxes on the way cut longer ones
_POLLED_MAX = 50
_POLLED_BYTES_MAX = 8_388_608
_PHOTO_BYTES_MAX = 10_000_000
_SHOWN_AS = {
    "image/jpeg": "image",
    "image/png": "image",
    "image/webp": "image",
    "audio/mpeg": "audio",
    "audio/mp4": "audio",
    "video/mp4": "video",
}
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)  # else Telegram opens every link, even one that works only once
# What a refusal says, in lower case, where it means more than its status.
_REFUSALS: Mapping[str, SendErrorCode] = {
    "bot was blocked by the user": SendErrorCode.OPTED_OUT,
    "user is deactivated": SendErrorCode.BAD_ADDRESS,
    "bot can't initiate conversation": SendErrorCode.BAD_ADDRESS,
    "bot can't send messages to": SendErrorCode.BAD_ADDRESS,
    "chat not found": SendErrorCode.BAD_ADDRESS,
    "user not found": SendErrorCode.BAD_ADDRESS,
    "peer_id_invalid": SendErrorCode.BAD_ADDRESS,
    "message is too long": SendErrorCode.TOO_LONG,
    "caption is too long": SendErrorCode.TOO_LONG,
    "file is too big": SendErrorCode.TOO_LONG,
}


class TelegramBot:
    """One bot at one API; raises ValueError for a token that cannot be."""

    def __init__(self, token: str, api_base: str, timeout_s: float) -> None:
        logging.getLogger("telegram").setLevel(logging.WARNING)  # below that it writes what people say
        self._http = Http(timeout_s=timeout_s)
        self._polling = Http(timeout_s=_POLL_S + timeout_s, connections=1, answer_bytes_max=_POLLED_BYTES_MAX)
        connection = _Connection(self._http)
        try:
            base = api_base.rstrip("/")
            self._bot = Bot(
                token, base_url=f"{base}/bot", base_file_url=f"{base}/file/bot", request=connection, get_updates_request=connection
            )
        except InvalidToken:
            raise ValueError("bot_token is no token") from None

    async def send(self, chat: str, reply: Reply) -> str:
        """Send a reply once and return the id of the message; raises `SendError`."""
        buttons = _contact_key(reply.asks_number) if reply.asks_number else _keyboard(reply.choices)
        media = reply.media[0] if reply.media else None
        try:
            if media is None:
                sent = await self._bot.send_message(
                    chat, reply.text, reply_markup=buttons, link_preview_options=_NO_PREVIEW, protect_content=reply.sensitive
                )
            else:
                caption = reply.text or None
                file = InputFile(media.content, media.name or media.kind) if media.content else media.url
                match _shown_as(media):
                    case "image":
                        sent = await self._bot.send_photo(chat, file, caption, reply_markup=buttons)
                    case "audio":
                        sent = await self._bot.send_audio(chat, file, caption=caption, reply_markup=buttons)
                    case "video":
                        sent = await self._bot.send_video(chat, file, caption=caption, reply_markup=buttons)
                    case _:
                        sent = await self._bot.send_document(chat, file, caption, reply_markup=buttons)
        except _Refused as refused:
            raise refused.error from None
        except (TelegramError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError):
            raise _unreadable() from None  # what the library makes of an unreadable answer
        if type(sent.message_id) is not int:
            raise _unreadable()
        return str(sent.message_id)

    async def answer(self, query_id: str) -> None:
        """Tell Telegram that a pressed button was heard; raises `SendError`."""
        await self._asked(self._bot.answer_callback_query(query_id))

    async def updates(self, offset: int) -> Sequence[Mapping[str, Any]]:
        """Return the updates from number `offset` on, or wait for the first; this confirms those before it. Raises `SendError`."""
        form = {"offset": offset, "limit": _POLLED_MAX, "timeout": _POLL_S, "allowed_updates": json.dumps(WANTED)}
        answer = await self._polling.post(f"{self._bot.base_url}/getUpdates", form=form)
        if answer.status != 200:
            raise _refused(answer)
        found = answer.json_object().get("result")
        if not isinstance(found, list) or not all(isinstance(update, dict) for update in found):
            raise _unreadable()
        return found

    async def set_webhook(self, url: str, secret: str) -> None:
        """Have updates delivered to `url`, with the secret in a header; raises `SendError`."""
        await self._asked(self._bot.set_webhook(url, secret_token=secret, allowed_updates=WANTED))

    async def delete_webhook(self) -> None:
        """Have updates wait until they are asked for; raises `SendError`."""
        await self._asked(self._bot.delete_webhook())

    async def webhook(self) -> Mapping[str, Any]:
        """Return what Telegram says of the webhook, in its own words; raises `SendError`."""
        info: dict[str, Any] = (await self._asked(self._bot.get_webhook_info())).to_dict()
        return info

    async def file_address(self, file_id: str) -> str:
        """Return where a file lies for the next hour; the address holds the bot's token. Raises `SendError`."""
        path = (await self._asked(self._bot.get_file(file_id))).file_path
        if not path:
            raise _unreadable()
        return quote(path, safe="/:%")

    async def close(self) -> None:
        """End the connections to Telegram; a later call opens new ones."""
        await self._http.close()
        await self._polling.close()

    async def _asked(self, call: Awaitable[T]) -> T:
        try:
            return await call
        except _Refused as refused:
            raise refused.error from None
        except (TelegramError, TypeError, ValueError, LookupError):
            raise _unreadable() from None


class _Refused(TelegramError):
    """Carries our error through the library, which hands on its own errors only."""

    def __init__(self, error: SendError) -> None:
        super().__init__(str(error.code))
        self.error = error


class _Connection(BaseRequest):
    """What the library calls to reach Telegram."""

    def __init__(self, http: Http) -> None:
        self._http = http

    @property
    def read_timeout(self) -> float | None:
        """Return nothing: limits are the connection's."""
        return None

    async def initialize(self) -> None:
        """Do nothing: connections are opened on first use."""

    async def shutdown(self) -> None:
        """End the connections."""
        await self._http.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        *_timeouts: Any,
        **_named_timeouts: Any,
    ) -> tuple[int, bytes]:
        """POST the library's request as a form; raises `_Refused` for any answer but a 2xx."""
        del method  # every method of the API may be called by POST
        form = request_data.json_parameters if request_data else {}
        files = request_data.multipart_data if request_data else {}
        try:
            answer = await self._http.post(url, form=form, files=files)
        except SendError as error:
            raise _Refused(error) from None
        if not 200 <= answer.status < 300:
            raise _Refused(_refused(answer))
        return answer.status, answer.body

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        """Return the JSON object of an answer; raises `_Refused`."""
        try:
            document = json.loads(payload)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict) or document.get("ok") is not True:
            raise _Refused(_unreadable())
        return document


def _shown_as(media: Media) -> str:
    """Return as what Telegram shows an attachment; a content that it does not take as such is handed over as a file."""
    if not media.content:
        return media.kind
    shown = _SHOWN_AS.get(media.content_type, "document")
    return "document" if shown == "image" and len(media.content) > _PHOTO_BYTES_MAX else shown


def _keyboard(choices: tuple[Choice, ...]) -> InlineKeyboardMarkup | None:
    """Return buttons, two in a row where their labels are short."""
    if not choices:
        return None
    buttons = [InlineKeyboardButton(choice.label, callback_data=choice.token) for choice in choices]
    width = 2 if all(len(choice.label) <= _SHORT_LABEL_CHARS for choice in choices) else 1
    return InlineKeyboardMarkup([buttons[start : start + width] for start in range(0, len(buttons), width)])


def _contact_key(label: str) -> ReplyKeyboardMarkup:
    """Return a key below the talk that shares the person's own number, until it is used."""
    return ReplyKeyboardMarkup([[KeyboardButton(label, request_contact=True)]], resize_keyboard=True, one_time_keyboard=True)


def _refused(answer: HttpAnswer) -> SendError:
    """Return the error for what Telegram says, else for the status."""
    document = answer.json_object()
    said = document.get("description")
    words = said.lower() if isinstance(said, str) else ""
    if answer.status == 429:
        error = refusal(answer)
        parameters = document.get("parameters")
        wish = parameters.get("retry_after") if isinstance(parameters, dict) else None
        if type(wish) is int and wish >= 0:
            error.retry_after_s = min(float(wish), RETRY_AFTER_MAX_S)
        return error
    if answer.status in {400, 403}:
        code = next((code for part, code in _REFUSALS.items() if part in words), None)
        if code is not None:
            return SendError(code, retryable=False, provider_code=str(answer.status), detail=f"HTTP {answer.status}")
        if answer.status == 403 and words:
            return SendError(SendErrorCode.REFUSED, retryable=False, provider_code="403", detail="HTTP 403")
    if answer.status == 409 and words:
        detail = WEBHOOK_IS_SET if "webhook" in words else "another program asks for the updates of this bot"
        return SendError(SendErrorCode.REFUSED, retryable=True, ours=True, provider_code="409", detail=detail)
    if answer.status == 404 and words:  # the address holds the token, so no such address is no such bot
        return SendError(SendErrorCode.BAD_CREDENTIALS, retryable=False, ours=True, provider_code="404", detail="HTTP 404")
    return refusal(answer)


def _unreadable() -> SendError:
    return SendError(SendErrorCode.UNREADABLE_ANSWER, retryable=True, unknown=True, detail="2xx without the message in it")
