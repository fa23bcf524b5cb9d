"""Statements over actions: calls to outside systems that flows asked for, run between turns."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from core.model.dialog import RunAction
from core.store.api import Tx
from core.store.documents import decode, encode

_COLUMNS = (
    "id, conversation_id, interaction_id, inbound_channel, inbound_external, name, payload, state, attempts, late, created_at, held_until"
)


@dataclass(slots=True)
class ActionRow:
    """One action that a flow waits for. `inbound_*` name the request that may still be open for its result.

    `held_until` is until when the person is kept on the line and asks again for the result, ms UTC; None where nobody does.
    """

    id: str
    conversation_id: str
    interaction_id: str
    inbound_channel: str | None
    inbound_external: str | None
    name: str
    payload: str
    state: str
    attempts: int
    late: int
    created_at: int
    held_until: int | None

    @property
    def run(self) -> RunAction:
        """What the flow asked for."""
        return RunAction(**decode(self.payload))


def insert(
    tx: Tx,
    run: RunAction,
    *,
    conversation_id: str,
    interaction_id: str,
    inbound: tuple[str, str] | None,
    at: int,
    lease: str,
    lease_until: int,
) -> None:
    """Write an action down, leased to the process that is about to run it."""
    channel, external = inbound or (None, None)
    tx.execute(
        "insert into action (id, conversation_id, interaction_id, inbound_channel, inbound_external, name, payload, state, attempts,"
        " due_at, lease, lease_until, created_at) values (?, ?, ?, ?, ?, ?, ?, 'running', 1, ?, ?, ?, ?)",
        (
            run.key,
            conversation_id,
            interaction_id,
            channel,
            external,
            run.name,
            encode(asdict(run)),
            lease_until,
            lease,
            lease_until,
            at,
        ),
    )


def find(tx: Tx, action_id: str) -> ActionRow | None:
    """Return an action, or None."""
    row = tx.one(f"select {_COLUMNS} from action where id = ?", (action_id,))  # noqa: S608
    return None if row is None else ActionRow(*row)


def claim(tx: Tx, now: int, lease: str, lease_until: int, limit: int) -> list[ActionRow]:
    """Take actions whose runner did not come back: they are run again with the same key."""
    ids = [row[0] for row in tx.all("select id from action where state = 'running' and due_at <= ? order by due_at limit ?", (now, limit))]
    for action_id in ids:
        tx.execute(
            "update action set attempts = attempts + 1, lease = ?, lease_until = ?, due_at = ? where id = ?",
            (lease, lease_until, lease_until, action_id),
        )
    return [row for row in (find(tx, action_id) for action_id in ids) if row is not None]


def abandon(tx: Tx, lease: str, now: int) -> int:
    """Free what an earlier life of this process was running; returns how many. Only for a store with a single process."""
    return tx.execute("update action set due_at = ? where state = 'running' and lease <> ?", (now, lease))


def set_late(tx: Tx, action_id: str) -> bool:
    """Note that nobody waits for the result in an open request any more; False if it has ended."""
    return bool(tx.execute("update action set late = 1, held_until = null where id = ? and state = 'running' and late = 0", (action_id,)))


def set_all_late(tx: Tx, conversation_id: str, channel_id: str) -> None:
    """Note for all actions of a conversation that were asked for on a channel that nobody waits there any more."""
    tx.execute(
        "update action set late = 1 where state = 'running' and conversation_id = ? and inbound_channel = ?", (conversation_id, channel_id)
    )


def hold(tx: Tx, action_id: str, external_id: str | None, until: int) -> None:
    """Note under which id the result of an action will be asked for again on the same channel, and until when."""
    tx.execute("update action set inbound_external = ?, held_until = ? where id = ?", (external_id, until, action_id))


def let_go(tx: Tx, channel_id: str, external_id: str) -> None:
    """Note that the result of an ended action was fetched by whoever was kept on the line for it."""
    tx.execute(
        "update action set held_until = null where held_until is not null and state <> 'running' and inbound_channel = ?"
        " and inbound_external = ?",
        (channel_id, external_id),
    )


def drop_held(tx: Tx, conversation_id: str) -> bool:
    """Note that nobody is on the line any more; True if the result of an ended action was waiting to be fetched."""
    rows = tx.all("select state from action where conversation_id = ? and held_until is not null", (conversation_id,))
    if rows:
        tx.execute("update action set held_until = null where conversation_id = ? and held_until is not null", (conversation_id,))
    return any(state != "running" for (state,) in rows)


def awaited(tx: Tx, channel_id: str, external_id: str) -> str | None:
    """Return the action whose result an open request waits for now, if one still runs."""
    row = tx.one(
        "select id from action where state = 'running' and late = 0 and inbound_channel = ? and inbound_external = ?",
        (channel_id, external_id),
    )
    return None if row is None else str(row[0])


def end(tx: Tx, action_id: str, at: int, error: str | None) -> bool:
    """Note the end of an action; False if it ended before."""
    state = "done" if error is None else "failed"
    return bool(
        tx.execute("update action set state = ?, ended_at = ?, lease = null where id = ? and state = 'running'", (state, at, action_id))
    )


def next_due(tx: Tx) -> int | None:
    """Return when the next lease ends, ms UTC, or None."""
    row = tx.one("select min(due_at) from action where state = 'running'")
    return None if row is None else row[0]
