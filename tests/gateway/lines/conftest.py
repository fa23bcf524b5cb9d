"""A gateway whose callers wait in a queue at Twilio, an agent at the desk, and the part of Twilio that changes calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.channels.demo import demo_with
from tests.channels.voice_twilio.calling import CHANNEL
from tests.gateway.desk.signed import Signed, signed_in
from tests.gateway.lines.queued import Api
from tests.gateway.running import Running, running


@pytest.fixture
async def api() -> AsyncIterator[tuple[Api, str]]:
    made, app = Api(), web.Application()
    app.router.add_post("/2010-04-01/Accounts/{sid}/Calls/{call}.json", made.change)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield made, f"http://{host}:{port}"
    await runner.cleanup()


@pytest.fixture
async def parley(tmp_path: Path, api: tuple[Api, str]) -> AsyncIterator[Running]:
    channel = f'{CHANNEL}api_base = "{api[1]}"\nvoices = ["en-US", "fr-FR"]\ndial = ["* queue:helpers"]\n'
    async with running(tmp_path / "data", config=demo_with(tmp_path, channel)) as started:
        yield started


@pytest.fixture
async def desk(parley: Running) -> AsyncIterator[Signed]:
    async with signed_in(parley) as agent:
        yield agent
