"""What a session with an SMS centre asks of the store: earlier arrivals of the same message, and the message of a receipt.

The centre gives a message no id, which is made up for here. Must not know the protocol.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.store.api import Tx


def last_arrival(tx: Tx, channel_id: str, digest: str, since: int, before: int) -> str | None:
    """Return the external id of the latest message `digest:…` that arrived between two times, ms UTC; None if there is none."""
    row = tx.one(
        "select external_id from inbound where channel_id = ? and external_id > ? and external_id < ? and received_at >= ?"
        " and received_at < ? order by received_at desc limit 1",
        (channel_id, f"{digest}:", f"{digest};", since, before),
    )
    return None if row is None else str(row[0])


def message_of_receipt(tx: Tx, channel_id: str, recipient: str, external_ids: Sequence[str]) -> str | None:
    """Return our id of the message to `recipient` that the centre knows by one of these ids; None if there is none."""
    places = ", ".join("?" * len(external_ids))
    sql = f"select message_id from outbox where channel_id = ? and external_id in ({places}) and recipient = ?"  # noqa: S608 - constants
    row = tx.one(f"{sql} order by position desc limit 1", (channel_id, *external_ids, recipient))
    return None if row is None else str(row[0])
