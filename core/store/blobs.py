"""Contents too large for the database: files named by their digest in a folder beside it, each content once.

A file is complete and on disk before its name exists, so a row that names a digest may be written only after `keep` has returned. Its
time is when it was kept last, by which contents that no row came to name are found. It knows nothing of what the contents are.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

_FOLDERS = tuple(f"{number:02x}" for number in range(256))


class Blobs:
    """A folder of contents, private to this user."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, content: bytes) -> str:
        """Store a content durably and return its digest, 64 hexadecimal digits; the same one is there once. Raises OSError."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _held(path.parent, fcntl.LOCK_SH):  # else what was found could be swept before its time is set
            if path.exists():
                os.utime(path)
            else:
                self._write(path, content)
        for folder in (path.parent, self._folder, self._folder.parent):
            _sync(folder)
        return digest

    def read(self, digest: str) -> bytes:
        """Return a content; raises KeyError where it is gone, or is not what its name says."""
        try:
            content = self._path(digest).read_bytes()
        except OSError:
            raise KeyError(digest) from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise KeyError(digest)
        return content

    def path(self, digest: str) -> Path:
        """Return where a content lies, for serving it as a file; raises KeyError where it is gone."""
        path = self._path(digest)
        if not path.is_file():
            raise KeyError(digest)
        return path

    def aged(self, before_s: float) -> Iterator[list[str]]:
        """Yield the digests of contents that were last kept before a time, in seconds since 1970, folder by folder."""
        for name in _FOLDERS:
            folder = self._folder / name
            if folder.is_dir():
                yield [entry.name for entry in os.scandir(folder) if _is_content(entry.name) and entry.stat().st_mtime < before_s]

    def sweep(self, digests: Collection[str], before_s: float) -> int:
        """Remove contents that no row names, but for those kept again since `before_s`; returns how many. Raises OSError."""
        removed = 0
        for digest in digests:
            path = self._path(digest)
            with _held(path.parent, fcntl.LOCK_EX):
                if path.exists() and path.stat().st_mtime < before_s:
                    path.unlink()
                    removed += 1
        return removed

    def sweep_drafts(self, before_s: float) -> int:
        """Remove what was begun before a time, in seconds since 1970, and never finished; returns how many. Raises OSError."""
        removed = 0
        for name in _FOLDERS:
            folder = self._folder / name
            for entry in os.scandir(folder) if folder.is_dir() else ():
                if entry.name.startswith(".") and entry.stat().st_mtime < before_s:
                    (folder / entry.name).unlink(missing_ok=True)
                    removed += 1
        return removed

    def _write(self, path: Path, content: bytes) -> None:
        draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
        try:
            file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            draft.rename(path)
        finally:
            draft.unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        if not _is_content(digest):
            raise KeyError(digest)
        return self._folder / digest[:2] / digest


def _is_content(name: str) -> bool:
    return len(name) == 64 and set(name) <= set("0123456789abcdef")


@contextmanager
def _held(folder: Path, how: int) -> Iterator[None]:
    """Hold a folder against other threads and processes: `LOCK_SH` with those who keep, `LOCK_EX` alone."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
