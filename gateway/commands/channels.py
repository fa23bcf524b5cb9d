"""`parley channels`: which channels there are, and where their messages come in: webhook URLs to enter at the providers, or else."""

from __future__ import annotations

import os
from typing import Any

import click

from core.store import mailboxes, pauses
from core.store.mailboxes import State
from core.store.pauses import Pause
from gateway.commands import show
from gateway.commands.installation import Installation, installation_options, json_option, told
from gateway.commands.running import url_of_running


@click.command
@installation_options
@json_option
def command(*, installation: Installation, as_json: bool) -> None:
    """List the channels with their addresses, and where their messages come in: a webhook URL for most.

    A webhook URL contains a secret: treat it like a password.
    """
    from gateway.configured import describe, make_channels

    settings = installation.settings()
    url = url_of_running(installation.data)
    with told():
        channels = make_channels(settings, os.environ, installation.keys(), url or settings.server.origin(settings.server.port))
    known = settings.store.path(installation.data).exists()
    paused, read = installation.read(lambda tx: (pauses.everyone(tx), mailboxes.states(tx))) if known else ([], {})
    by_id = {pause.channel_id: pause for pause in paused if url}
    rows = [
        {**describe(one), **_state(by_id.get(name), running=bool(url)), "mailbox": _mailbox(read.get(name))}
        for name, one in channels.items()
    ]
    if as_json:
        show.as_json(rows)
    else:
        show.table(rows, ("id", "kind", "address", "state", "entry"), nothing="No channels are configured.")


def _state(pause: Pause | None, *, running: bool) -> dict[str, Any]:
    """Return whether a channel works, and where sending by it is paused, why and since when."""
    if pause is None:
        return {"state": "running" if running else "stopped", "paused": None}
    return {"state": "paused", "paused": {"code": pause.code, "since": show.moment(pause.since)}}


def _mailbox(state: State | None) -> dict[str, Any] | None:
    """Return how reading a channel's mailbox elsewhere goes, None if it has none."""
    if state is None:
        return None
    return {
        "read_at": show.moment(state.read_at),
        "behind": state.behind,
        "failing_since": show.moment(state.failing_since),
        "code": state.code,
    }
