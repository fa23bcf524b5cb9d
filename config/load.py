"""Makes the settings of this run: the file, then the environment over it, then the command line over both.

Reports every mistake of all three at once. Must not open the store, the network or the data folder.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from config import environment, typed
from config.keys import Keys
from config.lines import key_lines
from config.problems import ConfigWrong, Problem, Where
from config.secrets import Secrets
from config.settings import Channel, Dialogs, Settings, unsafe

DEMO = Path(__file__).with_name("parley.toml")
RATES = ("sends_per_s", "sends_per_recipient_s")
RATE_MAX = 10_000
_CHANNEL_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")


SettingsOf = Callable[[str], type | None]


def load(
    file: Path | None, environ: Mapping[str, str], overrides: Mapping[str, Any] | None = None, settings_of: SettingsOf | None = None
) -> Settings:
    """Return the settings; `file` None means the demo operator, `overrides` has dotted keys. Raises `ConfigWrong`.

    With `settings_of`, which gives the settings class of a kind of channel, the mistakes of the channels are among those reported.
    """
    path = file or DEMO
    table, places = _parse(path)
    problems = environment.overlay(table, places, environ, set(_referenced(table)))
    for key, value in (overrides or {}).items():
        environment.put(table, tuple(key.split(".")), value)
        places[key] = "command line"
    where = Where(source=str(path), places=places)
    channels, found = _channels(table.pop("channels", {}), where / "channels")
    problems += found
    if settings_of is not None:
        keys = Keys(bytes(32)) if table.get("mode") == "demo" else None  # what is made of it is thrown away
        problems += _read_all(channels, settings_of, environ, keys)[1]
    try:
        settings = typed.read(Settings, table, where, Secrets(environ, path.parent))
    except ConfigWrong as wrong:
        raise ConfigWrong([*wrong.problems, *problems]) from None
    settings = dataclasses.replace(settings, channels=channels, dialogs=_beside(settings.dialogs, path))
    if settings.mode == "production":
        problems += unsafe(settings, where)
    if problems:
        raise ConfigWrong(problems)
    return settings


def read_channels(settings: Settings, settings_of: SettingsOf, environ: Mapping[str, str], keys: Keys) -> dict[str, Any]:
    """Return the typed settings of every channel by its id.

    `settings_of` gives the class for a kind, None for an unknown one. Raises `ConfigWrong` with the mistakes of all channels.
    """
    result, problems = _read_all(settings.channels, settings_of, environ, keys if settings.mode == "demo" else None)
    if problems:
        raise ConfigWrong(problems)
    return result


def _read_all(
    channels: Mapping[str, Channel], settings_of: SettingsOf, environ: Mapping[str, str], keys: Keys | None
) -> tuple[dict[str, Any], list[Problem]]:
    result: dict[str, Any] = {}
    problems: list[Problem] = []
    for channel in channels.values():
        cls = settings_of(channel.kind)
        if cls is None:
            problems.append(Problem(channel.where / "kind", f"there is no kind of channel {channel.kind!r}"))
            continue
        try:
            result[channel.id] = typed.read(cls, channel.table, channel.where, Secrets(environ, Path(channel.where.source).parent, keys))
        except ConfigWrong as wrong:
            problems += wrong.problems
    return result, problems


def _parse(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the table of the file, and the place of every key in it."""
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), {key: f"{path}:{line}" for key, line in key_lines(text).items()}
    except OSError as error:
        raise ConfigWrong([Problem(Where(), f"cannot read the configuration file {path}: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise ConfigWrong([Problem(Where(source=str(path)), "is not UTF-8 text")]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigWrong([Problem(Where(source=str(path)), f"is not valid TOML: {error}")]) from None


def _referenced(value: Any) -> Iterator[str]:
    """Yield the environment variables that references to secrets name."""
    if isinstance(value, dict):
        if isinstance(value.get("env"), str):
            yield value["env"]
        for item in value.values():
            yield from _referenced(item)
    elif isinstance(value, list):
        for item in value:
            yield from _referenced(item)


def _channels(tables: Any, where: Where) -> tuple[dict[str, Channel], list[Problem]]:
    """Take the channels apart as far as every kind has it in common."""
    if not isinstance(tables, dict):
        return {}, [Problem(where, "must be a table for each channel, such as [channels.sms]")]
    channels, problems = {}, []
    for name, table in tables.items():
        here = where / name
        if not _CHANNEL_ID.fullmatch(name):
            problems.append(Problem(here, "the id of a channel is made of small letters, digits and hyphens, at most 40"))
        if not isinstance(table, dict):
            problems.append(Problem(here, "must be a table"))
            continue
        missing = [key for key in ("kind", "address") if not (isinstance(table.get(key), str) and table[key])]
        if missing:
            problems += [Problem(here / key, "must be given, as text in quotes") for key in missing]
            continue
        rates = {key: table[key] for key in RATES if key in table}
        problems += [Problem(here / key, f"must be a number from 0 to {RATE_MAX}") for key, rate in rates.items() if not _is_rate(rate)]
        rest = {key: value for key, value in table.items() if key not in {"kind", "address", *RATES}}
        channels[name] = Channel(id=name, kind=table["kind"], address=table["address"], table=rest, rates=rates, where=here)
    return channels, problems


def _is_rate(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= RATE_MAX


def _beside(dialogs: Dialogs, file: Path) -> Dialogs:
    """Return the dialogs with a folder of the operator's own seen from the configuration file."""
    if dialogs.project == "telecom":
        return dialogs
    return dataclasses.replace(dialogs, project=str((file.parent / dialogs.project).resolve()))
