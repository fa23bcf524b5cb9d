"""The gateway ends at each named point between a mail's last line and its answer; then it lives again, and the mail is answered once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import aiosmtplib
import apsw
import pytest
from aiosmtpd.smtp import Envelope

from tests.channels.mail.relay import relay
from tests.faults.lives import CRASHED
from tests.faults.mail_life import OURS, start
from tests.faults.test_crash_points import points

ANNA = "anna@customer.example"
PATIENCE_S = 120.0
RAW = f"From: {ANNA}\r\nTo: {OURS}\r\nSubject: x\r\nMessage-ID: <a1@customer.example>\r\n\r\nbalance\r\n"
POINTS = [name for name in points() if name.startswith("kept.")]


async def post(port: int) -> bool:
    """Hand the mail over; tell whether it was answered with 250."""
    with suppress(aiosmtplib.SMTPException, OSError):
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False, timeout=PATIENCE_S) as client:
            await client.sendmail(ANNA, [OURS], RAW)
            return True
    return False


class _Told(list[Envelope]):
    """What a relay got, with word of the first."""

    def __init__(self) -> None:
        super().__init__()
        self.first = asyncio.Event()

    def append(self, item: Envelope) -> None:
        super().append(item)
        self.first.set()


def test_there_are_points() -> None:
    assert len(POINTS) == 6


@pytest.mark.parametrize("point", POINTS)
async def test_a_mail_that_was_answered_with_250_survives_and_is_answered_once(tmp_path: Path, point: str) -> None:
    async with relay() as server, asyncio.timeout(PATIENCE_S):
        server.got = told = _Told()
        process, wire, port = await asyncio.to_thread(start, tmp_path, server.port, PARLEY_CRASH_AT=f"{point}:1")
        taken = await post(port)
        await asyncio.to_thread(process.join)
        wire.close()
        assert process.exitcode == CRASHED
        assert not (taken and point in {"kept.before", "kept.content"}), "answered before it was safe"
        process, wire, port = await asyncio.to_thread(start, tmp_path, server.port)
        if not taken:
            assert await post(port)
        await told.first.wait()
        wire.close()
        await asyncio.to_thread(process.join)
        assert process.exitcode == 0
    store = apsw.Connection(str(tmp_path / "parley.db"), apsw.SQLITE_OPEN_READONLY)
    assert store.execute("select count(*) from message where direction = 'inbound'").fetchall() == [(1,)]
    assert store.execute("select count(*) from message where direction = 'outbound'").fetchall() == [(1,)]
    assert store.execute("select count(*) from kept_request where state <> 'unreadable'").fetchall() == [(1,)]
    store.close()
    assert len({bytes(one.content or b"") for one in told}) == 1  # type: ignore[arg-type]
