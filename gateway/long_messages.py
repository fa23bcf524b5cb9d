"""Long messages that arrive in parts, a request each: every part is kept before it is acknowledged, and the last one completes the text.

What no last part completes in time is taken in as it is. Must not know a provider, or what a message means.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from hashlib import blake2b
from typing import Any

from core.model.address import Address, AddressKind
from core.model.inbound import InboundEvent, InboundMessage, RawRequest
from core.model.outbound import Answer
from core.store import parts
from core.store.parts import KeptPart
from gateway.loops import do_every, keep_running
from gateway.runtime import ConfiguredChannel, Gateway

MISSING = "[...]"
_KNOWN_MS = 3_600_000  # parts of a message that was recorded are known for this long
_LOOK_S = 15.0
Take = Callable[[InboundMessage], Awaitable[Answer]]
TakeIn = Callable[[Gateway, ConfiguredChannel, RawRequest, Sequence[InboundEvent]], Awaitable[Answer | None]]


async def take_part(gateway: Gateway, configured: ConfiguredChannel, said: InboundMessage, at: int, take: Take) -> Answer:
    """Keep a part, and have the message taken in by `take` if it is whole now; raises `StoreUnavailable`."""
    part, channel_id = said.part, configured.channel.id
    if part is None:
        return await take(said)
    series = f"{said.sender.value}:{part.series}:{part.total}"
    digest = blake2b(f"{said.external_id}\0{said.text}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    raw = json.dumps({**asdict(said), "part": None})
    kept = await gateway.store.write(
        lambda tx: parts.keep_part(tx, channel_id, series, part.number, part.total, digest=digest, raw=raw, at=at)
    )
    if not kept:
        return await take(said)  # another text has its place, so the two are no parts of one message
    waiting = await gateway.store.read(lambda tx: parts.waiting_parts(tx, channel_id, series))
    if len(waiting) < part.total:
        return configured.adapter.acknowledge(())
    return await _finish(gateway, channel_id, series, waiting, at, take)


def start(gateway: Gateway, stack: AsyncExitStack, take_in: TakeIn) -> None:
    """Look after the parts that wait on every channel that delivers some, with `gateway.receive.take_in`; leaving `stack` ends it."""
    for configured in gateway.channels.values():
        if configured.channel.capabilities.parts_wait_s:
            keep_running(_look_after(gateway, configured, take_in), stack)


async def _look_after(gateway: Gateway, configured: ConfiguredChannel, take_in: TakeIn) -> None:
    every_s = min(configured.channel.capabilities.parts_wait_s / 2 + 0.05, _LOOK_S)
    await do_every(gateway, "message_parts", every_s, lambda: _late(gateway, configured, take_in, gateway.clock.now_ms()))


async def _late(gateway: Gateway, configured: ConfiguredChannel, take_in: TakeIn, at: int) -> None:
    """Take in what no last part will complete any more, and what a dead process left complete; forget what is long done."""
    channel_id, wait_ms = configured.channel.id, int(configured.channel.capabilities.parts_wait_s * 1000)
    for series in await gateway.store.read(lambda tx: parts.waiting_series(tx, channel_id)):
        waiting = await gateway.store.read(lambda tx, series=series: parts.waiting_parts(tx, channel_id, series))  # type: ignore[misc]
        if not waiting or (len(waiting) < waiting[0].total and min(part.received_at for part in waiting) > at - wait_ms):
            continue

        async def take(said: InboundMessage) -> Answer:
            request = RawRequest("POST", "", {}, json.dumps({"text": said.text}).encode(), at)
            return await take_in(gateway, configured, request, [said]) or configured.adapter.acknowledge(())

        await _finish(gateway, channel_id, series, waiting, at, take)
    await gateway.store.write(lambda tx: parts.forget_series(tx, channel_id, at - _KNOWN_MS))


async def _finish(gateway: Gateway, channel_id: str, series: str, waiting: Sequence[KeptPart], at: int, take: Take) -> Answer:
    answer = await take(_joined(waiting))
    await gateway.store.write(lambda tx: parts.end_series(tx, channel_id, series, at))
    return answer


def _joined(waiting: Sequence[KeptPart]) -> InboundMessage:
    """Return the message that the parts are, with a mark where some are missing."""
    texts: dict[int, str] = {}
    first: dict[str, Any] = json.loads(waiting[0].raw)
    for part in waiting:
        texts[part.number] = json.loads(part.raw)["text"]
    whole = "".join(texts.get(number, MISSING) for number in range(1, waiting[0].total + 1))
    sender, recipient = (Address(AddressKind(first[side]["kind"]), first[side]["value"]) for side in ("sender", "recipient"))
    return InboundMessage(first["external_id"], sender, recipient, whole, sent_at=first["sent_at"])
