"""`parley run`: starts the gateway and says what to open."""

from __future__ import annotations

import errno
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli import Failed
from gateway.commands.installation import Installation, installation_options, told
from gateway.commands.running import noted

if TYPE_CHECKING:
    from config.settings import Settings
    from gateway.runtime import Gateway


@click.command
@installation_options
@click.option("--port", type=click.IntRange(0, 65_535), metavar="N", help="Port to listen on; 0 takes a free one.  [default: 8080]")
@click.option("--host", metavar="ADDRESS", help="Address to listen on.  [default: 127.0.0.1]")
def command(*, installation: Installation, port: int | None, host: str | None) -> None:
    """Start the gateway.

    Without --config it is the demo operator, with a simulator on the front page.
    """
    given: dict[str, Any] = {"server.port": port, "server.host": host}
    settings = installation.settings({key: value for key, value in given.items() if value is not None})
    with told():
        try:
            _serve(settings, installation.data)
        except OSError as error:
            raise Failed(_sentence(error, settings)) from None
        except KeyboardInterrupt:
            raise click.exceptions.Exit(0) from None


def _serve(settings: Settings, data: Path) -> None:
    import asyncio

    from gateway.compose import serve

    with ExitStack() as stack:

        def ready(gateway: Gateway) -> None:
            stack.enter_context(noted(data, gateway.url))
            _tell(gateway)

        asyncio.run(serve(settings, data, ready=ready))


def _tell(gateway: Gateway) -> None:
    """Say what to open, and in the demo who may sign in at the desk."""
    click.echo(f"Parley is running: open {gateway.url}/ in a browser. Ctrl+C stops it.")
    if gateway.settings.mode == "demo":
        from gateway.desk.demo import demo_accounts

        for login, role, password in demo_accounts(gateway.keys):
            click.echo(f"  {role} at {gateway.url}/desk: login {login}, password {password}")


def _sentence(error: OSError, settings: Settings) -> str:
    place = f"{settings.server.host} port {settings.server.port}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{place} is taken by another program: stop that one, or choose another with --port."
        case errno.EACCES:
            return f"{place} may not be used by this user: choose a port from 1024 up with --port."
        case errno.EADDRNOTAVAIL:
            return f"{settings.server.host} is no address of this machine: choose another with --host."
    return f"the gateway cannot start: {error}"
