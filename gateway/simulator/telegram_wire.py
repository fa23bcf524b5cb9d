"""Telegram's side of the wire as plain values: what the Bot API takes and refuses, and the updates that it delivers.

Stricter than the real one, which overlooks fields that it does not know. Must not send anything or hold state; that is
`gateway.simulator.telegram`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

TEXT_CHARS_MAX = 4_096
CAPTION_CHARS_MAX = 1_024
CALLBACK_BYTES_MAX = 64
BUTTONS_MAX = 100
ROW_MAX = 8
UPDATES = frozenset({"message", "edited_message", "callback_query", "my_chat_member", "channel_post", "inline_query"})
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_BUTTON_DOES = ("callback_data", "url")

Fields = Mapping[str, Any]


class Refusal(Exception):
    """An answer of the API that is an error: its code, which is also the HTTP status, and its sentence."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.parameters = parameters

    def document(self) -> dict[str, Any]:
        """Return the error as the API writes it."""
        document: dict[str, Any] = {"ok": False, "error_code": self.code, "description": str(self)}
        return document | ({"parameters": self.parameters} if self.parameters else {})


def checked(method: str, fields: Fields) -> dict[str, Any]:
    """Return the fields of a call with the types that the API gives them; raises `Refusal` for what Telegram would not take."""
    known = METHODS.get(method)
    if known is None:
        raise Refusal(404, "Not Found: method not found")
    strange = sorted(set(fields) - set(known))
    if strange:
        raise Refusal(400, f"Bad Request: unknown field {strange[0]}")
    return {name: read(fields.get(name)) for name, read in known.items() if name in fields or read in _NEEDED}


async def fields_of(request: web.Request, keep: Callable[[bytes, str], str]) -> dict[str, Any]:
    """Return the fields of a call, which may come in its query, as a form or as JSON; a file is kept, and its field is its id."""
    if request.content_type == "application/json":
        return {**request.query, **json_object(await request.text())}
    sent = {
        name: keep(value.file.read(), f"files/{value.filename}") if isinstance(value, web.FileField) else value
        for name, value in (await request.post()).items()
    }
    return {**request.query, **sent}


def json_object(text: str) -> dict[str, Any]:
    """Return the JSON object in a text, empty if there is none."""
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def chat_member(chat: Fields, person: Fields, at: int, status: str) -> dict[str, Any]:
    """Return the update of a person who blocks the bot (`kicked`) or lets it back (`member`)."""
    before = "member" if status == "kicked" else "kicked"
    bot = {"id": 1, "is_bot": True, "first_name": "Bot"}
    old, new = ({"user": bot, "status": name, "until_date": 0} for name in (before, status))
    return {"my_chat_member": {"chat": chat, "from": person, "date": at, "old_chat_member": old, "new_chat_member": new}}


def _bad(sentence: str) -> Refusal:
    return Refusal(400, f"Bad Request: {sentence}")


def _chat(value: Any) -> int:
    if not re.fullmatch(r"-?[0-9]{1,16}", str(value)):
        raise _bad("chat not found")
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _bad("message text is empty")
    if len(value) > TEXT_CHARS_MAX:
        raise _bad("message is too long")
    return value


def _caption(value: Any) -> str:
    if not isinstance(value, str) or len(value) > CAPTION_CHARS_MAX:
        raise _bad("message caption is too long")
    return value


def _file(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"https?://\S+|[A-Za-z0-9_-]{1,300}", value):
        raise _bad("wrong remote file identifier specified")
    return value


def _flag(value: Any) -> bool:
    word = str(value).lower()
    if word in {"true", "1", "false", "0"}:
        return word in {"true", "1"}
    raise _bad("can't parse a field as Boolean")


def _whole(value: Any) -> int:
    if not re.fullmatch(r"-?[0-9]{1,15}", str(value)):
        raise _bad("can't parse a field as Integer")
    return int(value)


def _json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise _bad("can't parse a field as JSON") from None


def _preview(value: Any) -> dict[str, Any]:
    options = _json(value)
    if not isinstance(options, dict) or not set(options) <= {"is_disabled"}:
        raise _bad("can't parse link preview options")
    return options


