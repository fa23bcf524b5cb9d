"""The words of `words.toml`, as the other modules look them up; read once, when the package is imported.

Must not hold words itself.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files

_TABLE = tomllib.loads(files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))

WROTE: tuple[str, ...] = tuple(_TABLE["wrote"])
ON: tuple[str, ...] = tuple(_TABLE["on"])
OWN: tuple[str, ...] = tuple(_TABLE["own"])
ORIGINAL: frozenset[str] = frozenset(_TABLE["original"])
FORWARDED: frozenset[str] = frozenset(_TABLE["forwarded"])
LABELS: dict[str, str] = {word: role for role, words in _TABLE["labels"].items() for word in words}

DEVICE: tuple[str, ...] = tuple(_TABLE["device"])
DEVICE_AROUND: tuple[tuple[str, str], ...] = tuple((start, end) for start, end in _TABLE["device_around"])
DEVICES: tuple[str, ...] = tuple(_TABLE["devices"])
REGARDS: frozenset[str] = frozenset(_TABLE["regards"])
THANKS: frozenset[str] = frozenset(_TABLE["thanks"])
NOTICES: tuple[tuple[str, ...], ...] = tuple(tuple(words) for words in _TABLE["notices"])
BANNERS: tuple[str, ...] = tuple(_TABLE["banners"])
