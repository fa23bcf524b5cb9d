"""A gateway with a mailbox as a process of its own, which a test may end: `python -m tests.faults.mail_life FOLDER RELAY_PORT`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.gateway.running import running

OURS = "support@operator.example"


async def main(folder: str, relay_port: str) -> None:
    """Run until standard input ends; the first line on standard output is the port of the mail server."""
    known = {"kind": "email", "address": OURS, "listen": "smtp://127.0.0.1:0", "smtp_host": "127.0.0.1", "smtp_tls": "none"}
    overrides = {f"channels.mail.{name}": value for name, value in {**known, "smtp_port": int(relay_port)}.items()}
    async with running(Path(folder), overrides=overrides) as parley:
        print(parley.gateway.mail_ports["mail"], flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