def _parse_mode(value: Any) -> str:
    raise _bad(f"this bot sends texts as they are, without parse_mode {value}")


def _markup(value: Any) -> dict[str, Any]:
    markup = _json(value)
    match markup:
        case {"inline_keyboard": [*rows], **rest} if not rest:
            return {"inline_keyboard": _rows(rows, _inline_button)}
        case {"keyboard": [*rows], **rest} if set(rest) <= {"resize_keyboard", "one_time_keyboard", "is_persistent"}:
            return {"keyboard": _rows(rows, _key)}
        case {"remove_keyboard": True, **rest} if not rest:
            return {"remove_keyboard": True}
    raise _bad("object expected as reply markup")


def _rows(rows: list[Any], button: Callable[[Any], dict[str, Any]]) -> list[list[dict[str, Any]]]:
    if not all(isinstance(row, list) and 1 <= len(row) <= ROW_MAX for row in rows) or sum(map(len, rows)) > BUTTONS_MAX:
        raise _bad("reply markup is too long")
    return [[button(one) for one in row] for row in rows]


def _inline_button(button: Any) -> dict[str, Any]:
    if not isinstance(button, dict) or not isinstance(button.get("text"), str) or not button["text"].strip():
        raise _bad("can't parse inline keyboard button: field text must be non-empty")
    does = [name for name in _BUTTON_DOES if name in button]
    if len(does) != 1 or set(button) != {"text", does[0]}:
        raise _bad("text buttons are unallowed in the inline keyboard")
    value = button[does[0]]
    if not isinstance(value, str) or (does[0] == "callback_data" and not 1 <= len(value.encode()) <= CALLBACK_BYTES_MAX):
        raise _bad("BUTTON_DATA_INVALID")
    return button


def _key(button: Any) -> dict[str, Any]:
    if isinstance(button, str):
        return {"text": button}
    if not isinstance(button, dict) or not isinstance(button.get("text"), str) or not button["text"]:
        raise _bad("can't parse keyboard button: field text must be non-empty")
    if not set(button) <= {"text", "request_contact", "request_location"}:
        raise _bad("can't parse keyboard button")
    return button


def _hook(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"https://\S+|http://(127\.0\.0\.1|localhost)[:/]\S+|", value):
        raise _bad("bad webhook: An HTTPS URL must be provided for webhook")
    return value


def _secret(value: Any) -> str:
    if not isinstance(value, str) or not _SECRET.fullmatch(value):
        raise _bad("secret token contains unallowed characters")
    return value


def _updates(value: Any) -> list[str]:
    names = _json(value)
    if not isinstance(names, list) or not set(names) <= UPDATES:
        raise _bad("can't parse allowed updates")
    return names


def _query(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,30}", value):
        raise _bad("query is too old and response timeout expired or query ID is invalid")
    return value


def _toast(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 200:
        raise _bad("MESSAGE_TOO_LONG")
    return value


_NEEDED = {_chat, _text, _file, _hook, _query}
_SENT = {
    "chat_id": _chat,
    "reply_markup": _markup,
    "protect_content": _flag,
    "disable_notification": _flag,
    "parse_mode": _parse_mode,
}
METHODS: Mapping[str, Mapping[str, Callable[[Any], Any]]] = {
    "getMe": {},
    "sendMessage": {**_SENT, "text": _text, "link_preview_options": _preview},
    "sendPhoto": {**_SENT, "photo": _file, "caption": _caption},
    "sendAudio": {**_SENT, "audio": _file, "caption": _caption},
    "sendVideo": {**_SENT, "video": _file, "caption": _caption},
    "sendDocument": {**_SENT, "document": _file, "caption": _caption},
    "answerCallbackQuery": {"callback_query_id": _query, "text": _toast, "show_alert": _flag, "cache_time": _whole},
    "getFile": {"file_id": _file},
    "setWebhook": {
        "url": _hook,
        "secret_token": _secret,
        "allowed_updates": _updates,
        "max_connections": _whole,
        "drop_pending_updates": _flag,
    },
    "deleteWebhook": {"drop_pending_updates": _flag},
    "getWebhookInfo": {},
    "getUpdates": {"offset": _whole, "limit": _whole, "timeout": _whole, "allowed_updates": _updates},
}
