"""Who a conversation is with, as a plain document for the desk: identity, addresses, facts, cases, latest contacts; and one lock lifted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.identity import code_limits
from core.model.address import Strength
from core.model.channel import Channel
from core.routing import files, reach
from core.routing.refused import Refused
from core.store import cases, conversations, interactions, parties, work_items
from core.store.api import Tx
from core.store.work_items import WorkItem

CASES_MAX = 10
INTERACTIONS_MAX = 10
TURNS_MAX = 5
_LAST_TURNS = "select author, text, created_at from message where conversation_id = ? and created_at <= ? order by seq desc limit ?"


def conversation_ids(tx: Tx, conversation_id: str) -> list[str]:
    """Return every conversation of the person whose conversation this is, joined parties included; raises KeyError if there is none."""
    return parties.conversation_ids(tx, _root(tx, conversations.load(tx, conversation_id).party_id)["id"])


def card(tx: Tx, conversation_id: str) -> dict[str, Any]:
    """Return what is known of the person behind a conversation; raises KeyError if there is none."""
    party = _root(tx, conversations.load(tx, conversation_id).party_id)
    media = [
        {
            "kind": kind,
            "value": value,
            "strength": Strength(strength).name.lower(),
            "evidence": evidence,
            "opted_out": opted_out_at is not None,
            "since": valid_from,
            "claimed_name": claimed_name,
        }
        for kind, value, strength, evidence, opted_out_at, valid_from, claimed_name in conversations.open_media_of(tx, party["id"])
    ]
    latest = interactions.latest_of_conversations(tx, parties.conversation_ids(tx, party["id"]), INTERACTIONS_MAX)
    shown = ("id", "channel_id", "media_type", "direction", "reason", "status", "close_reason", "disposition", "opened_at", "closed_at")
    return {
        "name": party["name"],
        "role": party["role"],
        "customer_no": party["customer_no"],
        "language": party["language"],
        "since": party["created_at"],
        "codes_locked_at": code_limits.locked_at(tx, party["id"]),
        "addresses": media,
        "facts": [{"name": name, **_fact(told)} for name, told in party["facts"].items()],
        "cases": cases.of_party(tx, party["id"], CASES_MAX),
        "interactions": [{key: one[key] for key in shown} for one in latest],
    }


def unlock_codes(tx: Tx, conversation_id: str, by: str, at: int) -> bool:
    """Let the person behind a conversation that was handed over have one-time codes again; False if they were not locked.

    Raises `Refused` not_found.
    """
    if latest_item(tx, conversation_id) is None:
        raise Refused("not_found", "There is no such hand-over.")
    return code_limits.unlock(tx, _root(tx, conversations.load(tx, conversation_id).party_id)["id"], by, at)


def _root(tx: Tx, party_id: str) -> dict[str, Any]:
    party = parties.get(tx, party_id)
    if party is not None and party["merged_into"] is not None:
        party = parties.get(tx, party["merged_into"])
    if party is None:
        raise KeyError(party_id)
    return party


def _fact(told: Any) -> dict[str, Any]:
    if isinstance(told, Mapping):
        return {key: told.get(key) for key in ("value", "source", "at", "verified")}
    return {"value": told, "source": None, "at": None, "verified": False}


def ways(tx: Tx, channels: Mapping[str, Channel], conversation_id: str) -> list[dict[str, Any]]:
    """Return the ways to reply, with the limits of each, the one to use first."""
    made = []
    for target in reach.targets(tx, channels, conversation_id):
        channel = channels.get(target.channel_id)
        made.append(
            {
                "key": target.key,
                "channel": target.channel_id,
                "family": channel.capabilities.family.value if channel else None,
                "address": target.address.value,
                "possible": target.link is not None,
                "problem": target.problem,
                "text_max_chars": channel.capabilities.text_max_chars if channel else 0,
                "gsm7": bool(channel and channel.capabilities.gsm7),
                "files": files.document(channel) if channel else None,
                "puts_through": bool(channel and channel.capabilities.calls and _has_phone(channel, latest_item(tx, conversation_id))),
            }
        )
    return sorted(made, key=lambda way: not way["possible"])


def _has_phone(channel: Channel, item: WorkItem | None) -> bool:
    """Tell whether whoever is called on `channel` is put through to somebody."""
    return item is not None and channel.capabilities.through(item.queue, attended=False)


def item_document(item: WorkItem, names: Mapping[str, str]) -> dict[str, Any]:
    """Return a work item for the page."""
    return {
        "id": item.id,
        "number": item.number,
        "conversation": item.conversation_id,
        "interaction": item.interaction_id,
        "queue": item.queue,
        "state": item.state,
        "version": item.version,
        "agent": item.agent_id,
        "agent_name": names.get(item.agent_id or ""),
        "reason": item.reason,
        "card": dict(item.card),
        "disposition": item.disposition,
        "created_at": item.created_at,
        "claimed_at": item.claimed_at,
        "ended_at": item.ended_at,
    }


def last_turns(tx: Tx, item: WorkItem) -> list[dict[str, Any]]:
    """Return what was said last before a hand-over, oldest first: the situation in which it happened."""
    rows = tx.all(_LAST_TURNS, (item.conversation_id, item.created_at, TURNS_MAX))
    return [{"author": author, "text": text, "at": at} for author, text, at in reversed(rows)]


def latest_item(tx: Tx, conversation_id: str) -> WorkItem | None:
    """Return the newest hand-over of a conversation."""
    return work_items.latest(tx, conversation_id)
