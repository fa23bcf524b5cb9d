"""Statements over cases: troubles that a customer reported, each with a number that people can say."""

from __future__ import annotations

from typing import Any

from core.store.api import Tx

FIRST_NUMBER = 1001
FIELDS = ("number", "kind", "description", "severity", "status", "created_at", "changed_at", "id")


def open_one(tx: Tx, case_id: str, *, party_id: str, interaction_id: str, kind: str, description: str, severity: str, at: int) -> int:
    """Open a case and return its number; the same id again returns the number that it has."""
    known = tx.one("select number from case_file where id = ?", (case_id,))
    if known is not None:
        return int(known[0])
    highest = tx.one("select max(number) from case_file")
    number = FIRST_NUMBER if highest is None or highest[0] is None else highest[0] + 1
    tx.execute(
        "insert into case_file (id, number, party_id, interaction_id, kind, description, severity, status, created_at, changed_at)"
        " values (?, ?, ?, ?, ?, ?, ?, 'acknowledged', ?, ?)",
        (case_id, number, party_id, interaction_id, kind, description, severity, at, at),
    )
    return int(number)


def of_party(tx: Tx, party_id: str, limit: int) -> list[dict[str, Any]]:
    """Return the newest cases of a party."""
    sql = f"select {', '.join(FIELDS)} from case_file where party_id = ? order by created_at desc, number desc limit ?"  # noqa: S608
    return [dict(zip(FIELDS, row, strict=True)) for row in tx.all(sql, (party_id, limit))]
