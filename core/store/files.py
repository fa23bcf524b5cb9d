"""The folder and the files of an SQLite store: who may read them, and that only one process writes them.

It never opens the database file itself while SQLite may have it open: closing any handle of a file drops all of a process's locks on it.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from core.store.api import StoreRefused


def take(path: Path) -> int:
    """Make the folder and the file of a store, private to this user, and lock them for this process; return the lock's descriptor.

    Raises `StoreRefused` (in_use, read_only, bad_folder).
    """
    folder = path.parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        text = f"The data folder {folder} cannot be made ({error.strerror}). Choose another one with --data."
        raise StoreRefused("bad_folder", text) from error
    lock = _lock(path)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        os.close(lock)
        raise _unwritable(path, error) from error
    return lock


def _lock(path: Path) -> int:
    try:
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        text = f"{path.parent} is in use by another Parley process. Stop that one, or choose another folder with --data."
        raise StoreRefused("in_use", text) from error
    return lock


def release(lock: int) -> None:
    """Let another process open the store."""
    os.close(lock)


def _unwritable(path: Path, error: OSError) -> StoreRefused:
    text = f"{path.parent} cannot be written to ({error.strerror}). Make it writable for this user, or choose another folder with --data."
    return StoreRefused("read_only", text)
