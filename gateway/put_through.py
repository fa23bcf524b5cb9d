"""What is said to whom we call: one of our people, before they are connected with a customer, and customers whom an agent calls.

Callers who wait in a line are spoken to here as well, and are called out of it for the agent who takes their work. All of it is beside
the dialog, which is not told.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from core import calls, lines
from core.model.adapter import PutsThrough
from core.model.inbound import ContactSignal
from core.model.outbound import Answer, SendError
from core.store.agents import Agent
from core.store.work_items import WorkItem
from gateway.runtime import ConfiguredChannel, Gateway

_TAKES = _LEAVES = "1"
_LOG = logging.getLogger(__name__)


async def beside(gateway: Gateway, configured: ConfiguredChannel, event: ContactSignal) -> Answer:
    """Tell who picked up what the call is about, or carry out their answer; raises `StoreUnavailable`.

    A machine that takes calls is told the message alone, and a fax nothing.
    """
    adapter = configured.adapter
    if not isinstance(adapter, PutsThrough):
        return adapter.acknowledge(())
    if event.signal == "whisper":
        words = await gateway.store.read(lambda tx: calls.whispered(tx, event.value))
        return adapter.connect(taken=False) if words is None else adapter.whisper(event.value, *words)
    if event.signal == "answered":
        message = await gateway.store.read(lambda tx: calls.spoken(tx, event.value, configured.channel, event.sender))
        if message is None:
            return configured.adapter.acknowledge(())
        await gateway.store.write(lambda tx: calls.answered(tx, event.value, event.text, gateway.clock.now_ms()))
        gateway.hints.wake("events")
        if event.text == "fax":
            return adapter.connect(taken=False)
        if event.text == "machine":
            message = replace(message, reply=replace(message.reply, transfer=None, ends_session=True))
        return adapter.acknowledge((message,))
    if event.signal in {"waiting", "leave", "fetched"}:
        return await _in_line(gateway, configured, adapter, event)
    taken = event.text == _TAKES
    if taken:
        await gateway.store.write(lambda tx: calls.taken(tx, event.value, gateway.clock.now_ms()))
        gateway.hints.wake("events")
    return adapter.connect(taken=taken)


async def _in_line(gateway: Gateway, configured: ConfiguredChannel, adapter: PutsThrough, event: ContactSignal) -> Answer:
    """Speak to a caller who waits; let them out at their wish, or because their work is closed; put them through when they are fetched."""
    if event.signal == "leave" and event.text == _LEAVES:
        return adapter.leave()
    at = gateway.clock.now_ms()
    message = await gateway.store.write(lambda tx: gateway.turns.in_line(tx, configured.channel, event, at))
    gateway.hints.wake("events")
    if event.signal == "fetched":
        return configured.adapter.acknowledge((message,) if message else ())
    return adapter.leave() if message is None else adapter.waiting(message)


async def fetch(gateway: Gateway, item: WorkItem, agent: Agent) -> str:
    """Call the caller of this work out of the line, to the phone of the agent who took it, and return what becomes of that.

    `rings`, or why not: `no_caller` waits, `no_phone` is known of the agent, `not_fetched` by the provider.
    """
    at = gateway.clock.now_ms()
    if calls.of(item).get("status") != "waiting":
        return "no_caller"
    if agent.phone is None:
        return "no_phone"
    found = await gateway.store.write(lambda tx: lines.fetch(tx, item.id, agent, at))
    if found is None:
        return "no_caller"
    there = await _called_out(gateway, *found)
    if not there:
        await gateway.store.write(lambda tx: lines.not_fetched(tx, item.id, at, gone=there is False))
    gateway.hints.wake("events")
    return "rings" if there else "not_fetched" if there is None else "no_caller"


async def _called_out(gateway: Gateway, channel_id: str, call: str, message_id: str) -> bool | None:
    """Call a caller out of the line; False if they, or their channel, are gone, and None if the provider does not say."""
    configured = gateway.channels.get(channel_id)
    if configured is None or not isinstance(configured.adapter, PutsThrough):
        return False
    try:
        return await configured.adapter.fetch(call, message_id)
    except SendError as error:
        _LOG.warning("a caller on %s could not be fetched: %s", channel_id, error.code)
        return None
