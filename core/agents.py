"""Accounts of agents and their sign-ins: the rules that hold whoever asks, the desk or the command line.

Passwords arrive here as hashes and tokens as their digests; what is secret never enters the core.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from core.model.ids import AgentId
from core.routing import work
from core.store import agents as rows
from core.store.agents import Agent, Role, Session
from core.store.api import Tx

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,63}")
_NAME_MAX = 80
TOUCH_EVERY_MS = 60_000


class AgentRefused(Exception):
    """A change of an account is not possible. `code`: bad_login, bad_name, bad_role, login_taken, not_found, last_admin."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a sign-in lasts without activity, and at the most; in ms."""

    idle_ms: int = 30 * 60_000
    absolute_ms: int = 12 * 3_600_000


def normal_login(login: str) -> str:
    """Return the one spelling of a login name under which it is stored."""
    return login.strip().lower()


def add(tx: Tx, agent_id: str, login: str, name: str, role: str, password_hash: str, at: int) -> Agent:
    """Create an account; raises `AgentRefused`."""
    login, name = normal_login(login), " ".join(name.split())
    if not _LOGIN.fullmatch(login):
        raise AgentRefused("bad_login", "A login has 2 to 64 of the characters a-z, 0-9 and . _ @ + -, and begins with a letter or digit.")
    if not name or len(name) > _NAME_MAX or not name.isprintable():
        raise AgentRefused("bad_name", f"A name has 1 to {_NAME_MAX} printable characters.")
    agent = Agent(id=AgentId(agent_id), login=login, name=name, role=_role(role), created_at=at)
    if not rows.insert(tx, agent, password_hash):
        raise AgentRefused("login_taken", f"The login {login} is taken.")
    return agent


def _role(role: str) -> Role:
    if role not in set(Role):
        raise AgentRefused("bad_role", f"A role is one of {', '.join(Role)}.")
    return Role(role)


def _existing(tx: Tx, agent_id: str) -> Agent:
    agent = rows.find(tx, agent_id)
    if agent is None:
        raise AgentRefused("not_found", "There is no such agent.")
    return agent


def disable(tx: Tx, agent_id: str, at: int) -> Agent:
    """Close an account, end its sessions and give its work back to the queue; raises `AgentRefused`."""
    agent = _existing(tx, agent_id)
    if agent.disabled_at is not None:
        return agent
    _keep_an_admin(tx, agent)
    rows.set_disabled(tx, agent.id, at)
    rows.end_sessions(tx, agent.id)
    work.return_all(tx, agent.id, at)
    return _existing(tx, agent_id)


def enable(tx: Tx, agent_id: str) -> Agent:
    """Open a disabled account again; raises `AgentRefused`."""
    rows.set_disabled(tx, _existing(tx, agent_id).id, None)
    return _existing(tx, agent_id)


def set_role(tx: Tx, agent_id: str, role: str) -> Agent:
    """Give an account another role; raises `AgentRefused`."""
    agent, wanted = _existing(tx, agent_id), _role(role)
    if wanted is not Role.ADMIN:
        _keep_an_admin(tx, agent)
    rows.set_role(tx, agent.id, wanted)
    return _existing(tx, agent_id)


def set_phone(tx: Tx, agent_id: str, phone: str | None) -> Agent:
    """Note on which phone, in E.164, an agent takes callers, or with None on none; raises `AgentRefused`."""
    rows.set_phone(tx, _existing(tx, agent_id).id, phone)
    return _existing(tx, agent_id)


def _keep_an_admin(tx: Tx, leaving: Agent) -> None:
    if leaving.role is not Role.ADMIN:
        return
    others = [agent for agent in rows.everyone(tx) if agent.role is Role.ADMIN and agent.disabled_at is None and agent.id != leaving.id]
    if not others:
        raise AgentRefused("last_admin", "This is the last admin; make someone else admin first.")


def set_password(tx: Tx, agent_id: str, password_hash: str) -> Agent:
    """Replace a password and end every session that was opened with the old one; raises `AgentRefused`."""
    agent = _existing(tx, agent_id)
    rows.set_password(tx, agent.id, password_hash)
    rows.end_sessions(tx, agent.id)
    return agent


def list_agents(tx: Tx) -> list[Agent]:
    """Return every account by login, disabled ones included."""
    return rows.everyone(tx)


def credentials(tx: Tx, login: str) -> tuple[Agent, str] | None:
    """Return the account that may sign in with this login, and its password hash."""
    found = rows.find_by_login(tx, normal_login(login))
    return found if found and found[0].disabled_at is None else None


def token_hash(token: str) -> bytes:
    """Return the digest under which a session token is stored."""
    return sha256(token.encode()).digest()


def open_session(tx: Tx, token: str, agent_id: str, at: int, limits: SessionLimits, *, replaces: str | None = None) -> None:
    """Record a sign-in with a new `token`; the one that it `replaces` ends, and so do those that are over."""
    if replaces:
        rows.end_session(tx, token_hash(replaces))
    rows.purge_sessions(tx, at - limits.absolute_ms, at - limits.idle_ms)
    rows.open_session(tx, token_hash(token), agent_id, at)


def live_session(tx: Tx, token: str, at: int, limits: SessionLimits) -> Session | None:
    """Return the session of `token`, unless it is over or its agent is disabled."""
    session = rows.session(tx, token_hash(token))
    if session is None or session.agent.disabled_at is not None:
        return None
    over = at - session.created_at >= limits.absolute_ms or at - session.seen_at >= limits.idle_ms
    return None if over else session


def touch_session(tx: Tx, token: str, at: int) -> None:
    """Record that the agent did something; to be called at most each `TOUCH_EVERY_MS`."""
    rows.touch_session(tx, token_hash(token), at)


def end_session(tx: Tx, token: str) -> None:
    """Sign out."""
    rows.end_session(tx, token_hash(token))
