"""Statements over the channels whose sending is paused, for those who look from outside of the process that sends."""

from __future__ import annotations

from dataclasses import dataclass

from core.store.api import Tx


@dataclass(frozen=True, slots=True)
class Pause:
    """A channel that sends nothing now: the code of the failure that paused it, and since when, ms UTC."""

    channel_id: str
    code: str
    since: int


def begin(tx: Tx, channel_id: str, code: str, at: int) -> None:
    """Note that a channel is paused; one that was keeps its time."""
    tx.execute("insert into paused_sending (channel_id, code, since) values (?, ?, ?) on conflict do nothing", (channel_id, code, at))


def end(tx: Tx, channel_id: str) -> None:
    """Note that a channel sends again."""
    tx.execute("delete from paused_sending where channel_id = ?", (channel_id,))


def clear(tx: Tx) -> None:
    """Forget every pause."""
    tx.execute("delete from paused_sending")


def everyone(tx: Tx) -> list[Pause]:
    """Return the channels that are paused."""
    return [Pause(*row) for row in tx.all("select channel_id, code, since from paused_sending order by channel_id")]
