"""A gateway that lives in a process of its own, over and over on the same data: started by its own command line, ended by a signal.

Lives are forked from a server process that has imported the program already, so that two hundred of them fit into a minute.
"""

from __future__ import annotations

import asyncio
import importlib
import multiprocessing
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

CRASHED = 70
FORGE = multiprocessing.get_context("forkserver")
FORGE.set_forkserver_preload(["pytest", "gateway.commands.run", "tests.faults.warm"])
_URL = re.compile(rb"http://127\.0\.0\.1:\d+")
_START_S = 30.0

KIOSK = Path(__file__).with_name("kiosk")  # few flows: most of the time of a start goes into reading them
CONFIG = """
mode = "demo"

[operator]
name = "Demo Telecom"
country = "KE"
currency = "KES"
languages = ["en"]

[dialogs]
project = "{project}"

[backend]
url = "{backend}"

[channels.ussd]
kind = "ussd"
address = "*384*100#"

[channels.sms]
kind = "sms_twilio"
address = "+254711082000"
account_sid = {{ generated = true }}
auth_token = {{ generated = true }}
api_base = "{provider}"
replies = "rest"

[channels.twiml]
kind = "sms_twilio"
address = "+254711082001"
account_sid = {{ generated = true }}
auth_token = {{ generated = true }}
api_base = "{provider}"

[channels.web]
kind = "webchat"
address = "demo-chat"
origins = ["https://site.example"]
keys = {{ generated = true }}
"""


class NotAlive(Exception):
    """A life ended before it could be used; the text is what it said, `code` its exit code."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(f"exit code {code}: {said}")
        self.code = code


def arm(environ: Mapping[str, str]) -> None:
    """Give a process that was forked these settings."""
    os.environ.update(environ)
    crash = importlib.import_module("core.crash")
    importlib.reload(crash)  # it reads the environment when it is imported, which the server process did long ago


def _live(arguments: list[str], environ: Mapping[str, str], log: str, said: Connection, spoil: Callable[[], None] | None) -> None:
    """Be a gateway: what `python -m gateway …` does in a fresh process; `spoil` makes it a bad one, for tests of the tests."""
    arm(environ)
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
    os.dup2(said.fileno(), 1)
    if spoil is not None:
        spoil()
    cli = importlib.import_module("gateway.cli")
    cli.main(arguments)


@dataclass(slots=True)
class Life:
    """One process. `url` is where it listens."""

    process: BaseProcess
    url: str
    said: Connection  # open for as long as the process may say something

    def kill(self) -> None:
        """End it without a warning; harmless if it is over."""
        self.process.kill()

    def stop(self) -> None:
        """Ask it to end."""
        self.process.terminate()

    async def ended(self, seconds: float = 30.0) -> int:
        """Wait for its end and return the exit code; negative for a signal."""
        await asyncio.to_thread(self.process.join, seconds)
        code = self.process.exitcode
        assert code is not None, "the gateway did not end"
        self.said.close()
        return code


@dataclass(slots=True)
class Home:
    """The data folder and the configuration that all lives of one gateway share."""

    folder: Path
    config: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def store(self) -> Path:
        return self.data / "parley.db"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    async def live(self, *, spoil: Callable[[], None] | None = None, port: str = "0", **environ: str) -> Life:
        """Start a life and wait until it listens; raises `NotAlive`."""
        return await asyncio.to_thread(self._start, environ, spoil, port)

    def _start(self, environ: dict[str, str], spoil: Callable[[], None] | None, port: str) -> Life:
        ours, theirs = FORGE.Pipe(duplex=False)
        arguments = ["run", "--port", port, "--data", str(self.data), "--config", str(self.config)]
        process = FORGE.Process(target=_live, args=(arguments, environ, str(self.log), theirs, spoil), daemon=True)
        process.start()
        theirs.close()
        said = b""
        while not (url := _URL.search(said)):
            part = os.read(ours.fileno(), 4_096) if ours.poll(_START_S) else b""
            if not part:
                process.join(1)
                process.kill()
                tail = self.log.read_text(encoding="utf-8")[-2_000:] if self.log.exists() else ""
                raise NotAlive(process.exitcode or 0, tail)
            said += part
        return Life(process, url[0].decode(), ours)


def make_home(folder: Path, *, provider: str, backend: str, project: str = str(KIOSK)) -> Home:
    """Write the configuration of a gateway whose provider and billing system are at these addresses."""
    file = folder / "parley.toml"
    file.write_text(CONFIG.format(provider=provider, backend=backend, project=project), encoding="utf-8")
    return Home(folder, file)
