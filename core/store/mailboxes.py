"""Statements over how far mailboxes elsewhere have been read, and how reading them goes."""

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


@dataclass(frozen=True, slots=True)
class State:
    """How reading goes: when everything new was last fetched, how many mails were found since and are not, and what fails since when.

    Times in ms UTC.
    """

    channel_id: str
    read_at: int | None
    behind: int
    failing_since: int | None
    code: str | None


def reads(tx: Tx, channel_id: str, at: int, behind: int) -> None:
    """Note that a mailbox is read, and how many mails are not fetched yet; none means that everything is."""
    tx.execute(
        "insert into mailbox_state (channel_id, read_at, behind) values (?, ?, ?) on conflict (channel_id) do update set"
        " read_at = coalesce(excluded.read_at, mailbox_state.read_at), behind = excluded.behind, failing_since = null, code = null",
        (channel_id, None if behind else at, behind),
    )


def fails(tx: Tx, channel_id: str, at: int, code: str) -> None:
    """Note that a mailbox cannot be read; one that could not before keeps its time."""
    tx.execute(
        "insert into mailbox_state (channel_id, failing_since, code) values (?, ?, ?) on conflict (channel_id) do update set"
        " failing_since = coalesce(mailbox_state.failing_since, excluded.failing_since), code = excluded.code",
        (channel_id, at, code),
    )


def states(tx: Tx) -> dict[str, State]:
    """Return how reading goes, by channel."""
    rows = tx.all("select channel_id, read_at, behind, failing_since, code from mailbox_state")
    return {row[0]: State(*row) for row in rows}
