"""`parley test`: hands over to the check beside the tests, which only a checkout of the source has."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from gateway.cli import Failed


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]})
@click.option("--long", is_flag=True, help="Run the tests that are too long for every day as well.")
@click.option("--kills", type=click.IntRange(1), metavar="N", help="How often the fault test kills the gateway.  [default: 200]")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def command(*, long: bool, kills: int | None, pytest_arguments: tuple[str, ...]) -> None:
    """Run everything that a change must pass: style, types, layers and tests.

    PYTEST_ARGUMENTS are handed on, such as a folder of tests or -k NAME.
    """
    try:
        check = import_module("tests.house.check").check
    except ModuleNotFoundError:
        raise Failed("the tests come with the source: clone the repository and run ./parley test there.") from None
    options = ["--long"] if long else []
    options += ["--kills", str(kills)] if kills else []
    sys.exit(check([*options, *pytest_arguments]))
