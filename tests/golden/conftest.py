"""Golden conversations: every YAML file below this folder is a test; `pytest tests/golden --update` writes what the bot says now."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "conversation" in metafunc.fixturenames:
        here = Path(__file__).parent
        paths = sorted(here.glob("*/*.yaml"))
        metafunc.parametrize("conversation", paths, ids=[str(path.relative_to(here).with_suffix("")) for path in paths])
