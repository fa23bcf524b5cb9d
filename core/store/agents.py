"""SQL of agents and of their sessions. Must not decide anything: rules are in `core.agents`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.model.ids import AgentId
from core.store.api import Row, Tx


class Role(StrEnum):
    """What an agent may do; each role contains the ones before it."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"

    def covers(self, needed: Role) -> bool:
        """Return whether this role may do what `needed` may."""
        return _ORDER.index(self) >= _ORDER.index(needed)


_ORDER = tuple(Role)


@dataclass(frozen=True, slots=True)
class Agent:
    """One account. `created_at` and `disabled_at` in ms UTC; `phone`, in E.164, is where callers are put through to this agent."""

    id: AgentId
    login: str
    name: str
    role: Role
    created_at: int
    disabled_at: int | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in of an agent; times in ms UTC."""

    agent: Agent
    created_at: int
    seen_at: int


AT_WORK_MS = 10 * 60_000
_COLUMNS = "a.id, a.login, a.name, a.role, a.created_at, a.disabled_at, a.phone"


def _agent(row: Row) -> Agent:
    return Agent(AgentId(row[0]), row[1], row[2], Role(row[3]), row[4], row[5], row[6])


def insert(tx: Tx, agent: Agent, password_hash: str) -> bool:
    """Add an account; False if the id or the login is taken."""
    sql = """insert into agent (id, login, name, role, password_hash, created_at) values (?, ?, ?, ?, ?, ?)
             on conflict do nothing"""
    return tx.execute(sql, (agent.id, agent.login, agent.name, agent.role, password_hash, agent.created_at)) == 1


def find(tx: Tx, agent_id: str) -> Agent | None:
    """Return the account with this id."""
    row = tx.one(f"select {_COLUMNS} from agent a where a.id = ?", (agent_id,))  # noqa: S608 - constant columns
    return _agent(row) if row else None


def find_by_login(tx: Tx, login: str) -> tuple[Agent, str] | None:
    """Return the account with this login and its password hash."""
    row = tx.one(f"select {_COLUMNS}, a.password_hash from agent a where a.login = ?", (login,))  # noqa: S608
    return (_agent(row), row[7]) if row else None


def everyone(tx: Tx) -> list[Agent]:
    """Return all accounts by login, disabled ones included."""
    return [_agent(row) for row in tx.all(f"select {_COLUMNS} from agent a order by a.login")]  # noqa: S608


def names(tx: Tx) -> dict[str, str]:
    """Return the name of each agent by id."""
    return {row[0]: row[1] for row in tx.all("select id, name from agent")}


def set_disabled(tx: Tx, agent_id: str, at: int | None) -> None:
    """Disable an account at `at`, or enable it with None."""
    tx.execute("update agent set disabled_at = ? where id = ?", (at, agent_id))


def set_role(tx: Tx, agent_id: str, role: Role) -> None:
    """Give an account another role."""
    tx.execute("update agent set role = ? where id = ?", (role, agent_id))


def set_phone(tx: Tx, agent_id: str, phone: str | None) -> None:
    """Note on which phone an agent takes callers, or with None on none."""
    tx.execute("update agent set phone = ? where id = ?", (phone, agent_id))


def set_password(tx: Tx, agent_id: str, password_hash: str) -> None:
    """Replace the password hash of an account."""
    tx.execute("update agent set password_hash = ? where id = ?", (password_hash, agent_id))


def open_session(tx: Tx, token_hash: bytes, agent_id: str, at: int) -> None:
    """Record a sign-in."""
    tx.execute("insert into agent_session (token_hash, agent_id, created_at, seen_at) values (?, ?, ?, ?)", (token_hash, agent_id, at, at))


def session(tx: Tx, token_hash: bytes) -> Session | None:
    """Return the session of this token with its agent."""
    sql = f"select {_COLUMNS}, s.created_at, s.seen_at from agent_session s join agent a on a.id = s.agent_id where s.token_hash = ?"  # noqa: S608
    row = tx.one(sql, (token_hash,))
    return Session(_agent(row), row[7], row[8]) if row else None


def any_at_work(tx: Tx, at: int, within_ms: int = AT_WORK_MS) -> bool:
    """Tell whether somebody is signed in and was heard of within so many ms."""
    sql = "select 1 from agent_session s join agent a on a.id = s.agent_id where a.disabled_at is null and s.seen_at > ? limit 1"
    return tx.one(sql, (at - within_ms,)) is not None


def touch_session(tx: Tx, token_hash: bytes, at: int) -> None:
    """Record that the agent did something."""
    tx.execute("update agent_session set seen_at = ? where token_hash = ? and seen_at < ?", (at, token_hash, at))


def end_session(tx: Tx, token_hash: bytes) -> None:
    """Forget one session."""
    tx.execute("delete from agent_session where token_hash = ?", (token_hash,))


def end_sessions(tx: Tx, agent_id: str) -> None:
    """Forget every session of an agent."""
    tx.execute("delete from agent_session where agent_id = ?", (agent_id,))


def purge_sessions(tx: Tx, created_before: int, seen_before: int) -> None:
    """Forget the sessions that are over."""
    tx.execute("delete from agent_session where created_at < ? or seen_at < ?", (created_before, seen_before))
