"""Callers who wait in a line for people: what they hear of it, how the desk knows of them, and how they are called out of it.

The dialog is not told of any of this. Must not reach the provider.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core import calls
from core.advance import Advance
from core.model.channel import Channel
from core.model.dialog import InLine
from core.model.inbound import ContactSignal
from core.model.outbound import OutboundMessage
from core.record import Link
from core.store import agents, conversations, work_items
from core.store.agents import Agent
from core.store.api import Tx
from core.store.work_items import WorkItem

FETCHED_MS = 15_000  # after which a caller who is still in the line was not called out of it
SIGNED_IN_MS = 30 * 60_000  # whoever talks on the phone does not touch the desk
_PLACE = re.compile(r"[1-9][0-9]{0,3}")


def heard(tx: Tx, advance: Advance, channel: Channel, signal: ContactSignal, at: int) -> OutboundMessage | None:
    """Return what a caller hears who waits or is called out of the line; None if nobody is there for them any more.

    Who is called out of it is put through to the phone of the agent who has their work, or back into the line if nobody has it.
    """
    person = conversations.person(tx, signal.sender, channel.id)
    item = calls.item_of(tx, signal.value)
    if person is None or item is None or item.conversation_id != person.conversation.id:
        return None
    link = Link(channel, signal.sender, "")
    where = {"message": signal.value, "call": signal.session_id or "", "channel": channel.id}
    if signal.signal == "fetched":
        taker = agents.find(tx, item.agent_id) if item.agent_id else None
        phone = taker.phone if taker is not None else None
        _called_out(tx, item, taker if phone else None, where, at)
        message = advance.aside(person, link, InLine(fetched=phone is not None), signal.value, at)
        return replace(message, reply=replace(message.reply, transfer=phone or item.queue))
    if not agents.any_at_work(tx, at, SIGNED_IN_MS):
        return None
    _waits(tx, item, where, at)
    told = signal.signal == "waiting" and _PLACE.fullmatch(signal.text)
    return advance.aside(person, link, InLine(int(signal.text) if told else None), signal.value, at)


def fetch(tx: Tx, item_id: str, agent: Agent, at: int) -> tuple[str, str, str] | None:
    """Note that a waiting caller is called out of the line for an agent; return channel, call and message, or None."""
    item = work_items.find(tx, item_id)
    if item is None or item.agent_id != agent.id or _status(item) != "waiting":
        return None
    known = calls.of(item)
    _stands(tx, item, "fetched", known, at, taker=agent)
    return known["channel"], known["call"], known["message"]


def not_fetched(tx: Tx, item_id: str, at: int, *, gone: bool) -> None:
    """Note that a caller could not be called out of the line, and waits there still or is `gone`."""
    item = work_items.find(tx, item_id)
    if item is not None and _status(item) == "fetched":
        _stands(tx, item, "abandoned" if gone else "waiting", calls.of(item), at)


def _called_out(tx: Tx, item: WorkItem, taker: Agent | None, where: Mapping[str, Any], at: int) -> None:
    """Note for whom a caller is called out of the line, who is so now: that may not be as it was when it was asked for."""
    known, status = calls.of(item), _status(item)
    if taker is None and status == "fetched":
        _stands(tx, item, "waiting", where, at)
    elif taker is not None and (status == "waiting" or (status == "fetched" and known.get("agent") != taker.id)):
        _stands(tx, item, "fetched", where, at, taker=taker)


def _waits(tx: Tx, item: WorkItem, where: Mapping[str, Any], at: int) -> None:
    """Note how to call a caller out of the line, unless that is known; since they asked they may have been, or have hung up."""
    known, status = calls.of(item), _status(item)
    on_its_way = (status == "fetched" and at < known["at"] + FETCHED_MS) or (status == "abandoned" and known.get("call") == where["call"])
    if not on_its_way and not (status == "waiting" and where.items() <= known.items()):
        _stands(tx, item, "waiting", where, at)


def _status(item: WorkItem) -> str | None:
    return calls.of(item).get("status")


def _stands(tx: Tx, item: WorkItem, status: str, where: Mapping[str, Any], at: int, taker: Agent | None = None) -> None:
    place = {name: where[name] for name in ("message", "call", "channel")}
    since = {"at": at, "agent": taker.id} if taker is not None else {}
    calls.note(tx, item, {"status": status, **calls.kept(item), **place, **since}, at)
