"""No statement of a running gateway reads a whole table that grows: found by asking the database for the plan of each that was run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.store.api import Tx
from core.store.connection import SqliteTx
from tests.gateway.desk.signed import signed_in
from tests.gateway.running import ANNA, running

GROWS = {
    "action",
    "attempt",
    "case_file",
    "contact_medium",
    "conversation",
    "delivery_report",
    "event",
    "inbound",
    "interaction",
    "media",
    "message",
    "one_time_code",
    "outbox",
    "party",
    "timer",
    "unreadable",
    "work_item",
}
# Indexes that hold only what is under way, or are read in their order up to a limit.
ENDS_EARLY = {
    "action_due",
    "delivery_report_open",
    "media_due",
    "outbox_dead",
    "timer_due",
    "unreadable_again",
    "unreadable_open",
    "work_item_live",
}
# Once at a start.
ALLOWED = ("update outbox set due_at = ? where state = 'sending'", "select message_id from outbox where state in")


def scans(tx: Tx, statements: set[str]) -> list[str]:
    found = []
    for sql in sorted(statements):
        if not sql.lstrip().lower().startswith(("select", "update", "delete", "with")) or sql.startswith(ALLOWED):
            continue
        for *_, detail in tx.all(f"explain query plan {sql}", [None] * sql.count("?")):
            words = detail.split()
            if words[0] == "SCAN" and not ENDS_EARLY & set(words) and real_name(words[1], sql) in GROWS:
                found.append(f"{detail}: {sql}")
    return found


def real_name(name: str, sql: str) -> str:
    """Return the table behind an alias."""
    words = sql.replace(",", " ").replace("(", " ").replace(")", " ").split()
    return next((words[place - 1] for place in range(1, len(words)) if words[place] == name and words[place - 1] in GROWS), name)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Everything that any transaction runs."""
    seen: set[str] = set()
    for name in ("execute", "one", "all"):
        original = getattr(SqliteTx, name)

        def noted(self: Any, sql: str, args: Any = (), *, original: Any = original) -> Any:
            seen.add(sql)
            return original(self, sql, args)

        monkeypatch.setattr(SqliteTx, name, noted)
    return seen


async def test_no_statement_reads_a_growing_table_from_end_to_end(tmp_path: Path, statements: set[str]) -> None:
    async with running(tmp_path) as parley:
        for text in ("", "1", "1*0", "2", "2*50"):
            await parley.dial(text, session=f"s{text}")
        await parley.dial("", session="t")
        await parley.dial("8", session="t")
        assert parley.gateway.demo is not None
        for text in ("agent", "hello"):
            await parley.gateway.demo.twilio.deliver(ANNA, "+254711082000", text)
        await parley.gateway.demo.twilio.reported()
        items = await parley.rows("select id, conversation_id from work_item order by number")
        async with signed_in(parley) as agent:
            await agent.lists()
            assert (await agent.post(f"/desk/api/items/{items[0][0]}/claim"))[0] == 200
            seen = (await agent.conversation(items[0][1]))["conversation"]["seq"]
            assert (await agent.reply(items[0][1], "Hello", seen))[0] == 200
            assert (await agent.post(f"/desk/api/items/{items[0][0]}/close", {"disposition": "resolved"}))[0] == 200
        kept = {sql for sql in statements if "work_item order by number" not in sql}  # that one is the test's own
        assert len(kept) > 60
        assert await parley.gateway.store.read(lambda tx: scans(tx, kept)) == []
        bad = {"select id from action where state in ('waiting', 'running') and conversation_id = ?"}
        assert len(await parley.gateway.store.read(lambda tx: scans(tx, bad))) == 1
