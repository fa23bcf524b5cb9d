"""Contents beside the database: whole or not there, each once, for this user alone."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from core.store.blobs import Blobs

CONTENT = b"a voice note\x00\xff" * 1_000
DAY = 1_700_000_000.0


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_content_is_read_back_under_its_digest(tmp_path: Path) -> None:
    digest = Blobs(tmp_path / "contents").keep(CONTENT)
    assert digest == hashlib.sha256(CONTENT).hexdigest()
    again = Blobs(tmp_path / "contents")
    assert again.read(digest) == CONTENT
    assert again.path(digest).read_bytes() == CONTENT


def test_the_same_content_is_there_once_also_when_many_keep_it_at_once(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "contents")
    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(blobs.keep, [CONTENT] * 32))
    assert len(digests) == 1
    assert len(files(tmp_path)) == 1
    assert blobs.read(digests.pop()) == CONTENT


def test_nobody_else_may_read_a_content(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "contents")
    path = blobs.path(blobs.keep(CONTENT))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_a_crash_left_half_written_goes_and_what_is_being_written_stays(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "contents")
    path = blobs.path(blobs.keep(CONTENT))
    left, fresh = path.with_name(f".{path.name}.7.8"), path.with_name(f".{'0' * 64}.7.9")
    for draft, at in ((left, DAY - 1), (fresh, DAY), (path, DAY - 1)):
        if draft is not path:
            draft.write_bytes(b"half")
        os.utime(draft, (at, at))
    assert Blobs(tmp_path / "nothing").sweep_drafts(DAY) == 0
    assert blobs.sweep_drafts(DAY) == 1
    assert {one.name for one in files(tmp_path)} == {path.name, fresh.name}


@pytest.mark.parametrize("digest", ["", "../../key", "0" * 63, "0" * 64, "A" * 64, "0" * 64 + "/.."])
def test_what_is_no_digest_of_ours_names_no_file(tmp_path: Path, digest: str) -> None:
    blobs = Blobs(tmp_path / "contents")
    blobs.keep(CONTENT)
    with pytest.raises(KeyError):
        blobs.read(digest)
    with pytest.raises(KeyError):
        blobs.path(digest)


def test_a_content_that_was_changed_on_disk_is_not_given_out(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "contents")
    digest = blobs.keep(CONTENT)
    blobs.path(digest).write_bytes(b"something else")
    with pytest.raises(KeyError):
        blobs.read(digest)


def aged(blobs: Blobs, digest: str, days: float) -> None:
    """Let a content have been kept so many days before `DAY`."""
    os.utime(blobs.path(digest), (DAY - days * 86_400, DAY - days * 86_400))


def test_what_was_not_kept_for_long_is_found_and_removed(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "contents")
    old, new = blobs.keep(b"old"), blobs.keep(b"new")
    aged(blobs, old, 2)
    aged(blobs, new, 0)
    before = DAY - 86_400
    assert [digest for folder in blobs.aged(before) for digest in folder] == [old]
    assert blobs.sweep([old, new], before) == 1
    assert blobs.read(new) == b"new"
    with pytest.raises(KeyError):
        blobs.path(old)
    assert blobs.sweep([old], before) == 0


def test_what_is_kept_again_is_not_removed_by_who_has_found_it_before(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "contents")
    digest = blobs.keep(CONTENT)
    aged(blobs, digest, 2)
    found = [one for folder in blobs.aged(DAY) for one in folder]
    assert blobs.keep(CONTENT) == digest
    assert blobs.sweep(found, DAY) == 0
    assert blobs.read(digest) == CONTENT


def test_keeping_and_sweeping_at_once_never_loses_what_was_kept(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "contents")
    digest = blobs.keep(CONTENT)
    over = threading.Event()

    def sweep() -> int:
        removed = 0
        while not over.is_set():
            removed += blobs.sweep([digest], DAY)
        return removed

    with ThreadPoolExecutor(1) as pool:
        sweeper = pool.submit(sweep)
        try:
            for _ in range(300):
                with suppress(KeyError, FileNotFoundError):  # it may be swept from here on
                    aged(blobs, digest, 2)
                blobs.keep(CONTENT)
                assert blobs.read(digest) == CONTENT
        finally:
            over.set()
        assert sweeper.result() > 0
