"""`parley agents`: the accounts of the people at the desk. Passwords come from a prompt or standard input, never from an argument."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from core import agents
from core.clock import Clock
from gateway.cli import Failed
from gateway.commands import show
from gateway.commands.installation import Installation, installation_options, json_option, told
from gateway.commands.running import url_of_running

if TYPE_CHECKING:
    from core.store.agents import Agent
    from core.store.api import Tx

T = TypeVar("T")
_ROLES = ("agent", "supervisor", "admin")

_stdin_option = click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it.")


@click.group
def command() -> None:
    """Add, list, disable and enable the people at the desk.

    Changes are possible while the gateway is stopped; while it runs, an admin makes them at the desk.
    """


@command.command("list")
@installation_options
@json_option
def list_command(*, installation: Installation, as_json: bool) -> None:
    """List the accounts."""
    rows = [_document(agent) for agent in installation.read(agents.list_agents)]
    if as_json:
        show.as_json(rows)
    else:
        show.table(rows, ("login", "name", "role", "phone", "state"), nothing="There are no agents yet: add one with parley agents add.")


@command.command("add")
@installation_options
@click.argument("login")
@click.option("--name", metavar="NAME", help="The name that colleagues see.  [default: the login]")
@click.option("--role", type=click.Choice(_ROLES), default="agent", show_default=True, help="What the account may do.")
@_stdin_option
def add_command(*, installation: Installation, login: str, name: str | None, role: str, password_stdin: bool) -> None:
    """Add an account with the name LOGIN."""
    hashed = _password_hash(login, from_stdin=password_stdin)
    clock = Clock()
    agent_id, at = clock.new_id(), clock.now_ms()
    agent = _change(installation, lambda tx: agents.add(tx, agent_id, login, name or login, role, hashed, at))
    click.echo(f"Added {agent.login} as {agent.role}.")


@command.command("password")
@installation_options
@click.argument("login")
@_stdin_option
def password_command(*, installation: Installation, login: str, password_stdin: bool) -> None:
    """Give the account LOGIN a new password and end its sessions."""
    hashed = _password_hash(login, from_stdin=password_stdin)
    agent = _change(installation, lambda tx: agents.set_password(tx, _id_of(tx, login), hashed))
    click.echo(f"{agent.login} has a new password.")


@command.command("phone", short_help="Set the phone on which an account takes callers.")
@installation_options
@click.argument("login")
@click.argument("number", default="")
def phone_command(*, installation: Installation, login: str, number: str) -> None:
    """Put callers through to the account LOGIN on the phone NUMBER; without one, on none."""
    phone = None
    if number:
        from channels.numbers import msisdn

        address = msisdn(number, installation.settings().operator.country)
        if address is None:
            raise Failed(f"{number} is no phone number.")
        phone = address.value
    agent = _change(installation, lambda tx: agents.set_phone(tx, _id_of(tx, login), phone))
    click.echo(f"{agent.login} takes callers on {agent.phone}." if agent.phone else f"{agent.login} takes no callers.")


@command.command("disable", short_help="Close an account and give its work back.")
@installation_options
@click.argument("login")
def disable_command(*, installation: Installation, login: str) -> None:
    """Close the account LOGIN, end its sessions and give its work back to the queue."""
    at = Clock().now_ms()
    agent = _change(installation, lambda tx: agents.disable(tx, _id_of(tx, login), at))
    click.echo(f"{agent.login} is disabled.")


@command.command("enable")
@installation_options
@click.argument("login")
def enable_command(*, installation: Installation, login: str) -> None:
    """Open the disabled account LOGIN again."""
    agent = _change(installation, lambda tx: agents.enable(tx, _id_of(tx, login)))
    click.echo(f"{agent.login} is enabled.")


def _change(installation: Installation, unit: Callable[[Tx], T]) -> T:
    """Run one unit of writing; the gateway must not be running, since one process alone writes the store."""
    if url := url_of_running(installation.data):
        raise Failed(
            f"the gateway is running and it alone writes its record: an admin can do this at {url}/desk, or stop the gateway first."
        )
    store = installation.open_store(read_only=False)
    try:
        with told():
            return store.write_sync(unit)
    except agents.AgentRefused as refused:
        raise Failed(str(refused)) from None
    finally:
        store.close()


def _id_of(tx: Tx, login: str) -> str:
    """Return the id of an account; an empty one, which nobody has, for an unknown login."""
    wanted = agents.normal_login(login)
    return next((agent.id for agent in agents.list_agents(tx) if agent.login == wanted), "")


def _password_hash(login: str, *, from_stdin: bool) -> str:
    from gateway.desk.passwords import PasswordRefused, hash_password

    password = sys.stdin.readline().rstrip("\n") if from_stdin else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        return hash_password(password, login=login)
    except PasswordRefused as refused:
        raise Failed(str(refused)) from None


def _document(agent: Agent) -> dict[str, Any]:
    return {
        "id": agent.id,
        "login": agent.login,
        "name": agent.name,
        "role": agent.role.value,
        "phone": agent.phone,
        "state": "disabled" if agent.disabled_at else "enabled",
        "created_at": agent.created_at,
    }
