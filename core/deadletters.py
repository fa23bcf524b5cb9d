"""Dead letters: what failed for good and nobody has looked at yet, in one list, and what a person may do with it.

Every act is written down with who did it. Must not read a request again by itself: that needs an adapter.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass

from core import receipts
from core.model.inbound import DeliveryReport
from core.record import MASK, REPLY_LIFE_MS
from core.routing.refused import Refused
from core.store import conversations, dead_letters
from core.store.api import Row, Tx
from core.store.events import append

LISTED_MAX = 500
REASON_CHARS_MAX = 200
RAW_CHARS_MAX = 4_000
CONTENT_GONE = "content_gone"
_KINDS = {"m": "unsent", "r": "unreadable", "k": "kept", "d": "report"}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One of them. `kind` is unsent, unreadable, kept or report; `code` is why, `state` how it ended; times in ms UTC.

    `who` and `content` are personal data; `replayable` says whether it can be tried again, `editable` whether it can be corrected first.
    """

    id: str
    kind: str
    channel_id: str
    state: str
    code: str
    attempts: int
    first_at: int
    last_at: int
    who: str
    content: str
    replayable: bool
    editable: bool = False


def everyone(tx: Tx, now: int, limit: int = LISTED_MAX) -> list[DeadLetter]:
    """Return the dead letters, the newest first."""
    found = [_unsent(row) for row in dead_letters.unsent(tx, limit)]
    found += [_unread(row) for row in dead_letters.unread(tx, limit)]
    found += [_kept(row) for row in dead_letters.kept(tx, limit)]
    found += [_unjoined(row) for row in dead_letters.unjoined(tx, now, limit)]
    return sorted(found, key=lambda letter: letter.last_at, reverse=True)[:limit]


def one(tx: Tx, letter_id: str) -> DeadLetter:
    """Return a dead letter; raises `Refused` not_found."""
    kind, key = _taken_apart(letter_id)
    row: Row | None
    match kind:
        case "unsent":
            row = dead_letters.find_unsent(tx, key[0])
            found = None if row is None else _unsent(row)
        case "unreadable":
            row = dead_letters.find_unread(tx, key[0])
            found = None if row is None else _unread(row)
        case "kept":
            row = dead_letters.find_kept(tx, key[0])
            found = None if row is None else _kept(row)
        case _:
            row = dead_letters.find_unjoined(tx, (key[0], key[1], key[2], key[3]))
            found = None if row is None else _unjoined(row)
    if found is None:
        raise Refused("not_found", "There is no such dead letter; somebody may have settled it.")
    return found


def replay(tx: Tx, letter_id: str, by: str, now: int) -> str:
    """Try one again under its own id; returns what that came to: queued, marked (the gateway reads it again) or joined.

    Raises `Refused`: not_found, not_replayable, still_unjoined.
    """
    letter = one(tx, letter_id)
    kind, key = _taken_apart(letter_id)
    if not letter.replayable:
        raise Refused("not_replayable", "What it said is forgotten; it can only be discarded.")
    match kind:
        case "unsent":
            _queue_again(tx, key[0], by, now)
            return "queued"
        case "unreadable":
            dead_letters.ask_again(tx, key[0], now, by)
            return "marked"
        case "kept":
            dead_letters.take_apart_again(tx, key[0], now, by)
            return "marked"
        case _:
            if not receipts.join_late(tx, DeliveryReport(key[1], key[2], code=key[3]), key[0], now):
                raise Refused("still_unjoined", "No message with this id was sent on this channel.")
            dead_letters.handle_unjoined(tx, (key[0], key[1], key[2], key[3]), now, by, "replayed")
            return "joined"


