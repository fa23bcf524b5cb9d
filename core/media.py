"""Attachments as the record sees them: which have a content, when they are tried again, what is shown of them, and under which names.

Must not fetch, read or judge contents; that is done outside, and its result is told here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from core.model.ids import derive
from core.model.inbound import Media
from core.store import conversations
from core.store import media as rows
from core.store.api import Tx
from core.store.documents import decode, encode
from core.store.events import append
from core.store.media import Item

DELAYS_S = (5, 15, 60, 300, 900, 3_600)
LIFE_MS = 24 * 3_600_000
GONE_TRIES = 3  # a provider may announce a content a moment before it has it
NAME_CHARS_MAX = 120
NAME_READ_MAX = 2_000
OPAQUE = "application/octet-stream"
_WITH_CONTENT = frozenset({"image", "audio", "video", "document"})
_SHOWN = frozenset(
    {"image/jpeg", "image/png", "image/gif", "image/webp", "audio/ogg", "audio/mpeg", "audio/mp4", "audio/aac", "audio/wav"}
    | {"video/mp4", "video/webm", "video/3gpp"}
)
_STATE = 8  # of a row
_UNSAFE_IN_NAMES = frozenset('/\\:*?"<>|%;')


def record(tx: Tx, message_id: str, channel_id: str, media: Sequence[Media], at: int) -> bool:
    """Note the attachments of a message that have a content, or should get one; tells whether there is something to fetch."""
    noted = [_row(message_id, channel_id, position, item, at) for position, item in enumerate(media) if item.kind in _WITH_CONTENT]
    if noted:
        rows.insert(tx, noted)
    return any(row[_STATE] == "waiting" for row in noted)


def _row(message_id: str, channel_id: str, position: int, item: Media, at: int) -> tuple[object, ...]:
    """Return a row. Whoever stored the content says so in `values`: `digest` and `size`, or `refused` with a code."""
    values = dict(item.values)
    digest, size, refused = values.pop("digest", None), values.pop("size", None), values.pop("refused", None)
    if digest is None and not item.url and not values:
        refused = refused or "empty"
    state = "refused" if refused else "stored" if digest else "waiting"
    name = clean_name(item.name or values.get("file_name", ""))
    source = "" if state != "waiting" else encode({"url": item.url, "values": values})
    return (
        derive(message_id, f"media:{position}"), message_id, channel_id, position, item.kind, name, item.content_type, source, state,
        refused, digest, int(size) if digest and size else None, at, at,
    )  # fmt: skip


def reference(item: Item) -> Media:
    """Return what an adapter said of an attachment that is to be fetched."""
    source = decode(item.source)
    return Media(item.kind, source["url"], item.content_type, name=item.name, values=source["values"])


def stored(tx: Tx, item: Item, *, content_type: str, digest: str, size: int, at: int) -> bool:
    """Record that the content of an attachment is there; False if that was known, or another tries by now."""
    return rows.settle(tx, item, content_type=content_type, digest=digest, size=size) and _announce(tx, item, "media.stored", at)


def failed(tx: Tx, item: Item, code: str, *, final: bool, at: int, retry_after_s: float | None, jitter: float) -> bool:
    """Record a try that failed; tells whether it was the last one. `jitter` is in 0..1."""
    final = final or (code == "gone" and item.attempts >= GONE_TRIES)
    delay_s = DELAYS_S[min(item.attempts, len(DELAYS_S)) - 1] * (0.5 + jitter / 2)
    due_at = at + int(max(delay_s, retry_after_s or 0.0) * 1000)
    if final or due_at > item.created_at + LIFE_MS:
        return rows.refuse(tx, item, code) and _announce(tx, item, "media.refused", at)
    rows.postpone(tx, item, code, due_at)
    return False


def _announce(tx: Tx, item: Item, kind: str, at: int) -> bool:
    conversation = conversations.load(tx, rows.conversation_of(tx, item.message_id))
    now = rows.find(tx, item.id)
    append(tx, conversation, kind, at, ref=item.message_id, body=None if now is None else document(now))
    conversations.save(tx, conversation)
    return True


def kind_of(content_type: str) -> str:
    """Return the kind of attachment that a content is."""
    kind = content_type.partition("/")[0]
    return kind if kind in _WITH_CONTENT else "document"


def shown_as(content_type: str) -> str:
    """Return how a content can be looked at: image, audio, video, or empty for one that is only saved."""
    return content_type.partition("/")[0] if content_type in _SHOWN else ""


def of_thread(message_id: str, media: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return those of a message's attachments whose content came with it, for the client that reads the thread itself."""
    return [
        {
            "id": derive(message_id, f"media:{position}"),
            "name": clean_name(one["name"]),
            "size": int(one["values"]["size"]),
            "shown": shown_as(one["content_type"]),
        }
        for position, one in enumerate(media)
        if "digest" in one["values"]
    ]


def document(item: Item) -> dict[str, Any]:
    """Return what people may know of an attachment: nothing of where it came from."""
    made: dict[str, Any] = {"id": item.id, "position": item.position, "kind": item.kind, "name": item.name, "state": item.state}
    if item.state == "stored":
        made |= {"content_type": item.content_type, "size": item.size, "shown": shown_as(item.content_type)}
    if item.code is not None:
        made["code"] = item.code
    return made


def documents(media: Sequence[Mapping[str, Any]], items: Sequence[Item]) -> list[dict[str, Any]]:
    """Return a message's attachments for the page, with what is known of those that have a content."""
    by_position = {item.position: document(item) for item in items}
    made = []
    for position, one in enumerate(media):
        shown = {"kind": one["kind"], "caption": one["caption"]} | by_position.get(position, {})
        if one["kind"] not in _WITH_CONTENT:
            shown["values"] = one["values"]
        made.append(shown)
    return made


def clean_name(name: str) -> str:
    """Return a file name that is only a name, on every system: no folders, no characters that hide or turn what is written."""
    plain = unicodedata.normalize("NFC", name[:NAME_READ_MAX])
    last = plain.replace("\\", "/").rpartition("/")[2]
    words = " ".join(last.split())  # lines and tabs become spaces; what else controls goes
    kept = "".join(char for char in words if unicodedata.category(char)[0] != "C" and char not in _UNSAFE_IN_NAMES).strip(". ")
    if len(kept) <= NAME_CHARS_MAX:
        return kept
    stem, dot, ending = kept.rpartition(".")
    if not dot or len(ending) > 10:
        return kept[:NAME_CHARS_MAX]
    return f"{stem[: NAME_CHARS_MAX - len(ending) - 1]}.{ending}"
