"""What is slow on purpose, or nine tenths of every start, made quick for tests; importing this module is enough.

It changes no result: the nodes of a dialog file are a function of its text and nobody writes to them, no more than to the dialogs that
are made of the files of this project, and a password fits the same hashes whatever making them costs. `OWN_HASHER` is the one that the
program uses.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from argon2 import PasswordHasher

from dialogs import source
from dialogs.loader import load_project
from dialogs.model import Project
from gateway import compose
from gateway.desk import passwords

_OURS = Path(__file__).parents[1]
_load_ours = cache(load_project)


def _load(folder: Path) -> Project:
    """Load dialogs anew unless they are files of this project, which no test changes."""
    return _load_ours(folder) if folder.is_relative_to(_OURS) else load_project(folder)


OWN_HASHER = passwords._HASHER

passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
source.composed = lru_cache(maxsize=512)(source.composed)  # type: ignore[assignment]
compose.load_project = _load
