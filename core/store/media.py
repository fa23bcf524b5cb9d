"""Statements over media: the attachments of messages, each with its state, its lease and its tries.

A try is counted before it begins, so one that ends the process counts too. Must not know what contents are or where they lie.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.store.api import Tx

LEASE_MS = 180_000
_ITEM = "id, message_id, channel_id, position, kind, name, content_type, source, state, code, digest, size, attempts, created_at, lease"
_INSERT = (
    "insert into media (id, message_id, channel_id, position, kind, name, content_type, source, state, code, digest, size, due_at,"
    " created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ATTEMPTS = 12  # of those
_LIVE = "state in ('waiting', 'fetching')"


@dataclass(frozen=True, slots=True)
class Item:
    """One attachment. `content_type` is what it is served as, once it is stored; `source` is where it comes from, as JSON."""

    id: str
    message_id: str
    channel_id: str
    position: int
    kind: str
    name: str
    content_type: str
    source: str
    state: str
    code: str | None
    digest: str | None
    size: int | None
    attempts: int
    created_at: int
    lease: str | None


def insert(tx: Tx, rows: Iterable[Sequence[object]]) -> None:
    """Insert attachments; values in the order of the table, without attempts and lease."""
    tx.many(_INSERT, rows)


def find(tx: Tx, media_id: str) -> Item | None:
    """Return one attachment."""
    row = tx.one(f"select {_ITEM} from media where id = ?", (media_id,))  # noqa: S608 - constants
    return None if row is None else Item(*row)


def of_messages(tx: Tx, message_ids: Collection[str]) -> Mapping[str, list[Item]]:
    """Return the attachments of some messages, each message's in their order."""
    found: defaultdict[str, list[Item]] = defaultdict(list)
    if message_ids:
        marks = ", ".join("?" * len(message_ids))
        sql = f"select {_ITEM} from media where message_id in ({marks}) order by message_id, position"  # noqa: S608 - constants
        for row in tx.all(sql, tuple(message_ids)):
            found[row[1]].append(Item(*row))
    return found


def claim(tx: Tx, now: int, lease: str, limit: int, without: Collection[str] = ()) -> list[Item]:
    """Take attachments that are due for one try each, the oldest first, none of the channels `without`; others may take them later."""
    sql = f"select {_ITEM} from media where {_LIVE} and due_at <= ?{_other_than(without)} order by due_at, id limit ?"  # noqa: S608
    rows = tx.all(sql, (now, *without, limit))
    tx.many(
        "update media set state = 'fetching', attempts = attempts + 1, lease = ?, due_at = ? where id = ?",
        [(lease, now + LEASE_MS, row[0]) for row in rows],
    )
    return [replace(Item(*row), attempts=row[_ATTEMPTS] + 1, lease=lease) for row in rows]


def settle(tx: Tx, item: Item, *, content_type: str, digest: str, size: int) -> bool:
    """Say that a content is stored; False if another has done so, or has taken the attachment since."""
    return _end(tx, item, "state = 'stored', content_type = ?, digest = ?, size = ?, code = null", (content_type, digest, size))


def refuse(tx: Tx, item: Item, code: str) -> bool:
    """Say that an attachment will never be there; False as in `settle`."""
    return _end(tx, item, "state = 'refused', code = ?", (code,))


def postpone(tx: Tx, item: Item, code: str, due_at: int) -> bool:
    """Let an attachment be tried again at `due_at`, ms UTC; False as in `settle`."""
    return _end(tx, item, "state = 'waiting', code = ?, due_at = ?", (code, due_at))


def _end(tx: Tx, item: Item, change: str, values: Sequence[object]) -> bool:
    sql = f"update media set {change}, lease = null where id = ? and state = 'fetching' and lease = ? and attempts = ?"  # noqa: S608
    return tx.execute(sql, (*values, item.id, item.lease, item.attempts)) == 1


def next_due(tx: Tx, without: Collection[str] = ()) -> int | None:
    """Return when the next attachment is due that `claim` would take then, ms UTC, or None."""
    row = tx.one(f"select min(due_at) from media where {_LIVE}{_other_than(without)}", tuple(without))  # noqa: S608 - constants
    return None if row is None else row[0]


def _other_than(channels: Collection[str]) -> str:
    return f" and channel_id not in ({', '.join('?' * len(channels))})" if channels else ""


def kept_bytes(tx: Tx) -> int:
    """Return how much all stored attachments take; a content that several share counts once."""
    row = tx.one("select sum(size) from (select distinct digest, size from media where digest is not null) contents")
    return 0 if row is None or row[0] is None else int(row[0])


def named(tx: Tx, digests: Sequence[str]) -> set[str]:
    """Return those of some digests that a row names: an attachment, or a request that was kept."""
    marks = ", ".join("?" * len(digests))
    found = tx.all(f"select distinct digest from media where digest in ({marks})", tuple(digests))  # noqa: S608 - constants
    # By channel, since that is how the index of requests begins.
    found += tx.all(
        f"select r.body from (select distinct channel_id from kept_request) c"  # noqa: S608 - constants
        f" join kept_request r on r.channel_id = c.channel_id and r.digest in ({marks})",
        tuple(digests),
    )
    return {row[0] for row in found}


def conversation_of(tx: Tx, message_id: str) -> str:
    """Return the conversation of a message; raises KeyError if there is none."""
    row = tx.one("select conversation_id from message where id = ?", (message_id,))
    if row is None:
        raise KeyError(message_id)
    return str(row[0])


def abandon(tx: Tx, lease: str, now: int) -> None:
    """Make due what an earlier life of this process was fetching. Only for a store with a single process."""
    tx.execute(f"update media set due_at = ? where {_LIVE} and state = 'fetching' and lease <> ?", (now, lease))  # noqa: S608 - by the index
