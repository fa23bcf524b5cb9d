"""The one timeline of a person over all channels, as plain documents for the desk; it only reads.

An entry is one row of the event log, with its message where it is about one. Secrets are masked before they reach the record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from core import media
from core.model.ids import derive
from core.routing.speak import again_cause
from core.store import letters
from core.store.api import Row, Tx
from core.store.media import Item, of_messages

PAGE = 100
_ENTRY = """
select e.cursor, e.conversation_id, e.seq, e.kind, e.at, e.ref, e.body,
       m.id, m.author, m.agent_id, m.channel_id, m.address, m.text, m.content, m.status,
       i.channel_id, i.media_type, i.service_number, i.direction, l.automatic, l.header
  from event e
  left join message m on m.conversation_id = e.conversation_id and m.seq = e.seq
  left join interaction i on i.id = e.ref and e.kind in ('interaction.opened', 'interaction.closed')
  left join letter l on l.message_id = m.id
"""
_CHANGES = "('message.status', 'media.stored', 'media.refused')"  # of what an older entry shows as it is now
_BEFORE = f"{_ENTRY} where e.conversation_id = ? and e.cursor < ? and e.kind not in {_CHANGES} order by e.seq desc limit ?"
_AFTER = f"{_ENTRY} where e.conversation_id = ? and e.cursor > ? order by e.seq limit ?"
_OWNERS = (
    "select e.cursor, c.owner from event e join conversation c on c.id = e.conversation_id where e.cursor > ? order by e.cursor limit ?"
)
_FEED = f"{_ENTRY} where e.cursor > ? order by e.cursor limit ?"
_NEVER = 1 << 62


def page(tx: Tx, conversation_ids: Sequence[str], before: int | None = None, limit: int = PAGE) -> tuple[list[dict[str, Any]], bool]:
    """Return the newest entries below the cursor `before`, oldest first, and whether there are older ones."""
    rows = [row for one in conversation_ids for row in tx.all(_BEFORE, (one, before or _NEVER, limit + 1))]
    rows.sort(key=lambda row: row[0])
    return _entries(tx, rows[-limit:]), len(rows) > limit


def after(tx: Tx, conversation_ids: Sequence[str], cursor: int, limit: int = 1_000) -> list[dict[str, Any]]:
    """Return the entries beyond a cursor, oldest first, changes of delivery status and of attachments included."""
    rows = [row for one in conversation_ids for row in tx.all(_AFTER, (one, cursor, limit))]
    rows.sort(key=lambda row: row[0])
    return _entries(tx, rows[:limit])


def feed(tx: Tx, cursor: int, limit: int) -> list[tuple[dict[str, Any], bool]]:
    """Return entries of all conversations beyond a cursor in the order of the log, each with whether it concerns all agents.

    That is so where a conversation waits or is being worked on, and where a hand-over itself changes.
    """
    owners: dict[int, str] = {row[0]: row[1] for row in tx.all(_OWNERS, (cursor, limit))}
    entries = _entries(tx, tx.all(_FEED, (cursor, limit)))
    return [(entry, owners[entry["cursor"]] != "bot" or entry["kind"].startswith("work_item.")) for entry in entries]


def _entries(tx: Tx, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return rows of the log as documents."""
    attachments = of_messages(tx, [row[7] for row in rows if row[13] is not None and '"media"' in row[13]])
    return [_entry(row, attachments) for row in rows]


def _entry(row: Row, attachments: Mapping[str, Sequence[Item]]) -> dict[str, Any]:
    """Return one row of the log as a document; keys without a value are left out."""
    made: dict[str, Any] = dict(zip(("cursor", "conversation", "seq", "kind", "at"), row[:5], strict=True))
    if row[5] is not None:
        made["ref"] = row[5]
    if row[6] is not None:
        made["body"] = json.loads(row[6])
    if row[7] is not None:
        made["message"] = _message(row[7:15], attachments.get(row[7], ()))
    if row[15] is not None:
        made["interaction"] = dict(zip(("channel", "media", "service_number", "direction"), row[15:19], strict=True))
    if row[20] is not None:
        made["message"]["letter"] = letters.shown(*row[19:21])
    return made


def _message(row: Row, attachments: Sequence[Item]) -> dict[str, Any]:
    message_id, author, agent_id, channel_id, address, text, content, status = row
    made = {"id": message_id, "author": author, "channel": channel_id, "address": address, "text": text, "status": status}
    if agent_id is not None:
        made["agent"] = agent_id
        made["again"] = derive(again_cause(message_id), "out:0")
    if content is not None:
        stored = json.loads(content)
        made |= {mark: stored[mark] for mark in ("corrects", "corrected_by") if mark in stored}
        made["choices"] = [choice[1] for choice in stored.get("choices", ())]
        made["media"] = media.documents(stored.get("media", ()), attachments)
    return made
