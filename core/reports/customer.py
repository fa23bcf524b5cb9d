"""All that the record knows of the person behind an address."""

from __future__ import annotations

from typing import Any

from core.model.address import Strength
from core.store import cases, interactions, messages, parties
from core.store.api import Row, Tx


def by_address(tx: Tx, address: str, limit: int, kind: str = "") -> dict[str, Any] | None:
    """Return the person who owns an address now, or owned it last, with the newest `limit` interactions and messages; else None.

    One number can be addresses of several kinds, and of several people: the one of whom it is best known is returned, unless `kind`
    says which is meant; `others` names the kinds by which others have it now.
    """
    rows = tx.all(
        "select coalesce(p.merged_into, p.id), m.kind, m.valid_to from contact_medium m join party p on p.id = m.party_id where m.value = ?"
        " order by case when m.valid_to is null then 0 else 1 end, m.strength desc, m.valid_from desc",
        (address,),
    )
    meant = [row for row in rows if row[1] == kind or not kind]
    person = _person(tx, meant[0][0], limit) if meant else None
    if person is None:
        return None
    return {**person, "others": sorted({row[1] for row in rows if row[2] is None and row[0] != person["id"]})}


def _person(tx: Tx, party_id: str, limit: int) -> dict[str, Any] | None:
    party = parties.get(tx, party_id)
    if party is None:
        return None
    conversations = parties.conversation_ids(tx, party["id"])
    return {
        **party,
        "addresses": [_address(row) for row in _media(tx, party["id"])],
        "cases": cases.of_party(tx, party["id"], limit),
        "interactions": interactions.latest_of_conversations(tx, conversations, limit),
        "messages": messages.latest_of_conversations(tx, conversations, limit),
    }


def _media(tx: Tx, party_id: str) -> list[Row]:
    return tx.all(
        "select m.kind, m.value, m.strength, m.evidence, m.opted_out_at, m.valid_from, m.valid_to from contact_medium m"
        " join party p on p.id = m.party_id where p.id = ? or p.merged_into = ? order by m.valid_from, m.id",
        (party_id, party_id),
    )


def _address(row: Row) -> dict[str, Any]:
    kind, value, strength, evidence, opted_out_at, valid_from, valid_to = row
    return {
        "kind": kind,
        "value": value,
        "strength": Strength(strength).name.lower(),
        "evidence": evidence,
        "opted_out": opted_out_at is not None,
        "valid_from": valid_from,
        "valid_to": valid_to,
    }
