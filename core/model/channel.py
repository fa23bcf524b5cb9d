"""A channel as the core sees it: our end, what its kind can do, and how its answers are built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.model.address import Address, AddressKind
from core.model.capabilities import Capabilities
from core.model.ids import ChannelId
from core.model.outbound import Answer, OutboundMessage


@dataclass(frozen=True, slots=True)
class Channel:
    """One configured channel. `reaches` is the kind of address that it can send to; `acknowledge` is its adapter's."""

    id: ChannelId
    kind: str
    address: Address
    capabilities: Capabilities
    reaches: AddressKind
    acknowledge: Callable[[Sequence[OutboundMessage]], Answer]
    looks_up: bool = False  # the provider can be asked what became of a message
