"""`parley channels`: which channels there are, and the webhook URLs to enter at the providers."""

from __future__ import annotations

import os

import click

from gateway.commands import show
from gateway.commands.installation import Installation, installation_options, json_option, told
from gateway.commands.running import url_of_running


@click.command
@installation_options
@json_option
def command(*, installation: Installation, as_json: bool) -> None:
    """List the channels with their addresses and webhook URLs.

    A webhook URL contains a secret: treat it like a password.
    """
    from gateway.configured import describe, make_channels

    settings = installation.settings()
    url = url_of_running(installation.data)
    with told():
        channels = make_channels(settings, os.environ, installation.keys(), url or settings.server.origin(settings.server.port))
    rows = [{**describe(channel), "state": "running" if url else "stopped"} for channel in channels.values()]
    if as_json:
        show.as_json(rows)
    else:
        show.table(rows, ("id", "kind", "address", "state", "webhook_url"), nothing="No channels are configured.")
