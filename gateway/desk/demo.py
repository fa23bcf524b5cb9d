"""Accounts of the demo: their passwords follow from the key of the data folder, so that they can be shown again at each start.

Must not be used in production mode.
"""

from __future__ import annotations

import asyncio

from config.keys import Keys
from core import agents
from core.clock import Clock
from core.store.api import Store, Tx
from gateway.desk.passwords import Passwords

_ACCOUNTS = (("agent", "Demo Agent", "agent"), ("supervisor", "Demo Supervisor", "supervisor"), ("admin", "Demo Admin", "admin"))
_PHONES = {"agent": "+254711082112", "supervisor": "+254711082113"}


def demo_accounts(keys: Keys) -> list[tuple[str, str, str]]:
    """Return login, role and password of each demo account."""
    return [(login, role, _password(keys, login)) for login, _, role in _ACCOUNTS]


def _password(keys: Keys, login: str) -> str:
    digits = keys.token(f"desk/demo/{login}")
    return f"demo-{digits[:4]}-{digits[4:8]}-{digits[8:12]}"


async def ensure_demo_accounts(store: Store, keys: Keys, clock: Clock) -> None:
    """Create the demo accounts that are missing; one that exists stays as it is, whatever its password."""
    known = {agent.login for agent in await store.read(agents.list_agents)}
    missing = [account for account in _ACCOUNTS if account[0] not in known]
    if not missing:
        return
    passwords = Passwords()
    try:
        hashes = await asyncio.gather(*(passwords.hash(_password(keys, login), login=login) for login, _, _ in missing))
    finally:
        passwords.close()
    accounts = [(clock.new_id(), *account, password_hash) for account, password_hash in zip(missing, hashes, strict=True)]
    at = clock.now_ms()

    def create(tx: Tx) -> None:
        for agent_id, login, name, role, password_hash in accounts:
            agents.add(tx, agent_id, login, name, role, password_hash, at)
            agents.set_phone(tx, agent_id, _PHONES.get(login))

    await store.write(create)
