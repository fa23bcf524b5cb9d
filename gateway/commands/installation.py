"""What most commands begin with: the data folder and the settings, from the same options everywhere.

Turns the refusals of configuration, key file and store into one sentence with an exit code. Must not start anything.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gateway.cli import Failed, Misconfigured

if TYPE_CHECKING:
    from config.keys import Keys
    from config.settings import Settings
    from core.store.api import Unit
    from core.store.sqlite import SqliteStore

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
_NUMBER = re.compile(r"[+0-9 ()./-]+")


@dataclass(frozen=True, slots=True)
class Installation:
    """One gateway on this machine: its data folder and its configuration file (None: the demo operator)."""

    data: Path
    config: Path | None

    def settings(self, overrides: Mapping[str, Any] | None = None) -> Settings:
        """Return the settings; ends the command with all mistakes if there are any."""
        from channels.registry import settings_of
        from config.load import load

        with told():
            return load(self.config, os.environ, overrides, settings_of)

    def keys(self) -> Keys:
        """Return the keys of the data folder, making them on first use."""
        from config.keys import open_keys

        with told():
            return open_keys(self.data)

    def open_store(self, *, read_only: bool) -> SqliteStore:
        """Return the open store; reading is possible beside a running gateway, writing is not."""
        from core.store.sqlite import open_store

        with told():
            return open_store(self.settings().store.path(self.data), read_only=read_only)

    def address(self, text: str) -> str:
        """Return an address as the record has it: phone numbers in E.164, anything else as it is."""
        from channels.numbers import msisdn

        found = msisdn(text, self.settings().operator.country) if _NUMBER.fullmatch(text) else None
        return found.value if found else text

    def read(self, unit: Unit[T]) -> T:
        """Run one unit of reading on the record, also while the gateway runs."""
        store = self.open_store(read_only=True)
        try:
            with told():
                return store.read_sync(unit)
        finally:
            store.close()


@contextmanager
def told() -> Iterator[None]:
    """Turn the refusals that an operator can do something about into one sentence."""
    from config.keys import KeyRefused
    from config.problems import ConfigWrong
    from core.store.api import StoreRefused, StoreUnavailable
    from dialogs.actions import ActionsWrong
    from dialogs.loader import ProjectWrong

    try:
        yield
    except ConfigWrong as wrong:
        lines = "".join(f"\n  {problem}" for problem in wrong.problems)
        raise Misconfigured(f"the configuration is wrong:{lines}") from None
    except (ProjectWrong, ActionsWrong) as wrong:
        lines = "".join(f"\n  {problem}" for problem in wrong.problems)
        raise Misconfigured(f"the dialogs cannot be used:{lines}") from None
    except (KeyRefused, StoreRefused) as refused:
        raise Failed(str(refused)) from None
    except StoreUnavailable as unavailable:
        raise Failed(f"the store cannot be used now ({unavailable}). Check the disk and the gateway's log.") from None


def installation_options(function: F) -> F:
    """Give a command the options --data and --config, and the argument `installation`."""

    def call(*args: Any, data: Path, config: Path | None, **kwargs: Any) -> Any:
        return function(*args, installation=Installation(data.absolute(), config), **kwargs)

    wrapped = update_wrapper(call, function)
    folder = click.Path(file_okay=False, path_type=Path)
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    wrapped = click.option(
        "--config", type=file, metavar="FILE", envvar="PARLEY_CONFIG", help="Configuration file; without one, the demo operator."
    )(wrapped)
    return click.option(  # type: ignore[return-value]
        "--data", type=folder, metavar="DIR", envvar="PARLEY_DATA", default=".parley", show_default=True, help="Data folder."
    )(wrapped)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
