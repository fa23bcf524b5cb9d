"""What an update of the Bot API means: a message, a pressed button, a bot that was blocked, or nothing that concerns us.

Reads the JSON itself, since the library asks for members that older and recorded updates do not have. Must not need a bot or its token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from channels import frames, numbers, texts
from core.model.address import Address, AddressKind
from core.model.inbound import ContactSignal, Ignored, InboundEvent, InboundMessage, Media, Session, UnreadableRequest

_BOT = Address(AddressKind.TELEGRAM, "bot")  # an update does not say which bot it is for; the webhook's address does
_TOKEN_BYTES_MAX = 64
_NAME_CHARS_MAX = 100
_FILE_ID_CHARS_MAX = 300
_QUERY_CHARS_MAX = 100
_CONSENT = {"kicked": "opted_out", "member": "opted_in"}  # in private: the person blocked the bot, or let it speak again
_FILES: Mapping[str, tuple[str, str]] = {  # member of a message: our kind, and its type where the update gives none
    "animation": ("video", "video/mp4"),
    "document": ("document", ""),
    "voice": ("audio", "audio/ogg"),
    "audio": ("audio", ""),
    "video": ("video", "video/mp4"),
    "video_note": ("video", "video/mp4"),
    "sticker": ("image", "image/webp"),
}
_START = re.compile(r"/start(?:@[A-Za-z0-9_]+)?(?:\s|$)")
_Json = Mapping[str, Any]


def read(update: _Json) -> InboundEvent:
    """Return the event of an update; raises `UnreadableRequest`."""
    number = _whole(update, "update_id")
    if number is None:
        raise UnreadableRequest("bad_update", "update_id")
    external_id = str(number)
    query = _object(update, "callback_query")
    if query is not None:
        return _pressed(external_id, query)
    change = _object(update, "my_chat_member")
    if change is not None:
        return _consent(external_id, change)
    for name in ("message", "edited_message"):
        message = _object(update, name)
        if message is not None:
            return _said(external_id, message, edited=name == "edited_message")
    return Ignored("other_update")


def pressed_in(body: bytes) -> str:
    """Return the id with which a pressed button wants to be answered; empty for an update without one, and for what is none."""
    if b'"callback_query"' not in body:
        return ""
    try:
        return _text(_object(frames.read_object(body), "callback_query") or {}, "id")[:_QUERY_CHARS_MAX]
    except UnreadableRequest:
        return ""


def _said(external_id: str, message: _Json, *, edited: bool) -> InboundEvent:
    chat = _object(message, "chat")
    if chat is None or not _is_private(chat):
        return Ignored("not_private")
    person = _object(message, "from") or chat
    if person.get("is_bot") is True:
        return Ignored("not_a_person")
    if edited and "location" in message:
        return Ignored("live_location")
    media = tuple(_media(message, person))
    said = next((name for name in ("text", "caption") if message.get(name) is not None), "")
    if not said and not media:
        return Ignored("no_content")
    text = texts.clean(_text(message, said)) if said else ""
    name = str(_whole(message, "message_id") or "") or None
    at = _whole(message, "edit_date" if "edit_date" in message else "date")
    return InboundMessage(
        external_id=external_id,
        sender=_address(person),
        recipient=_BOT,
        text=text,
        media=media,
        session=Session.NEW if _START.match(text) else Session.NONE,
        sent_at=None if at is None else at * 1000,
        profile_name=_name(person),
        language_hint=_text(person, "language_code")[:20] or None,
        edits=name if edited else None,
        edit_key=name,
    )


def _pressed(external_id: str, query: _Json) -> InboundEvent:
    message = _object(query, "message") or {}
    chat = _object(message, "chat")
    if chat is not None and not _is_private(chat):
        return Ignored("not_private")
    if "data" not in query:
        return Ignored("no_content")
    token = _text(query, "data")
    if not 1 <= len(token.encode("utf-8", "replace")) <= _TOKEN_BYTES_MAX:
        raise UnreadableRequest("bad_token")
    person = _object(query, "from") or {}
    return InboundMessage(
        external_id=external_id,
        sender=_address(person),
        recipient=_BOT,
        text=_label(message, token),
        choice=texts.clean(token),
        profile_name=_name(person),
        language_hint=_text(person, "language_code")[:20] or None,
    )


def _consent(external_id: str, change: _Json) -> InboundEvent:
    chat = _object(change, "chat")
    if chat is None or not _is_private(chat):
        return Ignored("not_private")
    signal = _CONSENT.get(_text(_object(change, "new_chat_member") or {}, "status"))
    if signal is None:
        return Ignored("other_update")
    return ContactSignal(external_id=external_id, sender=_address(_object(change, "from") or chat), recipient=_BOT, signal=signal)


def _is_private(chat: _Json) -> bool:
    """Tell whether a chat is with one person. Groups and channels have negative ids, if the kind is missing."""
    kind = _text(chat, "type")
    return kind == "private" if kind else (_whole(chat, "id") or 0) > 0


def _media(message: _Json, person: _Json) -> Iterator[Media]:
    """Yield what a message carries beside its text. Files stay at Telegram, under their `file_id`, until a job with limits fetches them."""
    sizes = message.get("photo")
    if isinstance(sizes, list) and sizes and all(isinstance(size, dict) for size in sizes):
        largest = max(sizes, key=lambda size: (_whole(size, "width") or 0) * (_whole(size, "height") or 0))
        yield _file("image", largest, "image/jpeg")
    for name, (kind, usual) in _FILES.items():
        file = _object(message, name)
        if file is not None and not (name == "document" and "animation" in message):  # an animation comes as both
            yield _file(kind, file, usual)
    contact = _object(message, "contact")
    if contact is not None:
        yield _contact(contact, person, forwarded=any(name.startswith("forward_") for name in message))
    place = _object(message, "location")
    if place is not None:
        venue = _object(message, "venue") or {}
        named = {"label": _cleaned(_text(venue, "title")), "address": _cleaned(_text(venue, "address"))}
        values = {"latitude": _degrees(place, "latitude", 90), "longitude": _degrees(place, "longitude", 180)}
        yield Media("location", values=values | {name: value for name, value in named.items() if value})


def _file(kind: str, file: _Json, usual: str) -> Media:
    file_id = _text(file, "file_id")
    if not 1 <= len(file_id) <= _FILE_ID_CHARS_MAX:
        raise UnreadableRequest("bad_update", "file_id")
    size = _whole(file, "file_size")
    values = {"file_id": file_id, "file_size": "" if size is None else str(size), "file_name": _cleaned(_text(file, "file_name"))}
    content_type = (_text(file, "mime_type") or usual).lower()[:100]
    return Media(kind, content_type=content_type, values={name: value for name, value in values.items() if value})


def _contact(contact: _Json, person: _Json, *, forwarded: bool) -> Media:
    """Return a shared contact. `own` stands in it only where Telegram itself says that the number is the sender's."""
    number = numbers.msisdn("+" + _text(contact, "phone_number").lstrip("+"), "")
    values = {"name": _name(contact) or ""}
    if number is not None:
        values["phone"] = number.value
        theirs = _whole(contact, "user_id")
        if theirs is not None and theirs == _whole(person, "id") and not forwarded:
            values["own"] = "yes"
    return Media("contact", values=values)


