"""Where a person can be written to now, and why not elsewhere: what the reply box of an agent offers.

Must not send anything; `core.routing.speak` does, on one of these targets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.model.address import Address, AddressKind
from core.model.channel import Channel
from core.record import Link, push_link
from core.store.api import Row, Tx

_USED = """
select i.id, i.channel_id, i.address_kind, i.address, m.opted_out_at, m.unreachable_at, m.id
  from interaction i
  left join contact_medium m on m.kind = i.address_kind and m.value = i.address and m.party_id = i.party_id and m.valid_to is null
 where i.conversation_id = ? order by i.last_at desc, i.opened_at desc limit 50
"""
_SPOKE_SINCE = """
select 1 from message where conversation_id = ? and author = 'customer' and address = ? and created_at > ?
   and seq > (select seq from conversation where id = ?) - 200 limit 1
"""


@dataclass(frozen=True, slots=True)
class Target:
    """One way to a person. Without a `link` it is not possible, and `problem` says why: moved, opted_out, unreachable, no_channel."""

    channel_id: str
    address: Address
    link: Link | None
    problem: str | None = None

    @property
    def key(self) -> str:
        """What the page calls this target."""
        return f"{self.channel_id}|{self.address}"


def targets(tx: Tx, channels: Mapping[str, Channel], conversation_id: str) -> list[Target]:
    """Return each way on which this conversation took place, the latest used first, possible or not; then who can be called."""
    found: dict[str, Target] = {}
    calls: dict[str, Target] = {}
    for row in tx.all(_USED, (conversation_id,)):
        target = _target(tx, channels, conversation_id, row)
        if target.key not in found:
            found[target.key] = target
        used = channels.get(row[1])
        if used is not None and used.capabilities.calls and target.address.kind is used.reaches and target.problem is None:
            call = Target(used.id, target.address, Link(used, target.address, row[0]))
            calls.setdefault(call.key, call)
    return list((found | calls).values())


def _target(tx: Tx, channels: Mapping[str, Channel], conversation_id: str, row: Row) -> Target:
    interaction_id, channel_id, kind, value, opted_out_at, unreachable_at, medium_id = row
    address = Address(AddressKind(kind), value)
    used = channels.get(channel_id)
    link = push_link(channels, Link(used, address, interaction_id)) if used else None
    if link is None:
        return Target(channel_id, address, None, "no_channel")
    if medium_id is None:
        return Target(link.channel.id, address, None, "moved")
    if opted_out_at is not None and not link.channel.capabilities.pulled:
        wrote_again = tx.one(_SPOKE_SINCE, (conversation_id, value, opted_out_at, conversation_id))
        if wrote_again is None:
            return Target(link.channel.id, address, None, "opted_out")
    if unreachable_at is not None:
        return Target(link.channel.id, address, None, "unreachable")
    return Target(link.channel.id, address, link)
