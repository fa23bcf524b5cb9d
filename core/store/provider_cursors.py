"""Statements over how far the list of a provider has been read, which is also the last sign of life of the gateway for that channel."""

from __future__ import annotations

from dataclasses import dataclass

from core.store.api import Tx


@dataclass(frozen=True, slots=True)
class ProviderCursor:
    """Everything that a provider got until `read_up_to`, ms UTC, is in the record. `mark` is where to go on in a numbered list."""

    read_up_to: int
    mark: str


def find(tx: Tx, channel_id: str) -> ProviderCursor | None:
    """Return the cursor of a channel, None if its list was never read."""
    row = tx.one("select read_up_to, mark from provider_cursor where channel_id = ?", (channel_id,))
    return None if row is None else ProviderCursor(*row)


def move(tx: Tx, channel_id: str, cursor: ProviderCursor) -> None:
    """Note how far the list of a channel has been read."""
    tx.execute(
        "insert into provider_cursor (channel_id, read_up_to, mark) values (?, ?, ?)"
        " on conflict (channel_id) do update set read_up_to = excluded.read_up_to, mark = excluded.mark",
        (channel_id, cursor.read_up_to, cursor.mark),
    )
