"""Statements over requests that were kept before anybody read them: each body once for a channel, read in the order of arrival.

A request counts its tries before it is read, so one that ends the process counts too.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.store.api import Tx

LEASE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A request that waits to be read: `request` is what it was but its body, as JSON; `body` names the content that is its body."""

    id: str
    channel_id: str
    request: str
    body: str
    received_at: int
    attempts: int


def keep(tx: Tx, request_id: str, channel_id: str, request: str, body: str, at: int) -> bool:
    """Keep a request that is due at once; False if the same body came before on this channel."""
    return bool(
        tx.execute(
            "insert into kept_request (id, channel_id, digest, request, body, received_at, due_at) values (?, ?, ?, ?, ?, ?, ?)"
            " on conflict (channel_id, digest) do nothing",
            (request_id, channel_id, body, request, body, at, at),
        )
    )


def claim(tx: Tx, now: int, limit: int) -> list[Kept]:
    """Take requests that are due, the oldest first, and count the try; after a minute others may take them.

    One that was tried before is taken alone, so that if it ends the process, no other one counts the try.
    """
    rows = tx.all(
        "select id, channel_id, request, body, received_at, attempts + 1 from kept_request"
        " where state = 'waiting' and due_at <= ? order by due_at, id limit ?",
        (now, limit),
    )
    tried = next((place for place, row in enumerate(rows) if row[5] > 1), len(rows))
    rows = rows[: max(tried, 1)]
    tx.many("update kept_request set attempts = attempts + 1, due_at = ? where id = ?", [(now + LEASE_MS, row[0]) for row in rows])
    return [Kept(*row) for row in rows]


def postpone(tx: Tx, request_id: str, due_at: int) -> None:
    """Let a request be tried again at `due_at`, ms UTC, without counting the try that could not be made."""
    tx.execute("update kept_request set due_at = ?, attempts = attempts - 1 where id = ? and state = 'waiting'", (due_at, request_id))


def again(tx: Tx, request_id: str, due_at: int) -> None:
    """Let a request be tried again at `due_at`, ms UTC; the try that failed counts."""
    tx.execute("update kept_request set due_at = ? where id = ? and state = 'waiting'", (due_at, request_id))


def end(tx: Tx, request_id: str, code: str | None = None) -> None:
    """Say that a request was read, or with a `code` why it could not be."""
    tx.execute("update kept_request set state = ?, code = ? where id = ?", ("unreadable" if code else "read", code, request_id))


def forget(tx: Tx, request_id: str) -> None:
    """Name the content of a request that was read no longer, so that it is removed; the same body is still known when it comes again."""
    tx.execute("update kept_request set body = '' where id = ?", (request_id,))


def next_due(tx: Tx) -> int | None:
    """Return when the next request is due, ms UTC, or None."""
    row = tx.one("select min(due_at) from kept_request where state = 'waiting'")
    return None if row is None else row[0]


def abandon(tx: Tx, now: int) -> None:
    """Make due what an earlier life of this process was reading. Only for a store with a single process."""
    tx.execute("update kept_request set due_at = ? where state = 'waiting' and due_at > ?", (now, now))
