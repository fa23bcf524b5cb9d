"""Statements over dead letters: what could not be sent, read or joined, and waits for a person to settle it. Nothing is deleted here."""

from __future__ import annotations

from core.store.api import Row, Tx

REPORT_WAIT_MS = 600_000
_UNSENT = (
    "select o.message_id, o.channel_id, o.state, o.attempts, m.created_at, o.dead_at, o.recipient, m.text,"
    " (select a.code from attempt a where a.message_id = o.message_id and a.number = o.attempts)"
    " from outbox o join message m on m.id = o.message_id where o.dead_at is not null and o.handled_at is null"
)
_UNREAD = "select id, channel_id, code, received_at, again_at, raw, request from unreadable where handled_at is null"
_KEPT = (
    "select id, channel_id, code, received_at, attempts, request from kept_request where state = 'unreadable' and handled_at is null"
    " and code in ('over_limits', 'ends_the_process', 'content_gone')"  # any other is among the unreadable ones
)
_UNJOINED = "select channel_id, external_id, status, code, received_at from delivery_report where message_id is null and handled_at is null"


def unsent(tx: Tx, limit: int) -> list[Row]:
    """Return messages that were given up, the newest first.

    message_id, channel_id, state, attempts, created_at, dead_at, recipient, text, last code.
    """
    return tx.all(f"{_UNSENT} order by o.dead_at desc limit ?", (limit,))


def unread(tx: Tx, limit: int) -> list[Row]:
    """Return requests that could not be read, the newest first: id, channel_id, code, received_at, again_at, raw, request."""
    return tx.all(f"{_UNREAD} order by received_at desc limit ?", (limit,))


def kept(tx: Tx, limit: int) -> list[Row]:
    """Return kept requests that could not be taken apart, the newest first: id, channel_id, code, received_at, attempts, request."""
    return tx.all(f"{_KEPT} order by received_at desc limit ?", (limit,))


def unjoined(tx: Tx, now: int, limit: int) -> list[Row]:
    """Return reports whose message is not known after ten minutes: channel_id, external_id, status, code, received_at."""
    return tx.all(f"{_UNJOINED} and received_at <= ? order by received_at desc limit ?", (now - REPORT_WAIT_MS, limit))


def counts(tx: Tx, now: int) -> dict[str, int]:
    """Return how many there are of each kind."""
    sql = {
        "unsent": ("select count(*) from outbox where dead_at is not null and handled_at is null", ()),
        "unreadable": ("select count(*) from unreadable where handled_at is null", ()),
        "kept": (f"select count(*) from ({_KEPT}) k", ()),  # noqa: S608 - constants
        "report": (
            "select count(*) from delivery_report where message_id is null and handled_at is null and received_at <= ?",
            (now - REPORT_WAIT_MS,),
        ),
    }
    return {kind: int((tx.one(*statement) or (0,))[0]) for kind, statement in sql.items()}


def find_unsent(tx: Tx, message_id: str) -> Row | None:
    """Return one of `unsent`."""
    return tx.one(f"{_UNSENT} and o.message_id = ?", (message_id,))


def find_unread(tx: Tx, entry_id: str) -> Row | None:
    """Return one of `unread`."""
    return tx.one(f"{_UNREAD} and id = ?", (entry_id,))


def find_kept(tx: Tx, request_id: str) -> Row | None:
    """Return one of `kept`."""
    return tx.one(f"{_KEPT} and id = ?", (request_id,))


def find_unjoined(tx: Tx, key: tuple[str, str, str, str]) -> Row | None:
    """Return one of `unjoined`, by channel, external id, status and code."""
    return tx.one(f"{_UNJOINED} and channel_id = ? and external_id = ? and status = ? and code = ?", key)


def queue_again(tx: Tx, message_id: str, now: int, expires_at: int) -> None:
    """Let a message that was given up be sent again under its own id, until a new time."""
    tx.execute(
        "update outbox set state = 'queued', due_at = ?, expires_at = ?, dead_at = null, repeated = 0, external_id = null"
        " where message_id = ?",
        (now, expires_at, message_id),
    )
    tx.execute("update message set status = 'queued' where id = ?", (message_id,))


