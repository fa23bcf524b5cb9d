"""Accounts and sign-ins: how long they last, and what ends them."""

from __future__ import annotations

import pytest

from core import agents
from core.agents import AgentRefused, SessionLimits
from core.store.sqlite import SqliteStore
from tests.core.routing.people import NOW, add_agent

LIMITS = SessionLimits(idle_ms=1_000, absolute_ms=5_000)


def live(store: SqliteStore, token: str, at: int) -> bool:
    return store.read_sync(lambda tx: agents.live_session(tx, token, at, LIMITS)) is not None


def test_a_session_ends_after_idling(store: SqliteStore) -> None:
    amina = store.write_sync(lambda tx: add_agent(tx, "amina"))
    store.write_sync(lambda tx: agents.open_session(tx, "t", amina.id, NOW, LIMITS))
    assert live(store, "t", NOW + 999)
    assert not live(store, "t", NOW + 1_000)
    store.write_sync(lambda tx: agents.touch_session(tx, "t", NOW + 900))
    assert live(store, "t", NOW + 1_899)


def test_a_session_ends_at_last_however_busy_its_agent_is(store: SqliteStore) -> None:
    amina = store.write_sync(lambda tx: add_agent(tx, "amina"))
    store.write_sync(lambda tx: agents.open_session(tx, "t", amina.id, NOW, LIMITS))
    for step in range(0, 5_000, 500):
        store.write_sync(lambda tx, step=step: agents.touch_session(tx, "t", NOW + step))
    assert live(store, "t", NOW + 4_999)
    assert not live(store, "t", NOW + 5_000)


def test_sessions_that_are_over_leave_no_rows(store: SqliteStore) -> None:
    amina = store.write_sync(lambda tx: add_agent(tx, "amina"))
    store.write_sync(lambda tx: agents.open_session(tx, "old", amina.id, NOW, LIMITS))
    store.write_sync(lambda tx: agents.open_session(tx, "new", amina.id, NOW + 10_000, LIMITS))
    assert store.read_sync(lambda tx: tx.one("select count(*) from agent_session")) == (1,)


def test_a_new_password_and_a_disabled_account_end_every_session(store: SqliteStore) -> None:
    store.write_sync(lambda tx: add_agent(tx, "root", "admin"))
    amina = store.write_sync(lambda tx: add_agent(tx, "amina"))
    for change in (lambda tx: agents.set_password(tx, amina.id, "new"), lambda tx: agents.disable(tx, amina.id, NOW)):
        store.write_sync(lambda tx: agents.open_session(tx, "t", amina.id, NOW, LIMITS))
        store.write_sync(change)
        assert not live(store, "t", NOW)


def test_a_disabled_account_may_not_sign_in_until_it_is_enabled(store: SqliteStore) -> None:
    store.write_sync(lambda tx: add_agent(tx, "root", "admin"))
    amina = store.write_sync(lambda tx: add_agent(tx, "amina"))
    store.write_sync(lambda tx: agents.disable(tx, amina.id, NOW))
    assert store.read_sync(lambda tx: agents.credentials(tx, "amina")) is None
    store.write_sync(lambda tx: agents.enable(tx, amina.id))
    assert store.read_sync(lambda tx: agents.credentials(tx, " AMINA "))[0].id == amina.id


@pytest.mark.parametrize(
    ("login", "name", "role", "code"),
    [
        ("a", "A", "agent", "bad_login"),
        ("a b", "A", "agent", "bad_login"),
        ("amina\n", "A", "boss", "bad_role"),
        ("ok", " ", "agent", "bad_name"),
        ("ok", "x" * 81, "agent", "bad_name"),
        ("Taken", "A", "agent", "login_taken"),
    ],
)
def test_what_makes_no_account_is_refused(store: SqliteStore, login: str, name: str, role: str, code: str) -> None:
    store.write_sync(lambda tx: add_agent(tx, "taken"))
    with pytest.raises(AgentRefused) as refused:
        store.write_sync(lambda tx: agents.add(tx, "id", login, name, role, "-", NOW))
    assert refused.value.code == code


def test_the_last_admin_neither_leaves_nor_steps_down(store: SqliteStore) -> None:
    root = store.write_sync(lambda tx: add_agent(tx, "root", "admin"))
    for change in (lambda tx: agents.disable(tx, root.id, NOW), lambda tx: agents.set_role(tx, root.id, "agent")):
        with pytest.raises(AgentRefused) as refused:
            store.write_sync(change)
        assert refused.value.code == "last_admin"
    store.write_sync(lambda tx: add_agent(tx, "second", "admin"))
    assert store.write_sync(lambda tx: agents.disable(tx, root.id, NOW)).disabled_at == NOW
