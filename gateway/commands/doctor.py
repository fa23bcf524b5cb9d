"""`parley doctor`: looks at everything an installation needs and says what to do about what is wrong. It changes nothing."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import click

from gateway.commands import show
from gateway.commands.installation import Installation, installation_options, json_option, told
from gateway.commands.running import url_of_running

if TYPE_CHECKING:
    from config.settings import Settings

_SQLITE_OLDEST = (3, 51, 3)  # before it, two writers at the end of a log could damage the file
_FREE_LEAST_BYTES = 1 << 30


class State(StrEnum):
    """How one thing is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do if that is not well."""

    about: str
    state: State
    text: str


Look = Callable[[Installation, "Settings"], Iterator[Finding]]


@click.command
@installation_options
@json_option
def command(*, installation: Installation, as_json: bool) -> None:
    """Check configuration, data folder and store, and say what to do.

    Exit code 1 if something keeps the gateway from working.
    """
    findings = list(_look(installation))
    if as_json:
        show.as_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{finding.state:8} {finding.about}: {finding.text}")
    if any(finding.state is State.PROBLEM for finding in findings):
        raise click.exceptions.Exit(1)


def _look(installation: Installation) -> Iterator[Finding]:
    yield from _program()
    try:
        settings = installation.settings()
    except click.ClickException as error:
        yield Finding("configuration", State.PROBLEM, error.format_message())
        return
    yield Finding("configuration", State.OK, f"{installation.config or 'the demo operator'}, {settings.mode} mode")
    for about, look in _LOOKS.items():
        try:
            yield from look(installation, settings)
        except click.ClickException as error:
            yield Finding(about, State.PROBLEM, error.format_message())


def _program() -> Iterator[Finding]:
    import apsw

    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    state = State.OK if version >= _SQLITE_OLDEST else State.PROBLEM
    yield Finding("program", state, f"Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}")
    if sys.platform == "win32":
        yield Finding("system", State.PROBLEM, "Windows is not supported: use Linux, macOS, or the container image")


def _data_folder(installation: Installation, _: Settings) -> Iterator[Finding]:
    folder = installation.data
    if not folder.exists():
        yield Finding("data folder", State.OK, f"{folder} will be made at the first start")
        return
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        yield Finding("data folder", State.WARNING, f"others may look into {folder}: chmod 700 {folder}")
    if not os.access(folder, os.W_OK):
        yield Finding("data folder", State.PROBLEM, f"{folder} cannot be written to: give it to the user that runs the gateway")
        return
    installation.keys()
    free = shutil.disk_usage(folder).free
    state = State.OK if free >= _FREE_LEAST_BYTES else State.WARNING
    yield Finding("data folder", state, f"{folder}, {free >> 20} MiB free" + ("" if state is State.OK else ": make room"))


def _channels(installation: Installation, settings: Settings) -> Iterator[Finding]:
    from gateway.configured import make_channels

    if not installation.data.exists():
        return
    with told():
        channels = make_channels(settings, os.environ, installation.keys(), settings.server.origin(settings.server.port))
    yield Finding("channels", State.OK, ", ".join(f"{name} ({one.channel.kind})" for name, one in channels.items()))


def _dialogs(_: Installation, settings: Settings) -> Iterator[Finding]:
    from dialogs.loader import load_project
    from gateway.compose import project_folder

    with told():
        project = load_project(project_folder(settings))
    yield Finding("dialogs", State.OK, f"{settings.dialogs.project}, {len(project.flows)} flows")


def _server(installation: Installation, settings: Settings) -> Iterator[Finding]:
    server = settings.server
    if url := url_of_running(installation.data):
        yield Finding("gateway", State.OK, f"running at {url}")
        return
    try:
        socket.create_server((server.host, server.port)).close()
    except OSError as error:
        yield Finding("gateway", State.PROBLEM, f"{server.host} port {server.port} cannot be listened on: {error.strerror}")
        return
    yield Finding("gateway", State.OK, f"not running; {server.host} port {server.port} is free")


def _mailboxes(installation: Installation, settings: Settings) -> Iterator[Finding]:
    from core.store import mailboxes

    if not settings.store.path(installation.data).exists():
        return
    for name, state in sorted(installation.read(mailboxes.states).items()):
        if name not in settings.channels:
            continue
        about = f"mailbox of {name}"
        if state.failing_since is not None:
            yield Finding(about, State.WARNING, f"cannot be read since {show.moment(state.failing_since)}: {state.code}; see its settings")
        elif state.behind:
            yield Finding(about, State.WARNING, f"{state.behind} mails are still to be fetched")
        else:
            yield Finding(about, State.OK, f"all was fetched at {show.moment(state.read_at)}")


def _scanner(_: Installation, settings: Settings) -> Iterator[Finding]:
    import asyncio

    from gateway.media.scan import NotScanned, Scanner

    media = settings.media
    if not media.scanner:
        state = State.OK if settings.mode == "demo" else State.WARNING
        yield Finding("scanner", state, "attachments are not scanned for malicious software: see media.scanner")
        return
    try:
        asyncio.run(Scanner(media.scanner, media.scan_timeout_s).ping())
    except NotScanned as why:
        text = f"no scanner answers at {media.scanner} ({why}), so no attachment can be opened: start clamd"
        yield Finding("scanner", State.PROBLEM, text)
        return
    yield Finding("scanner", State.OK, f"answers at {media.scanner}")


def _record(installation: Installation, settings: Settings) -> Iterator[Finding]:
    from core.reports.leftovers import unreadable_requests, unsent_messages

    if not settings.store.path(installation.data).exists():
        yield Finding("store", State.OK, "will be made at the first start")
        return
    unreadable, unsent = installation.read(lambda tx: (unreadable_requests(tx), unsent_messages(tx)))
    yield Finding("store", State.OK, f"{settings.store.path(installation.data)} can be read")
    if unreadable:
        yield Finding("store", State.WARNING, f"{unreadable} requests of providers could not be read: see parley parse")
    if unsent:
        yield Finding("store", State.WARNING, f"{unsent} messages were given up")


_LOOKS: dict[str, Look] = {
    "data folder": _data_folder,
    "channels": _channels,
    "dialogs": _dialogs,
    "gateway": _server,
    "mailboxes": _mailboxes,
    "scanner": _scanner,
    "store": _record,
}
