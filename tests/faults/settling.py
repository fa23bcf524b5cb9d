"""Waiting until a gateway that lives again has done all that can be done."""

from __future__ import annotations

import apsw

from tests.faults.actors import World, until
from tests.faults.lives import Life

# What can be done now: not a message behind one whose outcome is unknown, for that one waits two minutes for word from the provider.
LEFT = """
select (select count(*) from action where state = 'running')
     + (select count(*) from outbox o where state in ('queued', 'sending') and not exists
        (select 1 from outbox e where e.recipient = o.recipient and e.channel_id = o.channel_id and e.state = 'unknown'))
"""


async def settle(around: World, life: Life | None = None) -> None:
    """Wait until nothing is left to do, or until `life` ends; after faults stop, all work ends."""
    connection = apsw.Connection(str(around.home.store), apsw.SQLITE_OPEN_READONLY)
    try:
        await until(
            lambda: connection.execute(LEFT).fetchall() == [(0,)] or (life is not None and not life.process.is_alive()),
            around.provider.changed,
            60,
        )
    finally:
        connection.close()
