"""What waits for a person to look at it: requests that nobody could read, messages that were given up."""

from __future__ import annotations

from core.store.api import Tx


def unreadable_requests(tx: Tx) -> int:
    """Return how many authenticated requests could not be read and were not dealt with."""
    return _count(tx, "select count(*) from unreadable where handled_at is null")


def unsent_messages(tx: Tx) -> int:
    """Return how many messages were given up after every attempt."""
    return _count(tx, "select count(*) from message where direction = 'outbound' and status = 'dead'")


def _count(tx: Tx, sql: str) -> int:
    row = tx.one(sql)
    return int(row[0]) if row else 0
