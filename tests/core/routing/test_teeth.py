"""The guards bite: with each of them broken on purpose, the test that watches it must fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.routing import reach, speak, work
from core.routing.refused import Refused
from core.store import work_items
from core.store.sqlite import SqliteStore
from tests.core.routing import test_speak, test_work

Broken = tuple[Any, str, Any, Callable[[SqliteStore], None]]


def _assign_whatever_its_state(tx: Any, item_id: str, agent_id: str, at: int) -> bool:
    return bool(tx.execute("update work_item set state = 'working', agent_id = ?, claimed_at = ? where id = ?", (agent_id, at, item_id)))


BROKEN: dict[str, Broken] = {
    "a claim that does not look whether the item waits": (
        work_items, "assign", _assign_whatever_its_state, test_work.test_of_many_agents_at_once_exactly_one_gets_each_item,
    ),
    "a reply that does not look what is new": (
        speak, "_NEWER", "select 0 where ? is not ? or ? = ''",
        test_speak.test_a_reply_against_an_outdated_number_is_refused_and_leaves_nothing,
    ),
    "a reply that counts its writer's own words as unseen": (
        speak, "_NEWER", "select count(*) from message where conversation_id = ? and seq > ? and ? <> ''",
        test_speak.test_own_words_do_not_make_a_reply_outdated_but_a_colleagues_do,
    ),
    "a change of owner without a new epoch": (
        work, "_own", lambda tx, conversation, *_, **__: work.conversations.save(tx, conversation),
        test_work.test_a_claim_makes_the_agent_the_owner_with_a_new_epoch,
    ),
    "a way to somebody who opted out": (
        reach, "_SPOKE_SINCE", "select 1 where ? <> '' and ? <> '' and ? <> '' and ? <> ''",
        test_speak.test_who_opted_out_is_not_written_to_until_they_write_again,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_guard_is_noticed(name: str, store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    module, attribute, broken, watching = BROKEN[name]
    monkeypatch.setattr(module, attribute, broken)
    with pytest.raises((AssertionError, pytest.fail.Exception, Refused)):
        watching(store)
