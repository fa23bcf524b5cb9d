"""What an update of the Bot API means: a message, a pressed button, a bot that was blocked, or nothing that concerns us.

Reads the JSON itself, since the library asks for members that older and recorded updates do not have. Must not need a bot or its token.
"""

from __future__ import annotations

import re

from channels import frames, telegram_contents, texts
from channels.telegram_contents import Json, cleaned, name_of, object_of, text_of, whole_of
from core.model.address import Address, AddressKind
from core.model.inbound import ContactSignal, Ignored, InboundEvent, InboundMessage, Session, UnreadableRequest

_BOT = Address(AddressKind.TELEGRAM, "bot")  # an update does not say which bot it is for; the webhook's address does
_TOKEN_BYTES_MAX = 64
_QUERY_CHARS_MAX = 100
_CONSENT = {"kicked": "opted_out", "member": "opted_in"}  # in private: the person blocked the bot, or let it speak again
_START = re.compile(r"/start(?:@[A-Za-z0-9_]+)?(?:\s|$)")


def read(update: Json) -> InboundEvent:
    """Return the event of an update; raises `UnreadableRequest`."""
    number = whole_of(update, "update_id")
    if number is None:
        raise UnreadableRequest("bad_update", "update_id")
    external_id = str(number)
    query = object_of(update, "callback_query")
    if query is not None:
        return _pressed(external_id, query)
    change = object_of(update, "my_chat_member")
    if change is not None:
        return _consent(external_id, change)
    for name in ("message", "edited_message"):
        message = object_of(update, name)
        if message is not None:
            return _said(external_id, message, edited=name == "edited_message")
    return Ignored("other_update")


def pressed_in(body: bytes) -> str:
    """Return the id with which a pressed button wants to be answered; empty for an update without one, and for what is none."""
    if b'"callback_query"' not in body:
        return ""
    try:
        return text_of(object_of(frames.read_object(body), "callback_query") or {}, "id")[:_QUERY_CHARS_MAX]
    except UnreadableRequest:
        return ""


def _said(external_id: str, message: Json, *, edited: bool) -> InboundEvent:
    chat = object_of(message, "chat")
    if chat is None or not _is_private(chat):
        return Ignored("not_private")
    person = object_of(message, "from") or chat
    if person.get("is_bot") is True:
        return Ignored("not_a_person")
    if edited and "location" in message:
        return Ignored("live_location")
    media, words = tuple(telegram_contents.media(message, person)), telegram_contents.said(message)
    if words is None and not media:
        return Ignored("no_content")
    text = words or ""
    name = str(whole_of(message, "message_id") or "") or None
    at = whole_of(message, "edit_date" if "edit_date" in message else "date")
    return InboundMessage(
        external_id=external_id,
        sender=_address(person),
        recipient=_BOT,
        text=text,
        media=media,
        session=Session.NEW if _START.match(text) else Session.NONE,
        sent_at=None if at is None else at * 1000,
        profile_name=name_of(person),
        language_hint=text_of(person, "language_code")[:20] or None,
        edits=name if edited else None,
        edit_key=name,
    )


def _pressed(external_id: str, query: Json) -> InboundEvent:
    message = object_of(query, "message") or {}
    chat = object_of(message, "chat")
    if chat is not None and not _is_private(chat):
        return Ignored("not_private")
    if "data" not in query:
        return Ignored("no_content")
    token = text_of(query, "data")
    if not 1 <= len(token.encode("utf-8", "replace")) <= _TOKEN_BYTES_MAX:
        raise UnreadableRequest("bad_token")
    person = object_of(query, "from") or {}
    return InboundMessage(
        external_id=external_id,
        sender=_address(person),
        recipient=_BOT,
        text=_label(message, token),
        choice=texts.clean(token),
        profile_name=name_of(person),
        language_hint=text_of(person, "language_code")[:20] or None,
    )


def _consent(external_id: str, change: Json) -> InboundEvent:
    chat = object_of(change, "chat")
    if chat is None or not _is_private(chat):
        return Ignored("not_private")
    signal = _CONSENT.get(text_of(object_of(change, "new_chat_member") or {}, "status"))
    if signal is None:
        return Ignored("other_update")
    return ContactSignal(external_id=external_id, sender=_address(object_of(change, "from") or chat), recipient=_BOT, signal=signal)


def _is_private(chat: Json) -> bool:
    """Tell whether a chat is with one person. Groups and channels have negative ids, if the kind is missing."""
    kind = text_of(chat, "type")
    return kind == "private" if kind else (whole_of(chat, "id") or 0) > 0


def _label(message: Json, token: str) -> str:
    """Return the words on the button that was pressed, as far as Telegram still shows them."""
    rows = (object_of(message, "reply_markup") or {}).get("inline_keyboard")
    for row in rows if isinstance(rows, list) else ():
        for button in row if isinstance(row, list) else ():
            if isinstance(button, dict) and button.get("callback_data") == token:
                return cleaned(text_of(button, "text"))
    return ""


def _address(person: Json) -> Address:
    number = whole_of(person, "id")
    if number is None or number <= 0:
        raise UnreadableRequest("bad_update", "from")
    return Address(AddressKind.TELEGRAM, str(number))
