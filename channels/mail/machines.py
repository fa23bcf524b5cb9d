"""The words of `machines.toml`, by which mail of machines is known; read once, when the package is imported.

Must not hold words itself, nor decide anything.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files

_TABLE = tomllib.loads(files(__package__).joinpath("machines.toml").read_text(encoding="utf-8"))

RETURNED: tuple[str, ...] = tuple(_TABLE["returned"])
SAID: tuple[str, ...] = tuple(_TABLE["said"])
YOURS: tuple[str, ...] = tuple(_TABLE["yours"])
DELAYED: tuple[str, ...] = tuple(_TABLE["delayed"])
REASONS: tuple[tuple[str, str], ...] = tuple((phrase, status) for status, phrases in _TABLE["reasons"].items() for phrase in phrases)
FORWARDS: tuple[str, ...] = tuple(_TABLE["forwards"])

AUTOMATIC: tuple[str, ...] = tuple(_TABLE["automatic"])
ABSENT: tuple[str, ...] = tuple(_TABLE["absent"])
HOLIDAYS: tuple[str, ...] = tuple(_TABLE["holidays"])
INSIDE: tuple[str, ...] = tuple(_TABLE["inside"])
ABSENCES: tuple[str, ...] = tuple(_TABLE["absences"])
UNREAD: tuple[str, ...] = tuple(_TABLE["unread"])
CHALLENGES: tuple[str, ...] = tuple(_TABLE["challenges"])
ANSWERS: tuple[str, ...] = (*_TABLE["answers"], *CHALLENGES)

DAEMONS: tuple[str, ...] = tuple(_TABLE["daemons"])
SERVERS: tuple[str, ...] = (*DAEMONS, *_TABLE["servers"])
SERVER_NAMES: tuple[str, ...] = tuple(_TABLE["server_names"])
