"""Files that agents are about to send: taken, judged and kept, and named by a ticket that the reply then shows.

A ticket is for one agent in one conversation, and needs no row: what is never sent is swept. Must not send anything.
"""

from __future__ import annotations

from aiohttp import web

from core.media import clean_name, kind_of, shown_as
from core.model.channel import Channel
from core.model.inbound import Media
from core.routing import files, reach, speak
from core.routing.refused import Refused
from core.store.agents import Agent
from core.store.api import StoreUnavailable, Tx
from gateway.desk.auth import Caller, Problem
from gateway.media import types
from gateway.media.bodies import file_of
from gateway.media.contents import PASSING, ContentRefused, Kept
from gateway.media.signed import Signer
from gateway.runtime import Gateway
from gateway.webchat_limits import Places

LIFE_MS = 12 * 3_600_000  # well below the age at which contents without a row are swept
AT_ONCE = 8
AT_ONCE_OF_AGENT = 2
_TEXTS = {
    "too_large": "The file is too large.",
    "type_refused": "Files of this kind are not taken.",
    "empty": "The file is empty.",
    "infected": "The file holds malicious software.",
    "no_room": "No file can be taken right now.",
    "not_scanned": "No file can be checked right now; try again in a moment.",
}


class Uploads:
    """The files of one gateway's agents."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._channels = gateway.core_channels()
        self._signer = Signer(gateway.keys.derive("files of agents"))
        self._places = Places(AT_ONCE_OF_AGENT)
        self._all_places = Places(AT_ONCE)

    async def take(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Keep the file that is the body, for a reply to this conversation by the way `target`, and answer with its ticket."""
        conversation_id, target = request.match_info["conversation"], request.query.get("target", "")
        channel = await self._gateway.store.read(lambda tx: self._channel(tx, conversation_id, caller.agent, target))
        with self._places.one(caller.agent.id) as mine, self._all_places.one("") as ours:
            if not mine or not ours:
                raise Problem(503, "busy", "Too many files at once; try again in a moment.")
            kept = await self._kept(request, channel)
        kind, name = kind_of(kept.content_type), clean_name(request.query.get("name", ""))
        files.check(kind, kept.content_type, kept.size, channel)
        values = (caller.agent.id, conversation_id, kept.digest, str(kept.size), kept.content_type, name)
        ticket = self._signer.sign(values, self._gateway.clock.now_ms() + LIFE_MS)
        return web.json_response(
            {
                "file": ticket,
                "kind": kind,
                "content_type": kept.content_type,
                "name": name,
                "size": kept.size,
                "shown": shown_as(kept.content_type),
            }
        )

    def named(self, ticket: str | None, agent: Agent, conversation_id: str) -> Media | None:
        """Return the file that a reply names, None if it names none; raises `Problem`."""
        if ticket is None:
            return None
        values = self._signer.read(ticket, self._gateway.clock.now_ms())
        if values is None or values[:2] != [agent.id, conversation_id]:
            raise Problem(409, "no_file", "The file is not there any more: attach it again.")
        digest, size, content_type, name = values[2:]
        return Media(kind_of(content_type), content_type=content_type, name=name, values={"digest": digest, "size": size})

    def _channel(self, tx: Tx, conversation_id: str, agent: Agent, key: str) -> Channel:
        """Return the channel of a way to the person, for the agent who holds the conversation; raises `Refused`."""
        speak.own_item(tx, conversation_id, agent)
        offered = reach.targets(tx, self._channels, conversation_id)
        link = next((one.link for one in offered if one.key == key and one.link is not None), None)
        if link is None:
            raise Refused("no_channel", "The customer cannot be written to there.")
        if not link.channel.capabilities.media:
            raise Refused("no_files", "No file can be sent this way.")
        return link.channel

    async def _kept(self, request: web.Request, channel: Channel) -> Kept:
        most = self._gateway.settings.media.max_bytes
        most = min(most, channel.capabilities.file_limits.max_bytes or most)
        try:
            content = await file_of(request, most)
            if types.is_active(content):
                raise ContentRefused("type_refused")
            return await self._gateway.contents.keep(content)
        except ContentRefused as refused:
            status = 413 if refused.code == "too_large" else 503 if refused.code in PASSING else 415
            raise Problem(status, refused.code, _TEXTS[refused.code]) from None
        except TimeoutError:
            raise Problem(408, "too_slow", "The file did not arrive in time.") from None
        except OSError as error:
            raise StoreUnavailable("io_error", "the folder of contents cannot be written to") from error
