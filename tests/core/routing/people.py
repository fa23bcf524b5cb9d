"""Customers, contacts and hand-overs for tests of agents' work, written through the functions that the turn writes them with."""

from __future__ import annotations

from itertools import count
from types import MappingProxyType

from core import agents
from core.identity import people
from core.model.address import Address, AddressKind, Strength
from core.model.capabilities import Capabilities, Family
from core.model.channel import Channel
from core.model.ids import ChannelId, derive, uuid7
from core.model.outbound import Answer, Author, Reply
from core.record import Link, hear, say
from core.routing.handover import queue_item
from core.store import conversations, interactions
from core.store.agents import Agent
from core.store.api import Tx

NOW = 1_790_000_000_000
NUMBER = Address(AddressKind.MSISDN, "+254722000001")
VISITOR = Address(AddressKind.VISITOR, "v-0001")
_ids = count(1)


def new_id(at: int = NOW) -> str:
    return uuid7(at, lambda n: next(_ids).to_bytes(n, "big"))


def _channel(name: str, family: Family, address: Address, reaches: AddressKind, **able: object) -> Channel:
    limits = {"text_max_chars": 1_600, "text_budget_chars": 480} | able
    capabilities = Capabilities(family=family, **limits)
    return Channel(
        ChannelId(name), name, address, capabilities, reaches, lambda replies: Answer(body=b"\n".join(_body(r) for r in replies))
    )


def _body(message: object) -> bytes:
    return str(message).encode()


USSD = _channel(
    "ussd", Family.USSD, Address(AddressKind.SHORT_CODE, "*384*100#"), AddressKind.MSISDN, text_max_chars=182, gsm7=True,
    inline_reply=True, outbound=False, session=True, sender_strength=Strength.NETWORK,
)  # fmt: skip
SMS = _channel("sms", Family.SMS, Address(AddressKind.MSISDN, "+254711082000"), AddressKind.MSISDN, gsm7=True)
WEB = _channel("web", Family.WEB, Address(AddressKind.ALIAS, "web"), AddressKind.VISITOR, pulled=True)
CHANNELS = MappingProxyType({one.id: one for one in (USSD, SMS, WEB)})


def add_agent(tx: Tx, login: str, role: str = "agent", password_hash: str = "-", name: str | None = None) -> Agent:
    return agents.add(tx, new_id(), login, name or login.title(), role, password_hash, NOW)


def link_of(tx: Tx, channel: Channel, address: Address, at: int) -> tuple[conversations.Conversation, Link]:
    """Return the conversation of an address and its open interaction on the channel, both opened if need be."""
    cause = new_id(at)
    person = people.meet(tx, address, channel, cause, at)
    interaction_id = person.interaction_id or derive(cause, "interaction")
    if person.interaction_id is None:
        interactions.open_one(
            tx, person.conversation, interaction_id, channel=channel, address=address, direction="inbound", contact_type="prospect", at=at
        )
    return person.conversation, Link(channel, address, interaction_id)


def customer_says(tx: Tx, text: str, channel: Channel = SMS, address: Address = NUMBER, at: int = NOW) -> str:
    """Record a customer's message and return the conversation's id."""
    conversation, link = link_of(tx, channel, address, at)
    hear(tx, conversation, link, message_id=new_id(at), text=text, content=None, at=at, external_id=new_id(at))
    interactions.touch(tx, link.interaction_id, at)
    conversations.save(tx, conversation)
    return conversation.id


def bot_says(tx: Tx, text: str, channel: Channel = SMS, address: Address = NUMBER, at: int = NOW) -> None:
    conversation, link = link_of(tx, channel, address, at)
    inline = channel.capabilities.inline_reply
    say(tx, conversation, link, Reply(text), author=Author.BOT, cause=new_id(at), ordinal=0, at=at, inline=inline)
    conversations.save(tx, conversation)


def hand_over(tx: Tx, channel: Channel = SMS, address: Address = NUMBER, at: int = NOW, **card: object) -> str:
    """Put the conversation of an address into the queue and return the work item's id."""
    conversation, link = link_of(tx, channel, address, at)
    item_id = new_id(at)
    told = {"wanted": "Talk to an agent", "reason": "asked", "tried": [], "facts": {}} | card
    queue_item(tx, conversation, item_id, interaction_id=link.interaction_id, queue="general", reason="asked", card=told, at=at)
    conversations.save(tx, conversation)
    return item_id
