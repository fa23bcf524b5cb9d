"""`parley dead-letters`: what could not be sent, read or joined, and settling it. Listing is possible while the gateway runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import click

from core import deadletters, mending
from core.clock import Clock
from core.routing.refused import Refused
from gateway.cli import Failed
from gateway.commands import show
from gateway.commands.installation import Installation, installation_options, json_option, told
from gateway.commands.running import url_of_running

if TYPE_CHECKING:
    from core.store.api import Tx

T = TypeVar("T")
BY = "command line"
_COLUMNS = ("kind", "channel_id", "code", "state", "attempts", "first", "last", "id")
_DONE = {
    "queued": "is sent again when the gateway runs",
    "marked": "is read again when the gateway runs",
    "joined": "is joined to its message",
}


@click.group
def command() -> None:
    """List what could not be sent or read, and replay, correct or discard it.

    Changes are possible while the gateway is stopped; while it runs, a supervisor makes them at the desk.
    """


@command.command("list", short_help="List the dead letters, the newest first.")
@installation_options
@json_option
@click.option("--kind", type=click.Choice(["unsent", "unreadable", "kept", "report"]), help="Only this kind.")
@click.option("--channel", metavar="ID", help="Only this channel.")
def list_command(*, installation: Installation, as_json: bool, kind: str | None, channel: str | None) -> None:
    """List the dead letters, the newest first, without what people wrote."""
    now = Clock().now_ms()
    found = installation.read(lambda tx: deadletters.everyone(tx, now))
    rows = [
        {**asdict(letter), "first": show.moment(letter.first_at), "last": show.moment(letter.last_at)}
        for letter in found
        if kind in {None, letter.kind} and channel in {None, letter.channel_id}
    ]
    rows = [{name: value for name, value in row.items() if name not in {"who", "content"}} for row in rows]
    if as_json:
        show.as_json(rows)
    else:
        show.table(rows, _COLUMNS, nothing="There are no dead letters.")


@command.command("show")
@installation_options
@json_option
@click.argument("letter_id", metavar="ID")
def show_command(*, installation: Installation, as_json: bool, letter_id: str) -> None:
    """Show the dead letter ID with all that it holds."""
    letter = _unless_refused(lambda: installation.read(lambda tx: deadletters.one(tx, letter_id)))
    if as_json:
        show.as_json(asdict(letter))
        return
    for name, value in {**asdict(letter), "first_at": show.moment(letter.first_at), "last_at": show.moment(letter.last_at)}.items():
        click.echo(f"{name.replace('_', ' ')}: {show.one_line(value)}")


@command.command("replay")
@installation_options
@click.argument("letter_ids", metavar="ID...", nargs=-1, required=True)
def replay_command(*, installation: Installation, letter_ids: tuple[str, ...]) -> None:
    """Try dead letters again under their own ids."""
    now = Clock().now_ms()
    for letter_id in letter_ids:
        outcome = _change(installation, partial(deadletters.replay, letter_id=letter_id, by=BY, now=now))
        click.echo(f"{letter_id} {_DONE[outcome]}.")


@command.command("edit", short_help="Correct a message that could not be sent.")
@installation_options
@click.option("--text", metavar="TEXT", help="What to say instead.")
@click.option("--address", metavar="ADDRESS", help="Where to send it instead: an address of the same person.")
@click.argument("letter_id", metavar="ID")
def edit_command(*, installation: Installation, text: str | None, address: str | None, letter_id: str) -> None:
    """Correct a message that could not be sent, and send it; the record keeps both."""
    from gateway.configured import make_channels
    from gateway.recipients import corrected

    settings, now = installation.settings(), Clock().now_ms()
    with told():
        made = make_channels(settings, os.environ, installation.keys(), settings.server.origin(settings.server.port))
    channels = {name: configured.channel for name, configured in made.items()}

    def unit(tx: Tx) -> str:
        to = corrected(channels, deadletters.one(tx, letter_id).channel_id, address, settings.operator.country)
        return mending.edit(tx, channels, letter_id, BY, now, text=text, address=to)

    click.echo(f"{letter_id} is corrected: message {_change(installation, unit)} is sent when the gateway runs.")


@command.command("discard", short_help="Settle dead letters without trying again.")
@installation_options
@click.option("--reason", required=True, metavar="TEXT", help="Why it is not tried again.")
@click.argument("letter_ids", metavar="ID...", nargs=-1, required=True)
def discard_command(*, installation: Installation, reason: str, letter_ids: tuple[str, ...]) -> None:
    """Settle dead letters without trying again; they stay in the record."""
    now = Clock().now_ms()
    for letter_id in letter_ids:
        _change(installation, partial(deadletters.discard, letter_id=letter_id, by=BY, reason=reason, now=now))
        click.echo(f"{letter_id} is discarded.")


def _change(installation: Installation, unit: Callable[[Tx], T]) -> T:
    """Run one unit of writing; the gateway must not be running, since one process alone writes the store."""
    if url := url_of_running(installation.data):
        raise Failed(
            f"the gateway is running and it alone writes its record: a supervisor can do this at {url}/desk/dead-letters,"
            " or stop the gateway first."
        )
    store = installation.open_store(read_only=False)
    try:
        with told():
            return _unless_refused(lambda: store.write_sync(unit))
    finally:
        store.close()


def _unless_refused(act: Callable[[], T]) -> T:
    try:
        return act()
    except Refused as refused:
        raise Failed(str(refused)) from None
