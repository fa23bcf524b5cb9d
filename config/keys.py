"""The key of an installation: one file in the data folder, from which every secret that nobody has to know is derived.

Losing the file changes webhook addresses and signs agents out, nothing else. Must not be used for what a customer or a
provider chose, such as passwords and tokens.
"""

from __future__ import annotations

import hmac
import os
import stat
from hashlib import sha256
from pathlib import Path

_FILE = "key"
_BYTES = 32


class KeyRefused(Exception):
    """The key file cannot be made or trusted; the text says what to do."""


class Keys:
    """Secrets derived by name: the same name gives the same secret for as long as the key file lives."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def derive(self, name: str) -> bytes:
        """Return 32 bytes for `name`."""
        return hmac.digest(self._key, b"parley/1/" + name.encode(), sha256)

    def token(self, name: str) -> str:
        """Return 32 hexadecimal digits for `name`, fit for addresses and headers."""
        return self.derive(name)[:16].hex()


def open_keys(folder: Path) -> Keys:
    """Return the keys of the data folder, making folder and key file on first use; raises `KeyRefused`."""
    path = folder / _FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _create(path)
        return Keys(_read(path))
    except OSError as error:
        raise KeyRefused(
            f"cannot use the data folder {folder}: {error.strerror}. Give a folder that you may write to with --data, or set PARLEY_DATA."
        ) from None


def _create(path: Path) -> None:
    """Write a new key durably; where two processes do so at once, one file wins and both use it."""
    draft = path.with_name(f".{_FILE}.{os.getpid()}.{os.urandom(4).hex()}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, os.urandom(_BYTES).hex().encode() + b"\n")
        os.fsync(file)
    finally:
        os.close(file)
    try:
        path.hardlink_to(draft)  # unlike a rename, this never replaces a key that is already in use
    except FileExistsError:
        return
    finally:
        draft.unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> bytes:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeyRefused(f"others may read the key file {path}: run chmod 600 {path}, and delete the file if somebody may have seen it.")
    text = path.read_text(encoding="ascii", errors="replace").strip()
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != _BYTES:
        raise KeyRefused(f"the key file {path} is damaged: restore it from a backup, or delete it to get a new one.")
    return key
