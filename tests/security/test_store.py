"""Units that leave something behind on the writer's connection must not keep the log from being copied, nor the store from writing."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from core.store.api import Tx
from core.store.sqlite import open_store


def test_a_unit_that_reads_only_its_first_row_keeps_no_checkpoint_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = open_store(tmp_path / "parley.db", checkpoint_pages=1)

    def unit(tx: Tx, number: int) -> int:
        tx.execute("insert into ticket (hash, kind, subject, expires_at) values (?, 'x', 'y', 0)", (b"%d" % number,))
        row = tx.one("select hash from ticket order by hash")
        assert row is not None
        return int(row[0])

    with caplog.at_level(logging.WARNING):
        for number in range(20):
            store.write_sync(lambda tx, number=number: unit(tx, number))  # type: ignore[misc]
        store.close()
    assert caplog.records == []
