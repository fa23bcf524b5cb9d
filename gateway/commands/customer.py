"""`parley customer`: who is behind an address, and what was said."""

from __future__ import annotations

from typing import Any

import click

from core.model.address import AddressKind
from core.reports.customer import by_address
from gateway.cli import Failed
from gateway.commands import show
from gateway.commands.installation import Installation, installation_options, json_option


@click.command
@installation_options
@click.argument("address")
@click.option(
    "--kind", type=click.Choice([kind.value for kind in AddressKind]), help="What kind of address is meant, where others have the same."
)
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    metavar="N",
    default=50,
    show_default=True,
    help="At most so many interactions and messages.",
)
@json_option
def command(*, installation: Installation, address: str, kind: str | None, limit: int, as_json: bool) -> None:
    """Show who is behind ADDRESS, with addresses, interactions and messages."""
    found = installation.read(lambda tx: by_address(tx, installation.address(address), limit, kind or ""))
    if found is None:
        raise Failed(f"nobody with the address {show.one_line(address)} is in the record.")
    if as_json:
        show.as_json(found)
    else:
        _print(found)
        for other in found["others"]:
            click.echo(f"\nSomebody else has this address as {other}: add --kind {other} to see them.")


def _print(person: dict[str, Any]) -> None:
    number = f" {person['customer_no']}" if person["customer_no"] else ""
    click.echo(f"{person['role'].capitalize()}{number}: {show.one_line(person['name'] or 'name not known')}")
    click.echo(f"since {show.moment(person['created_at'])}, language {person['language'] or 'not known'}\n")
    addresses = [
        {
            **one,
            "from": show.moment(one["valid_from"]),
            "to": show.moment(one["valid_to"]),
            "opted_out": "yes" if one["opted_out"] else "no",
        }
        for one in person["addresses"]
    ]
    show.table(addresses, ("kind", "value", "strength", "evidence", "opted_out", "from", "to"), nothing="No addresses.")
    if person["cases"]:
        click.echo()
        show.table(person["cases"], ("number", "kind", "description", "status"), nothing="")
    click.echo()
    interactions = [{**one, "opened": show.moment(one["opened_at"])} for one in person["interactions"]]
    show.table(interactions, ("opened", "channel_id", "reason", "status", "disposition", "id"), nothing="No interactions.")
    click.echo()
    said = [{**one, "at": show.moment(one["created_at"])} for one in person["messages"]]
    show.table(said, ("at", "channel_id", "author", "status", "text"), nothing="Nothing was said.")
