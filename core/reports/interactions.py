"""Finding interactions in the record, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.store import parties
from core.store.api import Tx
from core.store.interactions import COLUMNS, document


@dataclass(frozen=True, slots=True)
class Filter:
    """Which interactions are wanted; what is None does not matter. `since` in ms UTC; `party` is an id or a customer number."""

    channel: str | None = None
    status: str | None = None
    address: str | None = None
    party: str | None = None
    since: int | None = None
    limit: int = 50


def search(tx: Tx, wanted: Filter) -> list[dict[str, Any]]:
    """Return the interactions that the filter lets through, newest first."""
    conditions: list[str] = ["1 = 1"]
    values: list[Any] = []
    for column, value in (("channel_id", wanted.channel), ("status", wanted.status), ("address", wanted.address)):
        if value is not None:
            conditions.append(f"{column} = ?")
            values.append(value)
    if wanted.since is not None:
        conditions.append("last_at >= ?")
        values.append(wanted.since)
    conversations = _conversations(tx, wanted)
    if conversations is not None:
        conditions.append(f"conversation_id in ({', '.join('?' * len(conversations))})")
        values += conversations
    sql = f"select {COLUMNS} from interaction where {' and '.join(conditions)} order by id desc limit ?"  # noqa: S608 - our own columns
    return [document(row) for row in tx.all(sql, (*values, wanted.limit))]  # ids sort by time


def _conversations(tx: Tx, wanted: Filter) -> Sequence[str] | None:
    """Return the conversations of the person asked for, so that an index leads to them; None if nobody was."""
    if wanted.party is not None:
        return parties.conversation_ids(tx, party_of(tx, wanted.party) or "")
    if wanted.address is not None:
        owners = tx.all("select distinct party_id from contact_medium where value = ?", (wanted.address,))
        return [conversation for (party,) in owners for conversation in parties.conversation_ids(tx, party)]
    return None


def party_of(tx: Tx, name: str) -> str | None:
    """Return the id of a party given by id or by customer number."""
    row = tx.one("select id from party where id = ? or customer_no = ?", (name, name))
    return None if row is None else str(row[0])
