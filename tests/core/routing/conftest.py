from collections.abc import Iterator
from pathlib import Path

import pytest

from core.store.sqlite import SqliteStore, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path / "parley.db", synchronous="normal")
    yield opened
    opened.close()
