"""The command `parley`: which subcommands there are, and what a failure looks like.

A command's module is imported when the command is used, so that `--help` and small commands stay quick. Must not do a command's work.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

from gateway.version import VERSION

# Name of the command: module, and the line that `parley --help` shows. Each module has a click command named `command`.
COMMANDS = {
    "run": ("gateway.commands.run", "Start the gateway."),
    "chat": ("gateway.commands.chat", "Talk to the dialogs in the terminal."),
    "channels": ("gateway.commands.channels", "List the channels with their addresses and webhook URLs."),
    "telegram": ("gateway.commands.telegram", "Tell Telegram where the updates of a bot go."),
    "interactions": ("gateway.commands.interactions", "List interactions from the record."),
    "customer": ("gateway.commands.customer", "Show who is behind an address, with interactions and messages."),
    "agents": ("gateway.commands.agents", "Add, list, disable and enable the people at the desk."),
    "dead-letters": ("gateway.commands.deadletters", "List what could not be sent or read, and replay, correct or discard it."),
    "flows": ("gateway.commands.flows", "Check the dialogs."),
    "parse": ("gateway.commands.parse", "Show what an adapter makes of recorded requests."),
    "mail": ("gateway.commands.mail", "Show what is understood of mails."),
    "text": ("gateway.commands.text", "Show how texts are counted as short messages."),
    "doctor": ("gateway.commands.doctor", "Check configuration, data folder and store, and say what to do."),
    "check": ("gateway.commands.check", "Check the invariants of the record."),
    "bench": ("gateway.bench.command", "Measure the speed of the gateway on this machine."),
    "test": ("gateway.commands.test", "Run everything that a change must pass."),
    "version": ("gateway.commands.version", "Show the versions of the program and of what it stands on."),
}


class Failed(click.ClickException):
    """A command cannot do its work: one sentence that says what to do, exit code 1."""

    def show(self, file: Any = None) -> None:
        """Print the sentence to standard error."""
        click.echo(f"parley: {self.format_message()}", file=file, err=True)


class Misconfigured(Failed):
    """The configuration or the command line is wrong; exit code 2."""

    exit_code = 2


class _Commands(click.Group):
    """The subcommands, imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="parley")
def cli() -> None:
    """Parley: one dialog with each customer, over every channel of a telecom operator.

    Begin with `parley run`.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process: 0 done, 1 not possible, 2 wrong use or configuration."""
    try:
        code = cli.main(args=arguments, prog_name="parley", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.exceptions.Abort:
        code = 130
    except BrokenPipeError:  # the reader of our output has gone; so has the place to say so
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code if isinstance(code, int) else 0)
