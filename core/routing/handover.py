"""Giving a conversation to people: one live work item for each conversation, and from then on the bot does not own it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.store import work_items
from core.store.api import Tx
from core.store.conversations import Conversation
from core.store.documents import encode
from core.store.events import append


def queue_item(
    tx: Tx, conversation: Conversation, item_id: str, *, interaction_id: str, queue: str, reason: str, card: Mapping[str, Any], at: int
) -> None:
    """Let a conversation wait in a queue; one that waits or is being worked on stays where it is, and learns of a call for it."""
    live = work_items.live(tx, conversation.id)
    if live is not None:
        if "call" in card:
            again = {"whisper": card["whisper"], "call": {**card["call"], "again": True}}
            work_items.set_card(tx, live.id, {**live.card, **again})
        return
    highest = tx.one("select max(number) from work_item")
    number = 1 if highest is None or highest[0] is None else highest[0] + 1
    tx.execute(
        "insert into work_item (id, number, conversation_id, interaction_id, queue, state, reason, card, created_at)"
        " values (?, ?, ?, ?, ?, 'waiting', ?, ?, ?)",
        (item_id, number, conversation.id, interaction_id, queue, reason, encode(card), at),
    )
    tx.execute("update interaction set department = ? where id = ?", (queue, interaction_id))
    conversation.owner = "queued"
    conversation.agent_id = None
    conversation.owner_epoch += 1
    append(tx, conversation, "owner.changed", at, body={"owner": "queued"})
    append(tx, conversation, "work_item.created", at, ref=item_id, body={"queue": queue, "reason": reason})
