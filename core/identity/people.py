"""Finding or admitting the person behind an address, and joining two parties that turned out to be one."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from core.model.address import Address, AddressKind, Strength
from core.model.channel import Channel
from core.model.ids import derive
from core.model.inbound import InboundMessage
from core.store import conversations, parties
from core.store.api import Tx
from core.store.conversations import Person
from core.store.events import append

NAME_CHARS_MAX = 100
_NAME_READ_MAX = 1_000


def meet(tx: Tx, address: Address, channel: Channel, cause: str, at: int, own: Address | None = None) -> Person:
    """Return the person behind an address; one that nobody owns opens a prospect with a conversation of its own.

    `own` is a number that their message proves to be theirs: it joins them with its owner, unless an agent is speaking with them.
    """
    person = conversations.person(tx, address, channel.id)
    if person is None:
        person = admit(tx, address, channel.id, channel.capabilities.sender_strength, f"first contact on {channel.id}", cause, at)
    if own is None or person.conversation.owner != "bot":
        return person
    return prove(tx, person, own, channel.id, cause, at, f"contact shared on {channel.id}")


def assume_language(tx: Tx, person: Person, hint: str, offered: Sequence[str]) -> None:
    """Take the language of somebody's page or program, such as `fr-FR`, for theirs until they choose one; only one that is offered."""
    if person.language is not None:
        return
    wanted = hint.partition("-")[0].lower()
    for language in offered:
        if language.partition("-")[0].lower() == wanted:
            person.language = language
            parties.set_language(tx, person.party_id, language)
            return


def hear_name(tx: Tx, person: Person, claimed: str) -> None:
    """Note how somebody calls themself at the provider. It is what they say: never their name here, nor a proof of anything."""
    shown = " ".join("".join(char if unicodedata.category(char)[0] != "C" else " " for char in claimed[:_NAME_READ_MAX]).split())
    if shown:
        parties.set_claimed_name(tx, person.medium_id, shown[:NAME_CHARS_MAX])


def own_number(said: InboundMessage) -> Address | None:
    """Return the number that a message proves to be its sender's: of a shared contact that the provider says is their own."""
    for item in said.media:
        if item.kind == "contact" and item.values.get("own") == "yes":
            return Address(AddressKind.MSISDN, item.values["phone"])
    return None


def admit(
    tx: Tx, address: Address, channel_id: str, strength: Strength, evidence: str, cause: str, at: int, customer_no: str | None = None
) -> Person:
    """Open a party for an address that has no owner: a prospect, or a customer where the number of one is given."""
    party_id = derive(cause, "party")
    parties.create(tx, party_id, "customer" if customer_no else "prospect", at, customer_no=customer_no)
    parties.link(tx, derive(cause, "medium"), party_id, address, strength, evidence, at)
    conversations.create(tx, derive(cause, "conversation"), party_id, at)
    person = conversations.person(tx, address, channel_id)
    if person is None:
        raise KeyError(str(address))
    return person


def trust(person: Person, channel: Channel) -> Strength:
    """Return how well the sender of a message is known: what the channel proves of an address, or what its holder has proved since.

    The latter only where nobody else can write from that address: a visitor's token, an account at Telegram or WhatsApp.
    """
    if person.address.kind in {AddressKind.VISITOR, AddressKind.TELEGRAM, AddressKind.WHATSAPP}:
        return person.strength
    return channel.capabilities.sender_strength


def prove(tx: Tx, person: Person, proved: Address, channel_id: str, cause: str, at: int, evidence: str = "one-time code") -> Person:
    """Join a person with the owner of an address that they have just proved; return whom the conversation belongs to from now on.

    The proved address keeps its owner; the address in use moves to that owner. A merge is a set of links, so it can be undone.
    """
    medium = parties.current_medium(tx, proved)
    if medium is None:
        parties.link(tx, derive(cause, "proved"), person.party_id, proved, Strength.PROVED, evidence, at)
        parties.strengthen(tx, person.medium_id, Strength.PROVED, evidence)
        append(tx, person.conversation, "person.verified", at, body={"address": proved.kind.value})
        conversations.save(tx, person.conversation)
        return _reload(tx, person, channel_id, person.conversation.state)
    if medium[1] == person.party_id:
        parties.strengthen(tx, person.medium_id, Strength.PROVED, evidence)
        append(tx, person.conversation, "person.verified", at, body={"address": proved.kind.value})
        conversations.save(tx, person.conversation)
        return _reload(tx, person, channel_id, person.conversation.state)
    return _merge(tx, person, medium[1], channel_id, cause, at, evidence)


def _merge(tx: Tx, person: Person, owner_id: str, channel_id: str, cause: str, at: int, evidence: str) -> Person:
    old = person.conversation
    number = (parties.current_medium(tx, person.address) or ("", "", 0))[2]
    parties.unlink(tx, person.medium_id, at)
    parties.link(tx, derive(cause, "merged"), owner_id, person.address, Strength.PROVED, evidence, at, number)
    if person.role == "prospect":  # else two customers have used one address one after the other, and stay two
        parties.set_merged(tx, old.party_id, owner_id)
    target = conversations.of_party(tx, owner_id)
    latest = tx.one("select id from interaction where conversation_id = ? order by opened_at desc limit 1", (target.id,))
    if person.interaction_id is not None:
        tx.execute(
            "update interaction set conversation_id = ?, party_id = ?, contact_type = 'customer',"
            " previous_id = coalesce(previous_id, ?) where id = ?",
            (target.id, owner_id, None if latest is None else latest[0], person.interaction_id),
        )
        tx.execute(
            "update timer set conversation_id = ? where conversation_id = ? and kind = ?",
            (target.id, old.id, f"close:{person.interaction_id}"),
        )
    state, old.state = old.state, None
    if old.session_id is not None:  # the session goes on with the person, and so does the count of what was heard in it
        target.session_channel, target.session_id, target.session_seen = old.session_channel, old.session_id, old.session_seen
        target.session_secret = old.session_secret
        old.session_channel = old.session_id = old.session_seen = None
    append(tx, old, "person.verified", at, ref=target.id, body={"merged_into": owner_id})
    conversations.save(tx, old)
    append(tx, target, "person.verified", at, ref=old.id, body={"merged": old.party_id})
    conversations.save(tx, target)
    return _reload(tx, person, channel_id, state)


def _reload(tx: Tx, person: Person, channel_id: str, state: str | None) -> Person:
    found = conversations.person(tx, person.address, channel_id)
    if found is None:
        raise KeyError(str(person.address))
    found.conversation.state = state
    return found
