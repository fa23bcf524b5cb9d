"""Statements over conversations and the person behind an address; one statement reads all that a turn needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.model.address import Address, Strength
from core.store.api import Row, Tx
from core.store.documents import decode

_COLUMNS = (
    "c.id, c.party_id, c.state, c.version, c.seq, c.spoken_seq, c.owner, c.agent_id, c.owner_epoch,"
    " c.session_channel, c.session_id, c.session_seen, c.session_secret, c.failures"
)
_BY_ID = f"select {_COLUMNS} from conversation c where c.id = ?"  # noqa: S608
_BY_PARTY = f"select {_COLUMNS} from conversation c where c.party_id = ?"  # noqa: S608
_PERSON = "m.id, m.strength, m.opted_out_at, p.role, p.name, p.language, p.facts"
_BY_ADDRESS = (
    f"select {_PERSON}, i.id, i.reason, i.last_at, {_COLUMNS}"  # noqa: S608
    " from contact_medium m join party p on p.id = m.party_id join conversation c on c.party_id = p.id"
    " left join interaction i on i.conversation_id = c.id and i.channel_id = ? and i.address = m.value and i.status = 'open'"
    " where m.kind = ? and m.value = ? and m.valid_to is null"
)
_SAVE = (
    "update conversation set state = ?, version = ?, seq = ?, spoken_seq = ?, owner = ?, agent_id = ?, owner_epoch = ?,"
    " session_channel = ?, session_id = ?, session_seen = ?, session_secret = ?, failures = ? where id = ?"
)


@dataclass(slots=True)
class Conversation:
    """The ongoing dialog with one person: its state, owner and order. `spoken_seq` is when a customer or an agent last said something.

    `session_seen` counts the characters of a transport session that were taken in; `session_secret` says that some were a secret.
    """

    id: str
    party_id: str
    state: str | None
    version: int
    seq: int
    spoken_seq: int
    owner: str
    agent_id: str | None
    owner_epoch: int
    session_channel: str | None
    session_id: str | None
    session_seen: int | None
    session_secret: int
    failures: int


@dataclass(slots=True)
class Person:
    """Who stands behind an address now, with their conversation and the open interaction on the channel asked for."""

    address: Address
    medium_id: str
    strength: Strength
    opted_out: bool
    role: str
    name: str | None
    language: str | None
    facts: dict[str, Any]
    interaction_id: str | None
    reason: str | None
    last_at: int
    conversation: Conversation

    @property
    def party_id(self) -> str:
        """The party that owns the conversation."""
        return self.conversation.party_id


def load(tx: Tx, conversation_id: str) -> Conversation:
    """Return a conversation; raises KeyError if there is none."""
    row = tx.one(_BY_ID, (conversation_id,))
    if row is None:
        raise KeyError(conversation_id)
    return Conversation(*row)


def of_party(tx: Tx, party_id: str) -> Conversation:
    """Return the conversation of a party; raises KeyError if there is none."""
    row = tx.one(_BY_PARTY, (party_id,))
    if row is None:
        raise KeyError(party_id)
    return Conversation(*row)


def person(tx: Tx, address: Address, channel_id: str) -> Person | None:
    """Return who owns an address now, or None if it was never seen or has no owner."""
    row = tx.one(_BY_ADDRESS, (channel_id, address.kind.value, address.value))
    return None if row is None else _person(address, row)


def _person(address: Address, row: Row) -> Person:
    medium_id, strength, opted_out_at, role, name, language, facts, interaction_id, reason, last_at = row[:10]
    return Person(
        address=address,
        medium_id=medium_id,
        strength=Strength(strength),
        opted_out=opted_out_at is not None,
        role=role,
        name=name,
        language=language,
        facts=decode(facts) if facts != "{}" else {},
        interaction_id=interaction_id,
        reason=reason,
        last_at=last_at or 0,
        conversation=Conversation(*row[10:]),
    )


def create(tx: Tx, conversation_id: str, party_id: str, at: int) -> None:
    """Open the conversation of a party."""
    tx.execute("insert into conversation (id, party_id, created_at) values (?, ?, ?)", (conversation_id, party_id, at))


def save(tx: Tx, conversation: Conversation) -> None:
    """Write a conversation back, one version on."""
    conversation.version += 1
    c = conversation
    tx.execute(
        _SAVE,
        (
            c.state,
            c.version,
            c.seq,
            c.spoken_seq,
            c.owner,
            c.agent_id,
            c.owner_epoch,
            c.session_channel,
            c.session_id,
            c.session_seen,
            c.session_secret,
            c.failures,
            c.id,
        ),
    )


def open_media_of(tx: Tx, party_id: str) -> list[Row]:
    """Return the addresses that a party owns now: kind, value, strength, evidence, opted_out_at, valid_from, claimed_name."""
    return tx.all(
        "select kind, value, strength, evidence, opted_out_at, valid_from, claimed_name from contact_medium"
        " where party_id = ? and valid_to is null order by valid_from",
        (party_id,),
    )
