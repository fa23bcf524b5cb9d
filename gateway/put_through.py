"""What is said to whom we call: one of our people, before they are connected with a customer, and customers whom an agent calls.

It is beside the dialog, which is not told.
"""

from __future__ import annotations

from dataclasses import replace

from core import calls
from core.model.adapter import PutsThrough
from core.model.inbound import ContactSignal
from core.model.outbound import Answer
from gateway.runtime import ConfiguredChannel, Gateway

_TAKES = "1"


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
            return adapter.connect(taken=False)
        await gateway.store.write(lambda tx: calls.answered(tx, event.value, event.text, gateway.clock.now_ms()))
        gateway.hints.wake("events")
        if event.text == "fax":
            return adapter.connect(taken=False)
        if event.text == "machine":
            message = replace(message, reply=replace(message.reply, transfer=None, ends_session=True))
        return adapter.acknowledge((message,))
    taken = event.text == _TAKES
    if taken:
        await gateway.store.write(lambda tx: calls.taken(tx, event.value, gateway.clock.now_ms()))
        gateway.hints.wake("events")
    return adapter.connect(taken=taken)
