"""The lists of the desk as plain documents: what waits, what an agent has, what colleagues have; it only reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.routing.person import item_document
from core.store import agents, events, work_items
from core.store.agents import Agent, Role
from core.store.api import Tx
from core.store.documents import decode
from core.store.work_items import Line

LINES_MAX = 200
_EXCERPT_CHARS = 140


def lists(tx: Tx, agent: Agent) -> dict[str, Any]:
    """Return the lists for one agent with the cursor of the log that they stand at; colleagues' work only for supervisors."""
    names = agents.names(tx)
    made: dict[str, Any] = {
        "cursor": events.head(tx),
        "queue": [_document(line, names) for line in work_items.waiting(tx, LINES_MAX)],
        "mine": [_document(line, names) for line in work_items.working(tx, LINES_MAX, agent.id)],
        "waiting": work_items.counts(tx),
    }
    if agent.role.covers(Role.SUPERVISOR):
        lines = work_items.working(tx, LINES_MAX)
        made["others"] = [_document(line, names) for line in lines if line.item.agent_id != agent.id]
    return made


def _document(line: Line, names: Mapping[str, str]) -> dict[str, Any]:
    made = item_document(line.item, names)
    del made["card"]
    excerpt = " ".join((line.text or "").split())[:_EXCERPT_CHARS]
    attached = decode(line.content).get("media", ()) if line.content else ()
    return made | {
        "name": line.name,
        "channel": line.channel_id,
        "family": line.media_type,
        "address": line.address,
        "wanted": line.item.card.get("wanted"),
        "on_line": line.item.card.get("call", {}).get("status") == "waiting",
        "last": {
            "text": excerpt,
            "attached": attached[0]["kind"] if attached else None,
            "author": line.author,
            "at": line.last_at,
            "seq": line.last_seq,
        },
        "customer_at": line.customer_at,
    }
