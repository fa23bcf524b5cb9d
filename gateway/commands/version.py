"""`parley version`: what runs here, for a report of a fault."""

from __future__ import annotations

import platform

import click

from gateway.commands import show
from gateway.commands.installation import json_option
from gateway.version import VERSION


@click.command
@json_option
def command(*, as_json: bool) -> None:
    """Show the versions of the program and of what it stands on."""
    import aiohttp
    import apsw

    versions = {
        "parley": VERSION,
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "aiohttp": aiohttp.__version__,
        "system": f"{platform.system()} {platform.machine()}",
    }
    if as_json:
        show.as_json(versions)
    else:
        for name, version in versions.items():
            click.echo(f"{name} {version}")
