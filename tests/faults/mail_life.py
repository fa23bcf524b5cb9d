"""A gateway with a mailbox as a process of its own, which a test may end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.faults.lives import FORGE, arm
from tests.gateway.running import running

OURS = "support@operator.example"


def start(folder: Path, relay_port: int, **environ: str) -> tuple[BaseProcess, Connection, int]:
    """Start a gateway; return its process, what keeps it alive until it is closed, and the port of its mail server."""
    ours, theirs = FORGE.Pipe()
    process = FORGE.Process(target=_live, args=(folder, relay_port, environ, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours, ours.recv()


def _live(folder: Path, relay_port: int, environ: Mapping[str, str], wire: Connection) -> None:
    arm(environ)
    asyncio.run(_serve(folder, relay_port, wire))


async def _serve(folder: Path, relay_port: int, wire: Connection) -> None:
    known = {"kind": "email", "address": OURS, "listen": "smtp://127.0.0.1:0", "smtp_host": "127.0.0.1", "smtp_tls": "none"}
    overrides = {f"channels.mail.{name}": value for name, value in {**known, "smtp_port": relay_port}.items()}
    async with running(folder, overrides=overrides) as parley:
        wire.send(parley.gateway.mail_ports["mail"])
        await asyncio.to_thread(wire.poll, None)
