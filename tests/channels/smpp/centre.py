"""The SMS centre of `centre.js` as the tests see it: orders to it, and what it tells, awaited by its own words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from tests.gateway.running import Running

Start = Callable[..., AbstractAsyncContextManager[Running]]
SCRIPT = Path(__file__).with_name("centre.js")


class Centre:
    """A running SMS centre; `told` is everything that it has said and that nobody has asked for yet."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.told: list[dict[str, Any]] = []
        self.port = 0
        self._process = process
        self._came = asyncio.Condition()
        self._tags = 0

    async def listen(self) -> None:
        """Take down what the centre says, until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            async with self._came:
                self.told.append(json.loads(line))
                self._came.notify_all()

    def order(self, do: str, **more: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **more}).encode() + b"\n")

    async def until(self, event: str, **members: Any) -> dict[str, Any]:
        """Return the first thing told of this kind, and take it from what was told."""
        wanted = {"event": event, **members}
        async with asyncio.timeout(15), self._came:
            while True:
                for told in self.told:
                    if wanted.items() <= told.items():
                        self.told.remove(told)
                        return told
                await self._came.wait()

    async def deliver(self, text: str, *, sender: str = "254700000001", to: str = "40404", **more: Any) -> int:
        """Deliver a message and return the status of the answer; `pdu` holds further fields."""
        tag = self.send(text, sender=sender, to=to, **more)
        return int((await self.until("delivered", tag=tag))["status"])

    def send(self, text: str, *, sender: str = "254700000001", to: str = "40404", pdu: dict[str, Any] | None = None, **more: Any) -> int:
        self._tags += 1
        known = {"source_addr": sender, "source_addr_ton": 1, "source_addr_npi": 1, "destination_addr": to, "short_message": text}
        self.order("deliver", tag=self._tags, pdu={**known, **(pdu or {})}, **more)
        return self._tags

    async def report(self, message_id: str, *, sender: str = "254700000001", state: str = "DELIVRD") -> int:
        text = f"id:{message_id} sub:001 dlvrd:001 submit date:2601011200 done date:2601011201 stat:{state} err:000 text:Your"
        return await self.deliver(text, sender=sender, pdu={"esm_class": 4})


@asynccontextmanager
async def running_centre(package: Path) -> AsyncIterator[Centre]:
    """Run a centre on a free port of this machine."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("node", str(SCRIPT), str(package), stdin=pipe, stdout=pipe)
    centre = Centre(process)
    listening = asyncio.create_task(centre.listen())
    try:
        centre.port = (await centre.until("listening"))["port"]
        yield centre
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await listening
        await process.wait()
