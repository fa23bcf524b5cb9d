"""What is slow on purpose, or nine tenths of every start, made quick for tests; importing this module is enough.

It changes no result: the nodes of a dialog file are a function of its text and nobody writes to them, and a password fits the same hashes
whatever making them costs. `OWN_HASHER` is the one that the program uses.
"""

from __future__ import annotations

from functools import lru_cache

from argon2 import PasswordHasher

from dialogs import source
from gateway.desk import passwords

OWN_HASHER = passwords._HASHER

passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
source.composed = lru_cache(maxsize=512)(source.composed)  # type: ignore[assignment]
