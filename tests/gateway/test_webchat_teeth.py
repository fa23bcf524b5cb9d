"""The tests of the web chat have teeth: with a guard broken, what they look at goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.store import threads, tickets
from core.store.api import Tx
from tests.gateway.running import running
from tests.gateway.webchat_client import Window


async def test_a_ticket_that_is_read_and_not_used_up_opens_two_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def only_read(tx: Tx, ticket: str, kind: str, now: int) -> str | None:
        row = tx.one("select subject from ticket where hash = ? and kind = ? and expires_at > ?", (tickets._hash(ticket), kind, now))
        return None if row is None else str(row[0])

    monkeypatch.setattr(tickets, "redeem", only_read)
    async with running(tmp_path) as parley, Window(parley.gateway.url) as window:
        ticket = await window.ticket()
        await window.open(ticket)
        assert await window.open(ticket), "the second window was refused, though nothing uses the ticket up"


async def test_a_message_left_out_is_noticed_by_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = threads.after
    monkeypatch.setattr(threads, "after", lambda *args: [entry for entry in whole(*args) if entry.number != 2])
    async with running(tmp_path) as parley, Window(parley.gateway.url) as window:
        await window.open()
        for number in (1, 2):
            await window.say("hello", f"m{number}")
        with pytest.raises(AssertionError, match="missing"):
            await window.until("message", id="m2")


async def test_a_gateway_that_forgets_where_a_window_was_repeats_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = threads.after

    def from_the_start(tx: Tx, address: str, number: int, limit: int) -> list[Any]:
        del number
        return whole(tx, address, 0, limit)

    async with running(tmp_path) as parley, Window(parley.gateway.url) as window:
        await window.open()
        await window.say("one", "m1")
        await window.until("message", direction="outbound")
        monkeypatch.setattr(threads, "after", from_the_start)
        await window.socket.close()
        await window.open()
        with pytest.raises(AssertionError, match="missing"):
            await window.until("message")
