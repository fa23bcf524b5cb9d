"""Where a person can be written to now, and why not elsewhere: what the reply box of an agent offers.

Must not send anything; `core.routing.speak` does, on one of these targets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
_NUMBERS = """
select m.value, m.opted_out_at from contact_medium m join conversation c on c.party_id = m.party_id
 where c.id = ? and m.kind = ? and m.valid_to is null and m.unreachable_at is null
 order by coalesce((select max(i.last_at) from interaction i where i.conversation_id = c.id and i.address = m.value), 0) desc,
       m.valid_from desc
"""
_WAS_THEIRS = (
    "select 1 from contact_medium m join interaction i on i.party_id = m.party_id where i.id = ? and m.kind = ? and m.value = ? limit 1"
)
_SPOKE_SINCE = """
select 1 from message where conversation_id = ? and author = 'customer' and address = ? and created_at > ?
   and seq > (select seq from conversation where id = ?) - 200 limit 1
"""


@dataclass(frozen=True, slots=True)
class Target:
    """One way to a person. Without a `link` it is not possible, and `problem` says why.

    moved: the address has another owner now; guest: it never was this person's, whoever uses it; opted_out, unreachable, no_channel.
    """

    channel_id: str
    address: Address
    link: Link | None
    problem: str | None = None

    @property
    def key(self) -> str:
        """What the page calls this target."""
        return f"{self.channel_id}|{self.address}"


def targets(tx: Tx, channels: Mapping[str, Channel], conversation_id: str) -> list[Target]:
    """Return each way on which this conversation took place, the latest used first, possible or not; then numbers to call."""
    found: dict[str, Target] = {}
    used = tx.all(_USED, (conversation_id,))
    for row in used:
        target = _target(tx, channels, conversation_id, row)
        found.setdefault(target.key, target)
    calls = {call.key: call for call in _calls(tx, channels, conversation_id, used[0][0])} if used else {}
    return list((found | calls).values())


def _calls(tx: Tx, channels: Mapping[str, Channel], conversation_id: str, interaction_id: str) -> Iterator[Target]:
    """Return the ways to call the person: each of their numbers whose owner did not opt out, the latest used first."""
    for channel in channels.values():
        if not channel.capabilities.calls:
            continue
        for value, opted_out_at in tx.all(_NUMBERS, (conversation_id, channel.reaches.value)):
            if opted_out_at is None or _spoke_since(tx, conversation_id, value, opted_out_at):
                address = Address(channel.reaches, value)
                yield Target(channel.id, address, Link(channel, address, interaction_id))


def _target(tx: Tx, channels: Mapping[str, Channel], conversation_id: str, row: Row) -> Target:
    interaction_id, channel_id, kind, value, opted_out_at, unreachable_at, medium_id = row
    address = Address(AddressKind(kind), value)
    used = channels.get(channel_id)
    link = push_link(channels, Link(used, address, interaction_id)) if used else None
    if link is None:
        return Target(channel_id, address, None, "no_channel")
    if medium_id is None:
        theirs = tx.one(_WAS_THEIRS, (interaction_id, kind, value))
        return Target(link.channel.id, address, None, "moved" if theirs else "guest")
    pulled = link.channel.capabilities.pulled
    if opted_out_at is not None and not pulled and not _spoke_since(tx, conversation_id, value, opted_out_at):
        return Target(link.channel.id, address, None, "opted_out")
    if unreachable_at is not None:
        return Target(link.channel.id, address, None, "unreachable")
    return Target(link.channel.id, address, link)


def _spoke_since(tx: Tx, conversation_id: str, value: str, opted_out_at: int) -> bool:
    """Tell whether somebody who wants no more messages has written themselves after that, and so may be answered."""
    return tx.one(_SPOKE_SINCE, (conversation_id, value, opted_out_at, conversation_id)) is not None
