"""Mails are read side by side: those of one sender still come in in their order, and one that fails holds up nobody."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.store import kept_requests
from gateway.mail import reading
from tests.gateway.mail.room import ANNA, OURS, Room, letter, mailroom

BOB = "bob@customer.example"


async def keep_all(room: Room, mails: Sequence[tuple[str, str]]) -> None:
    """Have mails wait at once, in this order: of each who wrote it and what."""
    gateway = room.parley.gateway
    about = '{"method": "MAIL", "url": "", "headers": {"mail-from": "%s", "rcpt-to": "%s"}, "received_at": 1, "remote": ""}'
    kept = [
        (f"k{number:03}", about % (sender, OURS), gateway.blobs.keep(letter(text, number, From=sender)))
        for number, (sender, text) in enumerate(mails)
    ]

    def unit(tx: Any) -> None:
        for request_id, request, body in kept:
            kept_requests.keep(tx, request_id, "mail", request, body, 1)

    await gateway.store.write(unit)
    gateway.hints.wake("kept_requests")


async def said_by(room: Room, address: str) -> list[str]:
    rows = await room.rows(
        "select m.text from message m join letter l on l.message_id = m.id"
        " where l.address = ? and m.direction = 'inbound' order by m.conversation_id, m.seq",
        address,
    )
    return [row[0].split()[0] for row in rows]


async def test_mails_of_one_sender_come_in_in_their_order(tmp_path: Path) -> None:
    count = reading.BATCH + 6
    long = " word" * 200_000  # takes a child far longer than the mails behind it
    mails = [(ANNA if number % 3 else BOB, f"n{number}{long if number % 10 == 0 else ''}") for number in range(count)]
    async with mailroom(tmp_path) as room:
        await keep_all(room, mails)
        await room.read(count)
        for sender in (ANNA, BOB):
            assert await said_by(room, sender) == [text.split()[0] for author, text in mails if author == sender]
        assert await room.rows("select count(*) from kept_request where attempts <> 1") == [(0,)]


async def test_one_that_fails_in_an_unforeseen_way_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    restored = reading.restored

    def defective(about: str, body: bytes) -> Any:
        if json.loads(about)["headers"]["mail-from"] == BOB:
            raise RuntimeError("a defect")
        return restored(about, body)

    monkeypatch.setattr(reading, "restored", defective)
    async with mailroom(tmp_path) as room:
        await keep_all(room, [(ANNA, "a1"), (BOB, "b1"), (ANNA, "a2"), (ANNA, "a3")])
        await room.read(3)
        assert await said_by(room, ANNA) == ["a1", "a2", "a3"]
        assert await room.rows("select state, attempts from kept_request where id = 'k001'") == [("waiting", 1)]


async def test_one_that_was_tried_before_is_taken_alone(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room:
        store = room.parley.gateway.store

        def unit(tx: Any) -> list[list[str]]:
            for number in range(5):
                kept_requests.keep(tx, f"k{number}", "other", "{}", f"b{number}", 1)
            tx.execute("update kept_request set attempts = 1 where id in ('k2', 'k3')")
            return [[kept.id for kept in kept_requests.claim(tx, 1, 10)] for _ in range(5)]

        assert await store.write(unit) == [["k0", "k1"], ["k2"], ["k3"], ["k4"], []]
