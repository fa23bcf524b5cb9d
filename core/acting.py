"""Whom an action is carried out for: the customer behind an interaction, and the number that they may act for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.identity import people
from core.model.address import Address, AddressKind, Strength
from core.model.capabilities import Family
from core.model.channel import Channel
from core.store import conversations, interactions, parties
from core.store.api import Tx


@dataclass(frozen=True, slots=True)
class Acting:
    """The person behind a request. `msisdn` is None unless they write from that number or have proved that it is theirs."""

    party_id: str
    family: Family
    language: str
    trust: Strength
    msisdn: str | None
    customer_no: str | None


def acting_for(tx: Tx, interaction_id: str, channels: Mapping[str, Channel], default_language: str) -> Acting:
    """Return who stands behind an interaction; raises KeyError if its address has no owner any more."""
    stored = interactions.get(tx, interaction_id)
    if stored is None:
        raise KeyError(interaction_id)
    channel = channels[stored["channel_id"]]
    address = Address(AddressKind(stored["address_kind"]), stored["address"])
    person = conversations.person(tx, address, channel.id)
    party = None if person is None else parties.get(tx, person.party_id)
    if person is None or party is None:
        raise KeyError(interaction_id)
    trust = people.trust(person, channel)
    return Acting(
        party_id=person.party_id,
        family=channel.capabilities.family,
        language=person.language or default_language,
        trust=trust,
        msisdn=_own_number(tx, person.party_id, address, trust),
        customer_no=party["customer_no"],
    )


def _own_number(tx: Tx, party_id: str, address: Address, trust: Strength) -> str | None:
    if address.kind is AddressKind.MSISDN:
        return address.value
    if trust < Strength.PROVED:
        return None
    numbers = [row[1] for row in conversations.open_media_of(tx, party_id) if row[0] == AddressKind.MSISDN.value]
    return numbers[0] if numbers else None