def discard(tx: Tx, letter_id: str, by: str, reason: str, now: int) -> None:
    """Settle one without trying again; raises `Refused`: not_found, no_reason."""
    reason = " ".join(reason.split())[:REASON_CHARS_MAX]
    if not reason:
        raise Refused("no_reason", "Say why it is discarded.")
    one(tx, letter_id)
    kind, key = _taken_apart(letter_id)
    match kind:
        case "unsent":
            dead_letters.handle_unsent(tx, key[0], now, by, reason)
            _tell(tx, key[0], "dead_letter.discarded", by, now, reason=reason)
        case "unreadable":
            dead_letters.handle_unread(tx, key[0], now, by, reason)
        case "kept":
            dead_letters.handle_kept(tx, key[0], now, by, reason)
        case _:
            dead_letters.handle_unjoined(tx, (key[0], key[1], key[2], key[3]), now, by, reason)


def unsent_message(letter_id: str) -> str:
    """Return which message could not be sent; raises `Refused` not_found for a dead letter of another kind."""
    kind, key = _taken_apart(letter_id)
    if kind != "unsent":
        raise Refused("not_found", "This dead letter is no message.")
    return key[0]


def _queue_again(tx: Tx, message_id: str, by: str, now: int) -> None:
    """The fences of a message stay: what an agent or the person has made pointless since is held back, not sent."""
    life_ms = max(dead_letters.life_ms(tx, message_id), REPLY_LIFE_MS)
    dead_letters.queue_again(tx, message_id, now, now + life_ms)
    _tell(tx, message_id, "dead_letter.replayed", by, now)


def _tell(tx: Tx, message_id: str, kind: str, by: str, now: int, **more: str) -> None:
    row = tx.one("select conversation_id from message where id = ?", (message_id,))
    if row is None:
        return
    conversation = conversations.load(tx, row[0])
    append(tx, conversation, kind, now, ref=message_id, body={"by": by, **more})
    conversations.save(tx, conversation)


def _unsent(row: Row) -> DeadLetter:
    message_id, channel_id, state, attempts, created_at, dead_at, recipient, text, code = row
    letter_id, known = _id("m", message_id), text != MASK
    return DeadLetter(letter_id, "unsent", channel_id, state, code or state, attempts, created_at, dead_at, recipient, text, known, known)


def _unread(row: Row) -> DeadLetter:
    entry_id, channel_id, code, received_at, again_at, raw, _request = row
    state = "waiting" if again_at is not None else "unreadable"
    content = bytes(raw)[: RAW_CHARS_MAX * 4].decode("utf-8", "backslashreplace")[:RAW_CHARS_MAX]
    return DeadLetter(_id("r", entry_id), "unreadable", channel_id, state, code, 1, received_at, received_at, "", content, replayable=True)


def _kept(row: Row) -> DeadLetter:
    """What it holds is not looked into: whoever took it apart could not. Its envelope is what is known of it."""
    request_id, channel_id, code, received_at, attempts, request = row
    envelope = json.loads(request)["headers"]
    who, content = envelope.get("mail-from", ""), envelope.get("rcpt-to", "")
    known = code != CONTENT_GONE
    return DeadLetter(_id("k", request_id), "kept", channel_id, "unreadable", code, attempts, received_at, received_at, who, content, known)


def _unjoined(row: Row) -> DeadLetter:
    channel_id, external_id, status, code, received_at = row
    letter_id = _id("d", channel_id, external_id, status, code)
    why = code or "unjoined"
    return DeadLetter(letter_id, "report", channel_id, status, why, 1, received_at, received_at, "", external_id, replayable=True)


def _id(kind: str, *key: str) -> str:
    return kind + urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def _taken_apart(letter_id: str) -> tuple[str, list[str]]:
    """Return kind and key of an id; raises `Refused` not_found for what is no id of ours."""
    try:
        key = json.loads(urlsafe_b64decode(letter_id[1:] + "=" * (-len(letter_id[1:]) % 4)))
        kind = _KINDS[letter_id[:1]]
    except (ValueError, KeyError, NotBase64, RecursionError):
        key, kind = None, ""
    if not isinstance(key, list) or not all(isinstance(part, str) for part in key) or len(key) != (4 if kind == "report" else 1):
        raise Refused("not_found", "There is no such dead letter.")
    return kind, key