def _label(message: _Json, token: str) -> str:
    """Return the words on the button that was pressed, as far as Telegram still shows them."""
    rows = (_object(message, "reply_markup") or {}).get("inline_keyboard")
    for row in rows if isinstance(rows, list) else ():
        for button in row if isinstance(row, list) else ():
            if isinstance(button, dict) and button.get("callback_data") == token:
                return _cleaned(_text(button, "text"))
    return ""


def _address(person: _Json) -> Address:
    number = _whole(person, "id")
    if number is None or number <= 0:
        raise UnreadableRequest("bad_update", "from")
    return Address(AddressKind.TELEGRAM, str(number))


def _name(person: _Json) -> str | None:
    return _cleaned(f"{_text(person, 'first_name')} {_text(person, 'last_name')}") or None


def _cleaned(text: str) -> str:
    return texts.clean(text).strip()[:_NAME_CHARS_MAX]


def _object(node: _Json, name: str) -> _Json | None:
    value = node.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise UnreadableRequest("bad_update", name)


def _text(node: _Json, name: str) -> str:
    value = node.get(name)
    if value is None or isinstance(value, str):
        return value or ""
    raise UnreadableRequest("bad_update", name)


def _whole(node: _Json, name: str) -> int | None:
    value = node.get(name)
    if value is None or (type(value) is int and abs(value) < 2**53):
        return value
    raise UnreadableRequest("bad_update", name)


def _degrees(place: _Json, name: str, most: int) -> str:
    value = place.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= most:
        raise UnreadableRequest("bad_update", name)
    return f"{value:.6f}"
