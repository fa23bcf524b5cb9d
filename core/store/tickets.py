"""Statements over one-time tickets: kept as hashes, redeemed once, before they expire."""

from __future__ import annotations

from hashlib import sha256

from core.store.api import Tx


def issue(tx: Tx, ticket: str, kind: str, subject: str, *, now: int, expires_at: int) -> None:
    """Keep a ticket of this kind for `subject`, and forget the ones that expired before `now`."""
    tx.execute("delete from ticket where expires_at <= ?", (now,))
    tx.execute("insert into ticket (hash, kind, subject, expires_at) values (?, ?, ?, ?)", (_hash(ticket), kind, subject, expires_at))


def redeem(tx: Tx, ticket: str, kind: str, now: int) -> str | None:
    """Use a ticket up; return its subject, or None if there is no such ticket, or not any more."""
    rows = tx.all("delete from ticket where hash = ? and kind = ? and expires_at > ? returning subject", (_hash(ticket), kind, now))
    return str(rows[0][0]) if rows else None


def _hash(ticket: str) -> bytes:
    return sha256(ticket.encode("utf-8", "surrogatepass")).digest()
