"""What Twilio tells of messages that it has: one of them, all of them in pages with the newest first, and their attachments.

Must not change anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from gateway.simulator.twilio_wire import API_VERSION, Account, PhoneMessage, Refusal, resource

if TYPE_CHECKING:
    from gateway.simulator.twilio import TwilioStandIn

_PAGE_MAX = 1_000
_PAGE = 50


class Lists:
    """The reading half of the API of a stand-in."""

    def __init__(self, twilio: TwilioStandIn) -> None:
        self._twilio = twilio

    def install(self, app: web.Application) -> None:
        """Give `app` what can be read."""
        messages = f"/{API_VERSION}/Accounts/{{sid}}/Messages"
        app.router.add_get(f"{messages}.json", self.page)
        app.router.add_get(f"{messages}/{{message}}.json", self.message)
        app.router.add_get(f"{messages}/{{message}}/Media.json", self.media)

    async def page(self, request: web.Request) -> web.Response:
        """Return one page of the list, as its query asks."""
        try:
            account = self._twilio.authenticated(request)
            wanted = _filtered(self._twilio.messages_of(account), request)
            number, size = _whole(request, "Page", 0), max(1, min(_whole(request, "PageSize", _PAGE), _PAGE_MAX))
        except Refusal as refusal:
            return web.json_response(refusal.document(), status=refusal.status)
        shown = wanted[number * size : (number + 1) * size]
        query = {**request.query, "PageSize": str(size), "Page": str(number + 1)}
        following = f"{request.path}?{urlencode(query)}" if (number + 1) * size < len(wanted) else None
        document = {"messages": [resource(account, message) for message in shown], "page": number, "page_size": size}
        return web.json_response({**document, "next_page_uri": following})

    async def message(self, request: web.Request) -> web.Response:
        """Return one message."""
        try:
            account, message = self._named(request)
        except Refusal as refusal:
            return web.json_response(refusal.document(), status=refusal.status)
        return web.json_response(resource(account, message))

    async def media(self, request: web.Request) -> web.Response:
        """Return the attachments of one message."""
        try:
            _, message = self._named(request)
        except Refusal as refusal:
            return web.json_response(refusal.document(), status=refusal.status)
        media: list[dict[str, Any]] = [{"uri": f"{urlsplit(url).path}.json", "content_type": "image/png"} for url in message.media]
        return web.json_response({"media_list": media, "next_page_uri": None})

    def _named(self, request: web.Request) -> tuple[Account, PhoneMessage]:
        account = self._twilio.authenticated(request)
        for message in self._twilio.messages_of(account):
            if message.sid == request.match_info["message"]:
                return account, message
        raise Refusal(404, 20404, "The requested resource was not found")


def _filtered(messages: Sequence[PhoneMessage], request: web.Request) -> list[PhoneMessage]:
    query = request.query
    since = _moment(query["DateSent>"]) if "DateSent>" in query else 0
    return [
        message
        for message in reversed(messages)
        if message.at >= since and query.get("To", message.to) == message.to and query.get("From", message.from_) == message.from_
    ]


def _moment(text: str) -> int:
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        raise Refusal(400, 20001, "DateSent is not a date") from None


def _whole(request: web.Request, name: str, otherwise: int) -> int:
    text = request.query.get(name, str(otherwise))
    if not text.isdecimal() or len(text) > 6:
        raise Refusal(400, 20001, f"{name} is not a number")
    return int(text)