def life_ms(tx: Tx, message_id: str) -> int:
    """Return for how long a message was of use when it was written."""
    row = tx.one(
        "select o.expires_at - m.created_at from outbox o join message m on m.id = o.message_id where o.message_id = ?", (message_id,)
    )
    return int(row[0]) if row else 0


def handle_unsent(tx: Tx, message_id: str, now: int, by: str, reason: str) -> None:
    """Note who settled a message that was given up, and why."""
    tx.execute("update outbox set handled_at = ?, handled_by = ?, handled_reason = ? where message_id = ?", (now, by, reason, message_id))


def handle_unread(tx: Tx, entry_id: str, now: int, by: str, reason: str) -> None:
    """Note who settled a request that could not be read, and why."""
    tx.execute(
        "update unreadable set handled_at = ?, handled_by = ?, handled_reason = ?, again_at = null where id = ?",
        (now, by, reason, entry_id),
    )


def handle_kept(tx: Tx, request_id: str, now: int, by: str, reason: str) -> None:
    """Note who settled a request that was kept and could not be taken apart, and why."""
    tx.execute(
        "update kept_request set handled_at = ?, handled_by = ?, handled_reason = ? where id = ?",
        (now, by, reason, request_id),
    )


def take_apart_again(tx: Tx, request_id: str, now: int, by: str) -> None:
    """Have a request that was kept taken apart again by whoever runs the gateway."""
    tx.execute(
        "update kept_request set state = 'waiting', attempts = 0, due_at = ?, code = null, handled_by = ? where id = ?",
        (now, by, request_id),
    )


def fence_as(tx: Tx, message_id: str, earlier: str) -> None:
    """Give a message that stands for an earlier one the fences of that: whose the conversation was, and what had been said."""
    tx.execute(
        "update outbox set owner_epoch = o.owner_epoch, against_seq = o.against_seq from outbox o"
        " where outbox.message_id = ? and o.message_id = ?",
        (message_id, earlier),
    )


def handle_unjoined(tx: Tx, key: tuple[str, str, str, str], now: int, by: str, reason: str) -> None:
    """Note who settled a report without message, and why."""
    tx.execute(
        "update delivery_report set handled_at = ?, handled_by = ?, handled_reason = ?"
        " where channel_id = ? and external_id = ? and status = ? and code = ?",
        (now, by, reason, *key),
    )


def ask_again(tx: Tx, entry_id: str, now: int, by: str) -> None:
    """Have a request read again by whoever runs the gateway."""
    tx.execute("update unreadable set again_at = ?, handled_by = ? where id = ?", (now, by, entry_id))


def to_read_again(tx: Tx) -> list[Row]:
    """Return requests that are to be read again, the oldest first: id, channel_id, received_at, raw, request, handled_by."""
    return tx.all(
        "select id, channel_id, received_at, raw, request, handled_by from unreadable where again_at is not null"
        " order by received_at limit 100"
    )


def next_again(tx: Tx) -> int | None:
    """Return when the first request was asked to be read again, ms UTC, or None."""
    row = tx.one("select again_at from unreadable where again_at is not null order by again_at limit 1")
    return None if row is None else int(row[0])


def was_read(tx: Tx, entry_id: str, now: int, by: str) -> None:
    """Note that a request could be read this time, unless it was kept anew meanwhile because its message could not be recorded."""
    tx.execute(
        "update unreadable set handled_at = ?, handled_by = ?, handled_reason = 'replayed', again_at = null"
        " where id = ? and again_at is not null",
        (now, by, entry_id),
    )


def keep_waiting(tx: Tx, channel_id: str, digest: str, now: int) -> bool:
    """Let a request that was kept before it was read be read again; False if it was not kept."""
    return bool(
        tx.execute(
            "update kept_request set state = 'waiting', attempts = 0, due_at = ?, code = null where channel_id = ? and digest = ?",
            (now, channel_id, digest),
        )
    )


def still_unread(tx: Tx, entry_id: str, code: str) -> None:
    """Note that a request cannot be read today either."""
    tx.execute("update unreadable set again_at = null, handled_by = null, code = ? where id = ?", (code, entry_id))
