"""Fixtures of the negative tests: a turn with a played dialog, and a whole gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.core.conftest import channels, played, store, world
from tests.gateway.running import Running, running

__all__ = ["channels", "parley", "played", "store", "world"]


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started
