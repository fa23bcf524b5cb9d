"""What is said to one of our people who is called for a customer, before the two are connected.

It is beside the conversation: the customer does not hear it, and the dialog is not told.
"""

from __future__ import annotations

from core import calls
from core.model.adapter import PutsThrough
from core.model.inbound import ContactSignal
from core.model.outbound import Answer
from gateway.runtime import ConfiguredChannel, Gateway

_TAKES = "1"


async def beside(gateway: Gateway, configured: ConfiguredChannel, event: ContactSignal) -> Answer:
    """Tell who picked up what the call is about, or carry out their answer; raises `StoreUnavailable`."""
    adapter = configured.adapter
    if not isinstance(adapter, PutsThrough):
        return adapter.acknowledge(())
    if event.signal == "whisper":
        text, language = await gateway.store.read(lambda tx: calls.whispered(tx, event.value))
        return adapter.whisper(event.value, text, language) if text else adapter.connect(taken=False)
    taken = event.text == _TAKES
    if taken:
        await gateway.store.write(lambda tx: calls.taken(tx, event.value, gateway.clock.now_ms()))
        gateway.hints.wake("events")
    return adapter.connect(taken=taken)
