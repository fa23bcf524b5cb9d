"""What a message of Telegram carries: the words that its sender chose, and files, places and contacts beside them.

Reads the JSON itself, as `telegram_updates` does. Must not decide whether a message counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from channels import numbers, texts
from channels.frames import objects
from core.model.inbound import Media, UnreadableRequest

Json = Mapping[str, Any]
_NAME_CHARS_MAX = 100
_FILE_ID_CHARS_MAX = 300
_PIECES_MAX = 10_000  # of a formatted text, which holds pieces within pieces
_FILES: Mapping[str, tuple[str, str]] = {  # member of a message: our kind, and its type where the update gives none
    "animation": ("video", "video/mp4"),
    "document": ("document", ""),
    "voice": ("audio", "audio/ogg"),
    "audio": ("audio", ""),
    "video": ("video", "video/mp4"),
    "video_note": ("video", "video/mp4"),
    "live_photo": ("video", "video/mp4"),
}
_TWICE = {"document": "animation", "live_photo": "photo"}  # what also comes under a second name, which older programs know
_WITHIN = ("text", "expression", "alternative_text", "summary")  # where a piece of formatted text has its words
_BELOW = ("cells", "items", "blocks")  # and the pieces that stand on lines of their own


def said(message: Json) -> str | None:
    """Return the words of a message as its sender would call them, None for one that has none; raises `UnreadableRequest`."""
    for name in ("text", "caption"):
        if message.get(name) is not None:
            return texts.clean(text_of(message, name))
    rolled, asked = object_of(message, "dice"), object_of(message, "poll")
    listed, sent_by_app = object_of(message, "checklist"), object_of(message, "web_app_data")
    if rolled is not None:  # somebody who sends one of a few emoji alone sends this
        words = [text_of(rolled, "emoji")]
    elif asked is not None:
        words = [text_of(asked, "question"), *(text_of(option, "text") for option in objects(asked, "options"))]
    elif listed is not None:
        words = [text_of(listed, "title"), *(text_of(task, "text") for task in objects(listed, "tasks"))]
    elif sent_by_app is not None:
        words = [text_of(sent_by_app, "data")]
    else:
        words = _rich(object_of(message, "rich_message") or {})
    return texts.clean("\n".join(word for word in words if word)) or None


def _rich(message: Json) -> list[str]:
    """Return the lines of a formatted message, whose pieces are texts, lists of pieces, and objects that hold pieces."""
    letters: list[str] = []
    waiting: list[object] = [message]
    for _ in range(_PIECES_MAX):
        if not waiting:
            break
        piece = waiting.pop()
        if isinstance(piece, str):
            letters.append(piece)
        elif isinstance(piece, list):
            waiting += piece[::-1]
        elif isinstance(piece, dict):
            rows: list[object] = next((piece[name] for name in _BELOW if isinstance(piece.get(name), list)), [])
            cells = [cell for row in rows for cell in (row if isinstance(row, list) else [row])]
            waiting += [one for cell in reversed(cells) for one in (cell, "\n")]
            waiting += [piece.get(name) for name in reversed(_WITHIN)]
    return [line.strip() for line in "".join(letters).split("\n")]


def media(message: Json, person: Json) -> Iterator[Media]:
    """Yield what a message carries beside its text. Files stay at Telegram, under their `file_id`, until a job with limits fetches them."""
    yield from _files(message)
    for piece in objects(object_of(message, "paid_media") or {}, "paid_media"):
        yield from _files(piece)
    contact = object_of(message, "contact")
    if contact is not None:
        yield _contact(contact, person, forwarded=any(name.startswith("forward_") for name in message))
    venue = object_of(message, "venue") or {}
    place = object_of(message, "location") or object_of(venue, "location")
    if place is not None:
        named = {"label": cleaned(text_of(venue, "title")), "address": cleaned(text_of(venue, "address"))}
        values = {"latitude": _degrees(place, "latitude", 90), "longitude": _degrees(place, "longitude", 180)}
        yield Media("location", values=values | {name: value for name, value in named.items() if value})


def _files(message: Json) -> Iterator[Media]:
    sizes = objects(message, "photo")
    if sizes:
        largest = max(sizes, key=lambda size: (whole_of(size, "width") or 0) * (whole_of(size, "height") or 0))
        yield _file("image", largest, "image/jpeg")
    for name, (kind, usual) in _FILES.items():
        file = object_of(message, name) if name in message else None  # most messages are text alone
        if file is not None and _TWICE.get(name) not in message:
            yield _file(kind, file, usual)
    sticker = object_of(message, "sticker")
    if sticker is not None and sticker.get("is_video"):
        yield _file("video", sticker, "video/webm")
    elif sticker is not None:
        yield _file("image", sticker, "application/x-tgsticker" if sticker.get("is_animated") else "image/webp")


def _file(kind: str, file: Json, usual: str) -> Media:
    file_id = text_of(file, "file_id")
    if not 1 <= len(file_id) <= _FILE_ID_CHARS_MAX:
        raise UnreadableRequest("bad_update", "file_id")
    size = whole_of(file, "file_size")
    values = {"file_id": file_id, "file_size": "" if size is None else str(size), "file_name": cleaned(text_of(file, "file_name"))}
    content_type = (text_of(file, "mime_type") or usual).lower()[:100]
    return Media(kind, content_type=content_type, values={name: value for name, value in values.items() if value})


def _contact(contact: Json, person: Json, *, forwarded: bool) -> Media:
    """Return a shared contact. `own` stands in it only where Telegram itself says that the number is the sender's."""
    number = numbers.msisdn("+" + text_of(contact, "phone_number").lstrip("+"), "")
    values = {"name": name_of(contact) or "", "phone": cleaned(text_of(contact, "phone_number"))}  # of others' it may be national
    if number is not None:
        values["phone"] = number.value
        theirs = whole_of(contact, "user_id")
        if theirs is not None and theirs == whole_of(person, "id") and not forwarded:
            values["own"] = "yes"
    return Media("contact", values=values)


def name_of(person: Json) -> str | None:
    """Return how somebody calls themself, None for no name."""
    return cleaned(f"{text_of(person, 'first_name')} {text_of(person, 'last_name')}") or None


def cleaned(text: str) -> str:
    """Return a short text of Telegram's as it may be shown."""
    return texts.clean(text).strip()[:_NAME_CHARS_MAX]


def object_of(node: Json, name: str) -> Json | None:
    """Return a member that is an object, None where there is none; raises `UnreadableRequest` for anything else."""
    value = node.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise UnreadableRequest("bad_update", name)


def text_of(node: Json, name: str) -> str:
    """Return a member that is text, empty where there is none; raises `UnreadableRequest` for anything else."""
    value = node.get(name)
    if value is None or isinstance(value, str):
        return value or ""
    raise UnreadableRequest("bad_update", name)


def whole_of(node: Json, name: str) -> int | None:
    """Return a member that is a whole number, None where there is none; raises `UnreadableRequest` for anything else."""
    value = node.get(name)
    if value is None or (type(value) is int and abs(value) < 2**53):
        return value
    raise UnreadableRequest("bad_update", name)


def _degrees(place: Json, name: str, most: int) -> str:
    value = place.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= most:
        raise UnreadableRequest("bad_update", name)
    return f"{value:.6f}"
