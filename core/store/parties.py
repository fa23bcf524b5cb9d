"""Statements over parties and their contact media: who owns an address, since when, on what evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.model.address import Address, Strength
from core.store.api import Row, Tx
from core.store.documents import decode, encode


def create(tx: Tx, party_id: str, role: str, at: int, *, customer_no: str | None = None, language: str | None = None) -> None:
    """Create a party: a customer or a prospect."""
    tx.execute(
        "insert into party (id, role, customer_no, language, created_at) values (?, ?, ?, ?, ?)",
        (party_id, role, customer_no, language, at),
    )


def link(tx: Tx, medium_id: str, party_id: str, address: Address, strength: Strength, evidence: str, at: int, number: int = 0) -> None:
    """Say that an address belongs to a party from now on."""
    tx.execute(
        "insert into contact_medium (id, party_id, kind, value, strength, evidence, last_number, valid_from)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        (medium_id, party_id, address.kind.value, address.value, int(strength), evidence, number, at),
    )


def unlink(tx: Tx, medium_id: str, at: int) -> None:
    """Say that an address belongs to its party no longer."""
    tx.execute("update contact_medium set valid_to = ? where id = ? and valid_to is null", (at, medium_id))


def strengthen(tx: Tx, medium_id: str, strength: Strength, evidence: str) -> None:
    """Note better evidence for a link."""
    tx.execute(
        "update contact_medium set strength = ?, evidence = ? where id = ? and strength < ?",
        (int(strength), evidence, medium_id, int(strength)),
    )


def current_medium(tx: Tx, address: Address) -> Row | None:
    """Return id, party_id, last_number of the current link of an address, or None."""
    return tx.one(
        "select id, party_id, last_number from contact_medium where kind = ? and value = ? and valid_to is null",
        (address.kind.value, address.value),
    )


def set_opted_out(tx: Tx, medium_id: str, at: int | None) -> None:
    """Note that messages to an address are refused since `at`, or welcome again (None)."""
    tx.execute("update contact_medium set opted_out_at = ? where id = ?", (at, medium_id))


def set_unreachable(tx: Tx, address: Address, at: int | None) -> None:
    """Note that messages to an address come back since `at`, or that somebody is there again (None)."""
    tx.execute(
        "update contact_medium set unreachable_at = ? where kind = ? and value = ? and valid_to is null",
        (at, address.kind.value, address.value),
    )


def set_claimed_name(tx: Tx, medium_id: str, name: str) -> None:
    """Note how whoever uses an address calls themself."""
    tx.execute("update contact_medium set claimed_name = ? where id = ? and coalesce(claimed_name, '') <> ?", (name, medium_id, name))


def set_language(tx: Tx, party_id: str, language: str) -> None:
    """Note the language in which a person is answered."""
    tx.execute("update party set language = ? where id = ?", (language, party_id))


def set_name(tx: Tx, party_id: str, name: str) -> None:
    """Note a person's name."""
    tx.execute("update party set name = ? where id = ?", (name, party_id))


def set_facts(tx: Tx, party_id: str, facts: Mapping[str, Any]) -> None:
    """Write the facts that a person told."""
    tx.execute("update party set facts = ? where id = ?", (encode(facts), party_id))


def set_merged(tx: Tx, party_id: str, into: str | None) -> None:
    """Say that a party turned out to be another one; None takes it back."""
    tx.execute("update party set merged_into = ? where id = ?", (into, party_id))


def get(tx: Tx, party_id: str) -> dict[str, Any] | None:
    """Return a party as a document, or None."""
    row = tx.one("select id, role, customer_no, name, language, facts, merged_into, created_at from party where id = ?", (party_id,))
    if row is None:
        return None
    fields = ("id", "role", "customer_no", "name", "language", "facts", "merged_into", "created_at")
    party = dict(zip(fields, row, strict=True))
    party["facts"] = decode(party["facts"])
    return party


def conversation_ids(tx: Tx, party_id: str) -> list[str]:
    """Return the conversations of a party and of all that were merged into it, its own first."""
    rows = tx.all(
        "select c.id from conversation c join party p on p.id = c.party_id where p.id = ? or p.merged_into = ?"
        " order by case when p.id = ? then 0 else 1 end, c.created_at",
        (party_id, party_id, party_id),
    )
    return [row[0] for row in rows]
