"""SQL of work items: hand-overs that wait for an agent or are held by one. Must not decide who may do what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.store.api import Row, Tx
from core.store.documents import encode

_COLUMNS = (
    "w.id, w.number, w.conversation_id, w.interaction_id, w.queue, w.state, w.version, w.agent_id, w.reason, w.card, w.disposition,"
    " w.created_at, w.claimed_at, w.ended_at"
)
# The last words of a person cost a few steps down an index, whatever the length of the history: only the newest events are looked at.
_LINE = f"""
select {_COLUMNS}, p.name, i.channel_id, i.media_type, i.address_kind, i.address, m.text, m.author, m.created_at, m.seq,
       (select max(l.created_at) from message l where l.conversation_id = w.conversation_id and l.author = 'customer'
        and l.seq > c.seq - 200), case when m.text = '' then m.content end
  from work_item w
  join conversation c on c.id = w.conversation_id
  join party p on p.id = c.party_id
  join interaction i on i.id = w.interaction_id
  left join message m on m.conversation_id = w.conversation_id
       and m.seq = (select max(n.seq) from message n where n.conversation_id = w.conversation_id and n.author in ('customer', 'agent')
                    and n.seq > c.seq - 200)
"""  # noqa: S608 - built of constants


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One hand-over. `state` is waiting, working or done; times in ms UTC; `card` is what the agent should know."""

    id: str
    number: int
    conversation_id: str
    interaction_id: str
    queue: str
    state: str
    version: int
    agent_id: str | None
    reason: str
    card: Mapping[str, Any]
    disposition: str | None
    created_at: int
    claimed_at: int | None
    ended_at: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """A work item as a list shows it: with the person's name and address, and the last words of the person or of an agent."""

    item: WorkItem
    name: str | None
    channel_id: str
    media_type: str
    address_kind: str
    address: str
    text: str | None
    author: str | None
    last_at: int | None
    last_seq: int | None
    customer_at: int | None
    content: str | None  # what those are besides text, as JSON, where they have none


# The condition of the partial index, word for word: without it the planner would read every hand-over that ever was.
_LIVE = "w.state in ('waiting', 'working')"
_WAITING_BY_QUEUE = f"select w.queue, count(*) from work_item w where {_LIVE} and w.state = 'waiting' group by w.queue"  # noqa: S608


def _item(row: Row) -> WorkItem:
    values = list(row[:14])
    values[9] = json.loads(values[9])
    return WorkItem(*values)


def find(tx: Tx, item_id: str) -> WorkItem | None:
    """Return the work item with this id."""
    row = tx.one(f"select {_COLUMNS} from work_item w where w.id = ?", (item_id,))  # noqa: S608
    return _item(row) if row else None


def live(tx: Tx, conversation_id: str) -> WorkItem | None:
    """Return the work item of a conversation that is not done."""
    sql = f"select {_COLUMNS} from work_item w where w.conversation_id = ? and w.state <> 'done'"  # noqa: S608
    row = tx.one(sql, (conversation_id,))
    return _item(row) if row else None


def latest(tx: Tx, conversation_id: str) -> WorkItem | None:
    """Return the newest work item of a conversation."""
    sql = f"select {_COLUMNS} from work_item w where w.conversation_id = ? order by w.created_at desc, w.number desc limit 1"  # noqa: S608
    row = tx.one(sql, (conversation_id,))
    return _item(row) if row else None


def waiting(tx: Tx, limit: int) -> list[Line]:
    """Return what waits, oldest first."""
    return [
        _line(row) for row in tx.all(f"{_LINE} where {_LIVE} and w.state = 'waiting' order by w.created_at, w.number limit ?", (limit,))
    ]


def working(tx: Tx, limit: int, agent_id: str | None = None) -> list[Line]:
    """Return what is being worked on, by one agent or by all, oldest first."""
    where, args = ("and w.agent_id = ?", (agent_id, limit)) if agent_id else ("", (limit,))
    return [
        _line(row) for row in tx.all(f"{_LINE} where {_LIVE} and w.state = 'working' {where} order by w.created_at, w.number limit ?", args)
    ]


def _line(row: Row) -> Line:
    return Line(_item(row), *row[14:])


def held_by(tx: Tx, agent_id: str) -> list[WorkItem]:
    """Return what an agent works on."""
    sql = f"select {_COLUMNS} from work_item w where {_LIVE} and w.state = 'working' and w.agent_id = ? order by w.created_at"  # noqa: S608
    return [_item(row) for row in tx.all(sql, (agent_id,))]


def counts(tx: Tx) -> dict[str, int]:
    """Return how many items wait in each queue."""
    return {row[0]: row[1] for row in tx.all(_WAITING_BY_QUEUE)}


def assign(tx: Tx, item_id: str, agent_id: str, at: int) -> bool:
    """Give a waiting item to an agent; False if it does not wait any more. Of several at once exactly one gets True."""
    sql = "update work_item set state = 'working', agent_id = ?, claimed_at = ?, version = version + 1 where id = ? and state = 'waiting'"
    return tx.execute(sql, (agent_id, at, item_id)) == 1


def reassign(tx: Tx, item_id: str, from_agent: str, agent_id: str, at: int) -> bool:
    """Move an item from one agent to another; False if the first does not hold it any more."""
    sql = """update work_item set agent_id = ?, claimed_at = ?, version = version + 1
             where id = ? and state = 'working' and agent_id = ?"""
    return tx.execute(sql, (agent_id, at, item_id, from_agent)) == 1


def unassign(tx: Tx, item_id: str, from_agent: str) -> bool:
    """Let an item wait again, with the age that it has; False if the agent does not hold it any more."""
    sql = """update work_item set state = 'waiting', agent_id = null, claimed_at = null, version = version + 1
             where id = ? and state = 'working' and agent_id = ?"""
    return tx.execute(sql, (item_id, from_agent)) == 1


def finish(tx: Tx, item_id: str, from_agent: str, disposition: str, at: int) -> bool:
    """End an item; False if the agent does not hold it any more."""
    sql = """update work_item set state = 'done', disposition = ?, ended_at = ?, version = version + 1
             where id = ? and state = 'working' and agent_id = ?"""
    return tx.execute(sql, (disposition, at, item_id, from_agent)) == 1


def drop(tx: Tx, item_id: str, disposition: str, at: int) -> bool:
    """End an item that nobody has; False if it does not wait any more."""
    sql = "update work_item set state = 'done', disposition = ?, ended_at = ?, version = version + 1 where id = ? and state = 'waiting'"
    return tx.execute(sql, (disposition, at, item_id)) == 1


def set_card(tx: Tx, item_id: str, card: Mapping[str, Any]) -> None:
    """Replace what is known of an item."""
    tx.execute("update work_item set card = ? where id = ?", (encode(card), item_id))


def open_interactions(tx: Tx, conversation_id: str) -> list[str]:
    """Return the interactions of a conversation that are still open."""
    return [row[0] for row in tx.all("select id from interaction where conversation_id = ? and status = 'open'", (conversation_id,))]


def set_operator(tx: Tx, interaction_id: str, login: str) -> None:
    """Note in an interaction which agent handles it."""
    tx.execute("update interaction set operator = ? where id = ?", (login, interaction_id))
