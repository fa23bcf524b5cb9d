"""The gateway ends while it fetches an attachment; the next life has it, once, whatever the first had done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import apsw
import pytest

from tests.faults.actors import Sent, World, until, world
from tests.faults.lives import CRASHED, Home, make_home
from tests.gateway.media.provider import Provider, png

PICTURE = png()


def _home_at(files: Provider) -> Callable[..., Home]:
    return lambda folder, **addresses: make_home(folder, **addresses | {"provider": files.url})


def _with_picture(around: World, files: Provider) -> Sent:
    plain = around.sms(1, "+254711000077", "look")
    path = f"/2010-04-01/Accounts/{plain.body['AccountSid']}/Messages/SM1/Media/ME1"
    files.files[path] = PICTURE
    return Sent(plain.key, plain.path, {**plain.body, "NumMedia": "1", "MediaUrl0": files.url + path}, plain.token)


def _attachment(home: Home) -> tuple[str, Mapping[str, int]]:
    record = apsw.Connection(str(home.store), apsw.SQLITE_OPEN_READONLY)
    try:
        ((state, size),) = record.execute("select state, size from media").fetchall()
        events = record.execute("select kind, count(*) from event where kind like 'media.%' group by kind").fetchall()
        return str(state), {"size": size, **dict(events)}
    finally:
        record.close()


@pytest.mark.parametrize("point", ["media.claimed", "media.fetched", "media.kept"])
async def test_a_crash_on_the_way_of_an_attachment_loses_it_not(tmp_path: Path, point: str) -> None:
    async with Provider().running() as files, world(tmp_path, _home_at(files)) as around:
        life = await around.home.live(PARLEY_CRASH_AT=f"{point}:1")
        sent = _with_picture(around, files)
        assert await around.post(life.url, sent) is not None
        assert await life.ended() == CRASHED
        assert _attachment(around.home)[0] == "fetching"
        life = await around.home.live()
        await until(lambda: _attachment(around.home)[0] == "stored", asyncio.Event(), 30)
        life.stop()
        assert await life.ended() == 0
    assert _attachment(around.home) == ("stored", {"size": len(PICTURE), "media.stored": 1})
    assert len([path for path in files.paths if "/Media/" in path]) == (1 if point == "media.claimed" else 2)
    assert len([file for file in (around.home.data / "contents").rglob("*") if file.is_file()]) == 1
