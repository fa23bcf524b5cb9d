"""Conversations in the states that tests of agents' work begin with."""

from __future__ import annotations

import pytest

from core.routing import work
from core.routing.refused import Refused
from core.store import conversations
from core.store.agents import Agent
from core.store.api import Tx
from core.store.sqlite import SqliteStore
from tests.core.routing.people import NOW, add_agent, customer_says, hand_over


def queued(tx: Tx) -> tuple[str, str]:
    conversation_id = customer_says(tx, "agent please")
    return conversation_id, hand_over(tx)


def two_agents(tx: Tx) -> tuple[Agent, Agent]:
    return add_agent(tx, "amina"), add_agent(tx, "boris")


def refusal(store: SqliteStore, unit: object) -> Refused:
    with pytest.raises(Refused) as caught:
        store.write_sync(unit)
    return caught.value


def working(store: SqliteStore) -> tuple[str, str, Agent, int]:
    conversation_id, item_id = store.write_sync(queued)
    amina = store.write_sync(lambda tx: add_agent(tx, "amina"))
    store.write_sync(lambda tx: work.claim(tx, item_id, amina, NOW))
    return conversation_id, item_id, amina, store.read_sync(lambda tx: conversations.load(tx, conversation_id).seq)
