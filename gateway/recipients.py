"""Reads an address that one of our own people typed, in the form that a channel sends to. Must not decide whose it is."""

from __future__ import annotations

from collections.abc import Mapping

from channels import email_addresses
from channels.numbers import msisdn
from core.model.address import Address, AddressKind
from core.model.channel import Channel
from core.routing.refused import Refused


def corrected(channels: Mapping[str, Channel], channel_id: str, text: str | None, region: str) -> Address | None:
    """Return the address that a message is to go to instead, None if that is not said; raises `Refused` bad_address for what is none.

    National numbers are those of `region`. What only a provider gives out, such as the id of a chat, cannot be typed.
    """
    if text is None:
        return None
    channel = channels.get(channel_id)
    match None if channel is None else channel.reaches:
        case AddressKind.MSISDN:
            address = msisdn(text, region)
        case AddressKind.EMAIL:
            address = email_addresses.mailbox(text)
        case _:
            address = None
    if address is None:
        raise Refused("bad_address", "This is no address that this channel can send to.")
    return address
