"""Contents that nothing names go after a day, and nothing else does."""

from __future__ import annotations

import os
from pathlib import Path

from core.store import kept_requests
from gateway.media.sweep import AGE_S, sweep
from tests.gateway.media.provider import Provider, account_path, gateway_at, png, sends_mms, settled
from tests.gateway.running import Running

PICTURE = png()


def kept(parley: Running, content: bytes, *, age_s: float) -> str:
    """Keep a content as if that had been some time ago."""
    digest = parley.gateway.blobs.keep(content)
    at = parley.gateway.clock.now_ms() / 1_000 - age_s
    os.utime(parley.gateway.blobs.path(digest), (at, at))
    return digest


async def test_only_what_is_old_and_unnamed_is_removed(tmp_path: Path) -> None:
    async with Provider().running() as provider, gateway_at(provider, tmp_path) as parley:
        path = account_path(parley, "ME1")
        provider.files[path] = PICTURE
        await sends_mms(parley, provider, path)
        await settled(parley)
        attached = kept(parley, PICTURE, age_s=2 * AGE_S)
        mail = kept(parley, b"a mail as it came", age_s=2 * AGE_S)
        await parley.gateway.store.write(lambda tx: kept_requests.keep(tx, parley.gateway.clock.new_id(), "mail", "{}", mail, 1))
        fresh = kept(parley, b"attached an hour ago", age_s=3_600.0)
        forgotten = [kept(parley, b"never sent %d" % number, age_s=AGE_S + 60.0) for number in range(5)]
        assert await sweep(parley.gateway) == 5
        assert all(parley.gateway.blobs.path(digest) for digest in (attached, mail, fresh))
        left = {file.name for file in (tmp_path / "contents").rglob("*") if file.is_file()}
        assert left.isdisjoint(forgotten)
        assert parley.gateway.counters.value("contents_swept") == 5
        assert await sweep(parley.gateway) == 0
