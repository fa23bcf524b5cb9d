"""The JSON interface of the desk for work: lists, conversations, claims, replies, notes, closing.

Each handler is one unit of work of `core.routing` and the wake-ups that follow it; refusals become answers in `auth`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from core.routing import board, person, speak, thread, work
from core.routing.dispositions import CODES
from core.routing.refused import Refused
from core.routing.speak import Spoken
from core.store import agents, conversations, events
from core.store.agents import Agent
from core.store.api import Tx
from core.store.work_items import WorkItem
from gateway.desk.auth import Caller, Problem
from gateway.desk.body import cause, fields
from gateway.desk.uploads import Uploads
from gateway.put_through import fetch
from gateway.runtime import Gateway
from gateway.webchat_typing import TYPING

_Change = Callable[[Tx, str, Agent, int], WorkItem]
_CURSOR_DIGITS_MAX = 18


class Work:
    """Handlers of one gateway."""

    def __init__(self, gateway: Gateway, uploads: Uploads) -> None:
        self._gateway = gateway
        self._uploads = uploads
        self._channels = gateway.core_channels()

    async def lists(self, _: web.Request, caller: Caller) -> web.StreamResponse:
        """Answer with what waits and what is being worked on."""
        return web.json_response(await self._gateway.store.read(lambda tx: board.lists(tx, caller.agent)))

    async def conversation(self, request: web.Request, _: Caller) -> web.StreamResponse:
        """Answer with everything that the page shows of one conversation."""
        conversation_id = request.match_info["conversation"]
        return web.json_response(await self._gateway.store.read(lambda tx: self._document(tx, conversation_id)))

    def _document(self, tx: Tx, conversation_id: str) -> dict[str, Any]:
        item = _handed_over(tx, conversation_id)
        names = agents.names(tx)
        conversation = conversations.load(tx, conversation_id)
        entries, older = thread.page(tx, person.conversation_ids(tx, conversation_id))
        return {
            "cursor": events.head(tx),
            "conversation": {"id": conversation.id, "seq": conversation.seq, "owner": conversation.owner, "agent": conversation.agent_id},
            "item": person.item_document(item, names) | {"turns": person.last_turns(tx, item)},
            "person": person.card(tx, conversation_id),
            "ways": person.ways(tx, self._channels, conversation_id),
            "entries": entries,
            "older": older,
            "names": names,
        }

    async def entries(self, request: web.Request, _: Caller) -> web.StreamResponse:
        """Answer with older entries of a timeline (`before` a cursor), or with those since (`after` one)."""
        conversation_id = request.match_info["conversation"]
        before, after = _cursor(request, "before"), _cursor(request, "after")

        def unit(tx: Tx) -> dict[str, Any]:
            _handed_over(tx, conversation_id)
            ids = person.conversation_ids(tx, conversation_id)
            if after is not None:
                return {"cursor": events.head(tx), "entries": thread.after(tx, ids, after)}
            found, older = thread.page(tx, ids, before)
            return {"entries": found, "older": older}

        return web.json_response(await self._gateway.store.read(unit))

    async def claim(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Take a waiting item."""
        return await self._take(request, caller, work.claim)

    async def release(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Give an own item back to the queue."""
        return await self._change(request, caller, work.release)

    async def take_over(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Take an item from a colleague."""
        return await self._take(request, caller, work.take_over)

    async def force_return(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Send a colleague's item back to the queue."""
        return await self._change(request, caller, work.force_return)

    async def _change(self, request: web.Request, caller: Caller, change: _Change) -> web.StreamResponse:
        document, _ = await self._changed(request, caller, change)
        return web.json_response({"item": document})

    async def _take(self, request: web.Request, caller: Caller, change: _Change) -> web.StreamResponse:
        """Let an agent take an item; a caller who waits on the phone because of it is put through to theirs."""
        document, item = await self._changed(request, caller, change)
        return web.json_response({"item": document, "call": await fetch(self._gateway, item, caller.agent)})

    async def _changed(self, request: web.Request, caller: Caller, change: _Change) -> tuple[dict[str, Any], WorkItem]:
        await fields(request)
        item_id, at = request.match_info["item"], self._gateway.clock.now_ms()

        def unit(tx: Tx) -> tuple[dict[str, Any], WorkItem]:
            item = change(tx, item_id, caller.agent, at)
            return person.item_document(item, agents.names(tx)), item

        changed = await self._gateway.store.write(unit)
        self._gateway.hints.wake("events")
        return changed

    async def close(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """End an own item; the bot has the conversation again and is told so in the same unit of work."""
        body = await fields(request, disposition=str, note=(str, type(None)))
        if body["disposition"] not in CODES:
            raise Problem(400, "bad_disposition", "Choose one of the dispositions of the list.")
        item_id, at = request.match_info["item"], self._gateway.clock.now_ms()

        def unit(tx: Tx) -> tuple[dict[str, Any], set[str]]:
            item = work.close(tx, item_id, caller.agent, body["disposition"], at, note=body["note"] or "")
            wake = self._tell_dialog(tx, item, at)
            return person.item_document(item, agents.names(tx)), wake

        document, wake = await self._gateway.store.write(unit)
        self._gateway.hints.wake("events", *wake)
        return web.json_response({"item": document})

    def _tell_dialog(self, tx: Tx, item: WorkItem, at: int) -> set[str]:
        try:
            return self._gateway.turns.hand_back(tx, item.conversation_id, item.interaction_id, closed=True, at=at).wake
        except KeyError:  # the address has another owner by now, or its channel is gone: there is no line to go on with
            conversation = conversations.load(tx, item.conversation_id)
            conversation.state = None
            conversations.save(tx, conversation)
            return set()

    async def reply(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Say something to the customer, unless something was said that the agent has not seen."""
        body = await fields(request, id=str, text=str, against_seq=int, target=(str, type(None)), file=(str, type(None)))
        conversation_id, at = request.match_info["conversation"], self._gateway.clock.now_ms()
        because = cause(body["id"], caller.agent.id)
        file = self._uploads.named(body["file"], caller.agent, conversation_id)

        def unit(tx: Tx) -> Spoken:
            return speak.reply(
                tx, self._channels, conversation_id, caller.agent, body["text"],
                against_seq=body["against_seq"], cause=because, at=at, target=body["target"], file=file,
            )  # fmt: skip

        spoken = await self._gateway.store.write(unit)
        request.app[TYPING].stop(spoken.address, "agent")
        return self._said(spoken)

    async def again(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Send a reply that was held back all the same."""
        body = await fields(request, against_seq=int)
        message_id, at = request.match_info["message"], self._gateway.clock.now_ms()
        against = body["against_seq"]
        return self._said(
            await self._gateway.store.write(
                lambda tx: speak.again(tx, self._channels, message_id, caller.agent, against_seq=against, at=at)
            )
        )

    def _said(self, spoken: Spoken) -> web.StreamResponse:
        self._gateway.hints.wake("events", f"address:{spoken.address}" if spoken.pulled else "outbox")
        self._gateway.counters.add("agent_replies")
        return web.json_response({"message": spoken.message_id, "seq": spoken.seq})

    async def note(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Add an internal note."""
        body = await fields(request, id=str, text=str)
        conversation_id, at = request.match_info["conversation"], self._gateway.clock.now_ms()
        because = cause(body["id"], caller.agent.id)
        seq = await self._gateway.store.write(lambda tx: speak.note(tx, conversation_id, caller.agent, body["text"], cause=because, at=at))
        self._gateway.hints.wake("events")
        return web.json_response({"seq": seq})


def _handed_over(tx: Tx, conversation_id: str) -> WorkItem:
    """Return the newest hand-over of a conversation; one that never was handed over is nobody's to read."""
    item = person.latest_item(tx, conversation_id)
    if item is None:
        raise Refused("not_found", "There is no such conversation.")
    return item


def _cursor(request: web.Request, name: str) -> int | None:
    value = request.query.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= _CURSOR_DIGITS_MAX):
        raise Problem(400, "bad_request", f"{name} must be a number.")
    return int(value)
