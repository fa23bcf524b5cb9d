"""`parley chat`: the dialogs in the terminal, through a whole gateway in this process with a record of its own that is thrown away.

It uses the same door as every channel. Must not touch the data folder, nor the operator's business systems.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from config.settings import Channel, Settings, StoreSettings
from gateway.commands import show
from gateway.commands.installation import Installation, installation_options, told

if TYPE_CHECKING:
    from core.store.api import Tx
    from gateway.runtime import Gateway

_ID = "console"
_ACTION_WAIT_S = 60.0
_AT_ONCE = 100


@click.command
@installation_options
@click.option("--number", metavar="NUMBER", help="Your phone number, taken as proved.  [default: an example from the country]")
def command(*, installation: Installation, number: str | None) -> None:
    """Talk to the dialogs in the terminal.

    Type as a customer would; Ctrl+D ends. Lines may also come from a file: parley chat < lines.txt. Nothing is kept, and the
    stand-in for the business systems answers, whatever the configuration says.
    """
    own = {"server.host": "127.0.0.1", "server.port": 0, "server.public_url": "", "server.health_port": 0}
    settings = installation.settings({**own, "mode": "demo"})
    channel = Channel(id=_ID, kind="console", address=_ID, table={})
    settings = replace(settings, channels={_ID: channel}, store=StoreSettings())
    own_number = installation.address(number) if number else _example_number(settings.operator.country)
    with told(), TemporaryDirectory(prefix="parley-chat-") as folder:
        asyncio.run(_chat(settings, Path(folder), own_number))


def _example_number(country: str) -> str:
    import phonenumbers

    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    return phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164) if example else "+254712123456"


async def _chat(settings: Settings, folder: Path, number: str) -> None:
    from gateway.compose import start

    async with AsyncExitStack() as stack:
        gateway = await start(settings, folder, stack)
        await gateway.store.write(partial(_introduce, number=number, cause=gateway.clock.new_id(), at=gateway.clock.now_ms()))
        if sys.stdin.isatty():
            click.echo(f"You are {number}, a customer of {settings.operator.name}. Write something; Ctrl+D ends.")
        shown = 0
        async for line in _lines():
            await _say(gateway, line, shown)
            shown = await _show_answers(gateway, shown)


def _introduce(tx: Tx, *, number: str, cause: str, at: int) -> None:
    """Make the person at the terminal one who has proved that the number is theirs."""
    from core.identity import people
    from core.model.address import Address, AddressKind, Strength
    from core.model.ids import derive

    person = people.admit(tx, Address(AddressKind.VISITOR, _ID), _ID, Strength.CLAIMED, "the terminal", cause, at)
    people.prove(tx, person, Address(AddressKind.MSISDN, number), _ID, derive(cause, "number"), at)


async def _lines() -> AsyncIterator[str]:
    """Yield the lines that are typed; a thread of its own waits for them, which cannot hold up the end of the process."""
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def wait() -> None:
        rest = b""
        while chunk := os.read(0, 65_536):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                loop.call_soon_threadsafe(lines.put_nowait, line.decode(errors="replace"))
        loop.call_soon_threadsafe(lines.put_nowait, rest.decode(errors="replace") or None)
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=wait, daemon=True).start()
    while (line := await _asked(lines)) is not None:
        yield line


async def _asked(lines: asyncio.Queue[str | None]) -> str | None:
    if sys.stdin.isatty():
        click.echo("> ", nl=False)
    return await lines.get()


async def _say(gateway: Gateway, text: str, number: int) -> None:
    """Hand one line to the gateway as a request of the terminal."""
    from channels.console import METHOD
    from core.model.inbound import RawRequest
    from gateway.receive import receive

    body = json.dumps({"id": f"{number}-{gateway.clock.new_id()}", "text": text}).encode()
    request = RawRequest(method=METHOD, url="", headers={}, body=body, received_at=gateway.clock.now_ms())
    await receive(gateway, gateway.channels[_ID], request)


async def _show_answers(gateway: Gateway, shown: int) -> int:
    """Print what is new, and what an action that still runs brings; return the number of the last message."""
    with gateway.hints.listen(f"address:{_ID}") as listener:
        while True:
            messages, waiting = await gateway.store.read(partial(_news, shown=shown))
            for message in messages:
                shown = message["number"]
                if message["direction"] == "outbound":
                    _show(message)
            if not waiting or not await listener.wait(_ACTION_WAIT_S):
                return shown


def _news(tx: Tx, shown: int) -> tuple[list[dict[str, Any]], bool]:
    """Return the messages after a number, and whether an action is still running."""
    from core.store import actions, messages

    return messages.after_number(tx, _ID, shown, _AT_ONCE), actions.next_due(tx) is not None


def _show(message: dict[str, Any]) -> None:
    for line in message["text"].splitlines():
        click.echo(show.one_line(line))
    for key, label, _ in message["content"].get("choices", ()):
        click.echo(f"  {show.one_line(key)} {show.one_line(label)}")
    click.echo()
