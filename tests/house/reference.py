"""The pages of the documentation that are made from the program: settings and commands.

`pytest tests/house --update` writes them anew; without the option the tests compare.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Literal, Union, get_args, get_origin

import click

from channels.registry import KINDS, load
from config.environment import variables
from config.load import RATE_MAX
from config.settings import Settings
from config.typed import hints
from gateway.cli import cli

SETTINGS_HEAD = """# Settings

A configuration is one TOML file, given with `--config FILE` or `PARLEY_CONFIG`; without one the demo operator of
`config/parley.toml` runs, which is also a good beginning for your own. Above the file stand environment variables, above
those the options of the command line. Every mistake is reported at once with file and line, and an unknown setting is a
mistake.

Secrets are never written into the file. A setting marked *secret* takes a reference:

```toml
auth_token = { env = "TWILIO_AUTH_TOKEN" }       # from the environment
auth_token = { file = "/run/secrets/twilio" }    # from a file; relative paths start at the configuration file
auth_token = { generated = true }                # made up from the key in the data folder; in demo mode only
```

A secret that is being changed takes a list of two references where the table says *list*.

Lists in the environment are separated by commas. These variables are no settings: `PARLEY_CONFIG` and `PARLEY_DATA` are
`--config` and `--data`; `PARLEY_VENV` is where the launcher installs; `PARLEY_CHROMIUM` is the browser of the browser
tests; `PARLEY_CRASH_AT` ends the process at a named place, for the fault tests.
"""

COMMANDS_HEAD = """# Commands

`./parley COMMAND` in a clone, `parley COMMAND` where the package or the image is installed. The exit code is 0 when the
work is done, 1 when it was not possible, and 2 when the command line or the configuration is wrong; a failure says in one
sentence what to do.
"""


def settings_page() -> str:
    """Return docs/settings.md."""
    parts = [SETTINGS_HEAD, "## The whole\n", _table(Settings, leave={"channels"}, env=True, prefix=())]
    for field in dataclasses.fields(Settings):
        kind = hints(Settings)[field.name]
        if dataclasses.is_dataclass(kind):
            parts += [f"## [{field.name}]\n", f"{_sentence(kind)}\n", _table(kind, leave=set(), env=True, prefix=(field.name,))]
    parts.append("## [channels.ID]\n\nOne table for each channel; ID names it in webhook addresses, commands and the record.\n")
    parts.append("| setting | value | default | meaning |\n|---|---|---|---|")
    parts.append("| `kind` | text | *required* | The kind of channel, one of those below. |")
    parts.append("| `address` | text | *required* | Our end: the number, short code, service code or name that customers use. |")
    limits, default = f"number, 0 to {RATE_MAX}", "that of the kind"
    parts.append(f"| `sends_per_s` | {limits} | {default} | Messages a second that leave by this channel at most; 0: no limit. |")
    parts.append(f"| `sends_per_recipient_s` | {limits} | {default} | Messages a second to one person at most; 0: no limit. |\n")
    for name, known in KINDS.items():
        cls = load(name).settings
        parts += [f'### kind = "{name}"\n', f"{known.summary}.\n", _table(cls, leave=set(), env=False, prefix=())]
    return "\n".join(parts).rstrip() + "\n"


def _sentence(cls: Any) -> str:
    return str(cls.__doc__).splitlines()[0]


def _table(cls: Any, *, leave: set[str], env: bool, prefix: tuple[str, ...]) -> str:
    names = {path: name for name, path, _, _ in variables()} if env else {}
    head = "| setting | value | default | meaning |" + (" variable |" if env else "")
    lines = [head, "|" + "---|" * (head.count("|") - 1)]
    for field in dataclasses.fields(cls):
        kind = hints(cls)[field.name]
        if field.name in leave or dataclasses.is_dataclass(kind):
            continue
        cells = [f"`{field.name}`", _value(field, kind), _default(field), field.metadata["doc"]]
        if env:
            cells.append(f"`{names[*prefix, field.name]}`")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _value(field: dataclasses.Field[Any], kind: Any) -> str:
    limits = field.metadata
    text = _kind(kind)
    if not field.repr:
        return f"secret{', or list of them' if get_origin(kind) is tuple else ''}"
    if "least" in limits and "most" in limits:
        text += f", {limits['least']} to {limits['most']}"
    elif "least" in limits:
        text += f", at least {limits['least']}"
    return text


def _kind(kind: Any) -> str:
    origin, args = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return _kind(args[0])
    if origin is tuple:
        return f"list of {_kind(args[0])}s"
    if origin is Literal:
        return " or ".join(f"`{arg}`" for arg in args)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return " or ".join(f"`{member.value}`" for member in kind)
    return {str: "text", int: "whole number", float: "number", bool: "true or false"}[kind]


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING:
        return "*required*"
    if field.default in {None, "", ()}:
        return "-"
    if isinstance(field.default, tuple):
        return "`[" + ", ".join(f'"{item}"' for item in field.default) + "]`"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def commands_page() -> str:
    """Return docs/commands.md."""
    root = _context(cli, "parley", None)
    parts = [COMMANDS_HEAD]
    for context in _contexts(root):
        help_text = "\n".join(line.rstrip() for line in context.command.get_help(context).splitlines())
        parts += [f"## {context.command_path}\n", "```text", help_text, "```\n"]
    return "\n".join(parts).rstrip() + "\n"


def _contexts(parent: click.Context) -> Iterator[click.Context]:
    """Yield the context of every command below one, in the order of the help, as click makes it when the command is called."""
    group = parent.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        assert command is not None
        context = _context(command, name, parent)
        yield context
        if isinstance(command, click.Group):
            yield from _contexts(context)


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    settings = {**command.context_settings, "terminal_width": 100, "max_content_width": 100}
    return click.Context(command, parent=parent, info_name=name, **settings)
