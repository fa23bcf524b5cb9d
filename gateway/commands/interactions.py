"""`parley interactions`: the record of contacts, also while the gateway runs."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from core.reports.interactions import Filter, search
from gateway.commands import show
from gateway.commands.installation import Installation, installation_options, json_option

_COLUMNS = (
    "opened",
    "closed",
    "channel_id",
    "address",
    "direction",
    "reason",
    "status",
    "close_reason",
    "disposition",
    "id",
    "previous_id",
)


def _moment(ctx: click.Context, parameter: click.Parameter, value: str | None) -> int | None:  # noqa: ARG001 - click's signature
    """Return an ISO 8601 date or time as ms UTC; one without an offset is UTC."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("give a date or time such as 2026-01-31 or 2026-01-31T08:00:00Z") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


@click.command
@installation_options
@click.option("--channel", metavar="ID", help="Only of this channel.")
@click.option("--status", type=click.Choice(["open", "closed"]), help="Only open or only closed ones.")
@click.option("--address", metavar="ADDRESS", help="Only of this address of a customer, such as +254700000001.")
@click.option("--party", metavar="ID", help="Only of this person, by id or customer number.")
@click.option("--since", metavar="TIME", callback=_moment, help="Only with activity since this date or time (ISO 8601).")
@click.option("--limit", type=click.IntRange(1, 100_000), metavar="N", default=50, show_default=True, help="At most so many, the newest.")
@json_option
def command(
    *,
    installation: Installation,
    channel: str | None,
    status: str | None,
    address: str | None,
    party: str | None,
    since: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """List interactions from the record, the newest first."""
    wanted = Filter(
        channel=channel, status=status, address=address and installation.address(address), party=party, since=since, limit=limit
    )
    found = installation.read(lambda tx: search(tx, wanted))
    if as_json:
        show.as_json(found)
        return
    rows = [{**one, "opened": show.moment(one["opened_at"]), "closed": show.moment(one["closed_at"])} for one in found]
    show.table(rows, _COLUMNS, nothing="There are no such interactions.")
