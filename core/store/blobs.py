"""Contents too large for the database: files named by their digest in a folder beside it, each content once.

A file is complete and on disk before its name exists, so a row that names a digest may be written only after `keep` has returned. It
knows nothing of what the contents are.
"""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path


class Blobs:
    """A folder of contents, private to this user."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, content: bytes) -> str:
        """Store a content durably and return its digest, 64 hexadecimal digits; the same one is there once. Raises OSError."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        if not path.exists():
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

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
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
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise KeyError(digest)
        return self._folder / digest[:2] / digest


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
