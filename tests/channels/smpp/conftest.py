"""A real SMPP server, and a gateway that binds to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.channels.smpp.centre import Centre, Start, running_centre
from tests.gateway.running import Running, running

CONFIG = """
mode = "demo"
[operator]
name = "Demo Telecom"
country = "KE"
currency = "KES"
languages = ["en", "fr", "sw"]
[dialogs]
project = "telecom"
[backend]
url = "demo"
[channels.smsc]
kind = "smpp"
address = "{address}"
host = "127.0.0.1"
port = {port}
system_id = "parley"
password = {{ env = "SMSC_PASSWORD" }}
reconnect_s = 0.05
{more}
"""


@pytest.fixture
async def centre(smpp_package: Path) -> AsyncIterator[Centre]:
    async with running_centre(smpp_package) as started:
        yield started


@pytest.fixture
def start(tmp_path: Path, centre: Centre, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Start a gateway that binds to the centre; again and again on the same data."""
    monkeypatch.setenv("SMSC_PASSWORD", "secret")

    def start(more: str = "", address: str = "40404") -> AbstractAsyncContextManager[Running]:
        config = tmp_path / "parley.toml"
        config.write_text(CONFIG.format(address=address, port=centre.port, more=more))
        return running(tmp_path / "data", config=config)

    return start
