"""Turns that go wrong, requests that cannot be read, a disk that is full: an answer each time, and nothing half written."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import apsw

from core.model.dialog import Said
from dialogs.engine import Engine
from tests.faults.actors import Sent, World, world
from tests.faults.checker import verdict
from tests.faults.lives import make_home
from tests.faults.settling import settle

MSISDN = "+254711000088"


def rows(around: World, sql: str) -> list[tuple[Any, ...]]:
    store = apsw.Connection(str(around.home.store), apsw.SQLITE_OPEN_READONLY)
    try:
        return store.execute(sql).fetchall()
    finally:
        store.close()


def raise_at_boom() -> None:
    """Give the dialogs a defect: one text that they cannot take."""
    advance = Engine.advance

    def fragile(self: Engine, state: Any, what: Any, context: Any) -> Any:
        if isinstance(what, Said) and what.texts == ("boom",):
            raise ZeroDivisionError
        return advance(self, state, what, context)

    Engine.advance = fragile  # type: ignore[method-assign]


async def test_a_flow_that_raises_costs_an_apology_then_a_person_and_never_a_message(tmp_path: Path) -> None:
    async with world(tmp_path, make_home) as around:
        life = await around.home.live(spoil=raise_at_boom)
        said = ("menu", "boom", "boom", "boom")
        answers = [await around.post(life.url, around.sms(number, MSISDN, text, "twiml")) for number, text in enumerate(said)]
        again = [await around.post(life.url, around.sms(number, MSISDN, text, "twiml")) for number, text in enumerate(said)]
        others = await around.post(life.url, around.sms(99, "+254711000099", "menu", "twiml"))
        life.stop()
        assert await life.ended() == 0
        found = verdict(around.home.store, around.history, around.provider)
    assert answers == again
    assert b"Kiosk" in (answers[0] or b"")
    assert b"went wrong" in (answers[1] or b"")
    assert b"colleague" in (answers[2] or b"")
    assert b"Kiosk" in (others or b"")
    assert found.wrong == []
    told = rows(around, f"select text from message where direction = 'inbound' and address = '{MSISDN}' order by seq")
    assert [text for (text,) in told] == list(said)
    assert rows(around, "select state, reason from work_item") == [("waiting", "flow_failed")]
    assert "boom" not in around.home.log.read_text(encoding="utf-8")


async def test_an_authenticated_request_that_nobody_can_read_is_kept_and_answered(tmp_path: Path) -> None:
    async with world(tmp_path, make_home) as around:
        life = await around.home.live()
        good = around.ussd("s1", MSISDN, "")
        bodies: list[dict[str, str]] = [
            {},
            {"sessionId": "s1"},
            {**good.body, "phoneNumber": "nobody"},
            {**good.body, "sessionId": "x" * 9_000},
        ]
        for number, body in enumerate(bodies):
            assert await around.post(life.url, Sent(("ussd", f"unreadable {number}"), good.path, body)) is not None
        signed = around.sms(1, MSISDN, "menu")
        strange = Sent(("sms", "unreadable"), signed.path, {**signed.body, "MessageSid": "strange"}, signed.token)
        assert await around.post(life.url, strange) is not None
        assert await around.post(life.url, good) is not None
        life.stop()
        assert await life.ended() == 0
    kept = rows(around, "select channel_id, code, length(raw) > 0 from unreadable order by received_at")
    assert [channel for channel, _, _ in kept] == ["ussd"] * 4 + ["sms"]
    assert rows(around, "select count(*) from inbound") == [(1,)]
    assert rows(around, "select count(*) from message where direction = 'inbound'") == [(1,)]


async def test_a_full_disk_is_answered_503_and_the_gateway_recovers_by_itself(tmp_path: Path) -> None:
    async with world(tmp_path, make_home) as around:
        life = await around.home.live()
        numbers = iter(range(10_000))

        async def write() -> bool:
            number = next(numbers)
            return await around.post(life.url, around.sms(number, f"+25471{number:07d}", "menu")) is not None

        assert await write()
        pid = life.process.pid or 0
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (8_192, before[1]))  # no file may grow any more, as on a disk that is full
        refused = [await write() for _ in range(20)]
        async with around.session.get(life.url + "/") as page:
            assert page.status == 200  # what needs no write goes on
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        recovered = await write()
        await settle(around)
        life.stop()
        assert await life.ended() == 0
        found = verdict(around.home.store, around.history, around.provider)
    assert refused == [False] * 20
    assert recovered
    assert around.history.statuses == {200: 2, 503: 20}
    assert found.wrong == []
