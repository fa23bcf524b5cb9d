from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateway.running import Running, running


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started
