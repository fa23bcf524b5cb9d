"""Whether a gateway runs on a data folder, and where it listens: a note that `run` keeps there, locked, for the other commands.

The lock on the note dies with the process, so a killed gateway leaves nothing that must be cleaned up. What keeps two gateways apart
is the lock of the store, not this one.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOTE = "running"


@contextmanager
def noted(data: Path, url: str) -> Iterator[None]:
    """Keep the note while the gateway runs."""
    with os.fdopen(os.open(data / _NOTE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "w", encoding="utf-8") as note:
        fcntl.flock(note, fcntl.LOCK_EX)
        os.ftruncate(note.fileno(), 0)
        note.write(url)
        note.flush()
        yield


def url_of_running(data: Path) -> str | None:
    """Return the address of the gateway that runs on this data folder, or None."""
    try:
        with (data / _NOTE).open(encoding="utf-8") as note:
            try:
                fcntl.flock(note, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return note.read() or None
    except OSError:  # no note: no gateway has run here
        return None
    return None
