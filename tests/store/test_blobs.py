"""Contents beside the database: whole or not there, each once, for this user alone."""

from __future__ import annotations

import hashlib
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.store.blobs import Blobs

CONTENT = b"a voice note\x00\xff" * 1_000


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
