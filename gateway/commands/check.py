"""`parley check`: whether the record is whole and what must be true of it is true; reads only, also while the gateway runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from core.reports.invariants import RULES, Broken, check
from gateway.commands import show
from gateway.commands.installation import Installation, installation_options, json_option

if TYPE_CHECKING:
    from core.store.api import Tx


@click.command
@installation_options
@json_option
def command(*, installation: Installation, as_json: bool) -> None:
    """Check the file of the store and the invariants of the record; exit code 1 if something is broken."""
    broken = installation.read(_broken)
    if as_json:
        show.as_json({"checked": [rule.code for rule in RULES], "broken": [asdict(one) for one in broken]})
    else:
        for one in broken:
            click.echo(f"BROKEN {one.code}: {one.text} {one.count} times, such as {', '.join(one.ids)}.")
        click.echo(f"{len(RULES) + 1} rules checked, {len(broken)} broken.")
    if broken:
        raise click.exceptions.Exit(1)


def _broken(tx: Tx) -> list[Broken]:
    problems: list[Any] = [row[0] for row in tx.all("pragma quick_check(5)") if row[0] != "ok"]
    damaged = [Broken("damaged_file", "The pages of the file are whole.", len(problems), tuple(problems))] if problems else []
    return damaged + check(tx)
