"""Statements over how far mailboxes elsewhere have been read."""

from __future__ import annotations

from dataclasses import dataclass

from core.store.api import Tx


@dataclass(frozen=True, slots=True)
class Cursor:
    """All mails up to `last_uid` are kept, as far as the numbers of `uid_validity` go; none from before `begun_at`, ms UTC, is wanted."""

    uid_validity: int
    last_uid: int
    begun_at: int


def cursor(tx: Tx, channel_id: str, folder: str) -> Cursor | None:
    """Return how far a folder has been read, None if it never was."""
    row = tx.one("select uid_validity, last_uid, begun_at from mailbox_cursor where channel_id = ? and folder = ?", (channel_id, folder))
    return None if row is None else Cursor(*row)


def move(tx: Tx, channel_id: str, folder: str, to: Cursor) -> None:
    """Note how far a folder has been read."""
    tx.execute(
        "insert into mailbox_cursor (channel_id, folder, uid_validity, last_uid, begun_at) values (?, ?, ?, ?, ?)"
        " on conflict (channel_id, folder) do update set"
        " uid_validity = excluded.uid_validity, last_uid = excluded.last_uid, begun_at = excluded.begun_at",
        (channel_id, folder, to.uid_validity, to.last_uid, to.begun_at),
    )
