"""The phone's two apps for messages, SMS and WhatsApp: what the page calls, and what the provider's stand-in brings to the phone.

Must not know what a message means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway.simulator.received import received
from gateway.simulator.scene import API, Scene, json_body, sample, text_of
from gateway.simulator.twilio_wire import WHATSAPP, PhoneMessage, bare

SAMPLE = "/static/simulator/sample.png"
_TEXT_CHARS_MAX = 1_600
_KINDS = {"sms": "sms_twilio", "whatsapp": "whatsapp_twilio"}
_PLACE = {"Latitude": "-1.286389", "Longitude": "36.817223", "Label": "The mast behind the market", "Address": "Nairobi"}


def install(app: web.Application, scene: Scene) -> None:
    """Give `app` both apps."""
    texting = _Texting(scene)
    scene.demo.twilio.listen(texting.arrived)
    app.add_routes(
        [
            web.post(f"{API}/{{app:sms|whatsapp}}", texting.send),
            web.post(f"{API}/whatsapp/read", texting.read),
            web.get(f"{API}/whatsapp/window", texting.window),
            web.post(f"{API}/whatsapp/window", texting.pass_a_day),
        ]
    )


class _Texting:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._twilio = scene.demo.twilio
        self._phones = scene.phones

    async def send(self, request: web.Request) -> web.Response:
        """Send a text, a picture, a place or a pressed button from a phone to our number."""
        body, app = await json_body(request), request.match_info["app"]
        number, to = self._scene.number(body.get("msisdn")), self._ours(app)
        text = text_of(body, "text", most=_TEXT_CHARS_MAX) if "text" in body else ""
        media, extra = self._attached(body, to), self._extra(app, body, number)
        if not (text.strip() or media or extra) or not to:
            raise web.HTTPBadRequest
        from_ = f"{WHATSAPP}{number}" if app == "whatsapp" else number
        delivered = await self._twilio.deliver(from_, to, extra.get("ButtonText", text), media=media, extra=extra)
        return web.json_response({"status": delivered.status})

    async def read(self, request: web.Request) -> web.Response:
        """Tell that the person has seen a message."""
        body = await json_body(request)
        self._scene.number(body.get("msisdn"))
        await self._twilio.read(text_of(body, "id", most=64))
        return web.Response(status=204)

    async def window(self, request: web.Request) -> web.Response:
        """Tell until when the operator may write freely to a person."""
        return self._until(self._scene.number(request.query.get("msisdn")))

    async def pass_a_day(self, request: web.Request) -> web.Response:
        """Let a day go by for a person."""
        number = self._scene.number((await json_body(request)).get("msisdn"))
        self._twilio.pass_a_day(f"{WHATSAPP}{number}")
        return self._until(number)

    async def arrived(self, message: PhoneMessage) -> None:
        """Put a message, or its new status, into the phone's memory and on its screen."""
        if message.error:
            return  # it will not reach the phone
        app = "whatsapp" if message.from_.startswith(WHATSAPP) else "sms"
        sent = message.direction == "inbound"
        number = bare(message.from_ if sent else message.to)
        kept = self._phones.find(app, number, message.sid)
        if kept is not None and kept["status"] == message.status:
            return
        document = {**(kept or {}), **self._document(message, sent=sent), "status": message.status}
        self._scene.feed.tell(app, self._phones.keep(app, number, message.sid, document))

    def _until(self, number: str) -> web.Response:
        return web.json_response({"open_until": self._twilio.open_until(f"{WHATSAPP}{number}", self._ours("whatsapp"))})

    def _ours(self, app: str) -> str:
        address = self._scene.address(_KINDS[app])
        return f"{WHATSAPP}{address}" if address and app == "whatsapp" else address

    def _attached(self, body: Mapping[str, Any], to: str) -> tuple[str, ...]:
        return (self._twilio.upload(to, "image/png", sample()),) if body.get("picture") is True and to else ()

    def _document(self, message: PhoneMessage, *, sent: bool) -> dict[str, Any]:
        """Return a message as the page shows it; of attachments only those that are on this machine."""
        document: dict[str, Any] = {"sent": sent, "text": message.body, "at": message.at}
        if message.media:
            files = (received(url.rpartition("/")[2], self._twilio.files.find(url.rpartition("/")[2])) for url in message.media)
            document |= {"media": [SAMPLE]} if sent else {"files": [file for file in files if file]}
        if message.buttons:
            document["buttons"] = [list(button) for button in message.buttons]
        if "Latitude" in message.extra:
            document["place"] = message.extra["Label"]
        return document

    def _extra(self, app: str, body: Mapping[str, Any], number: str) -> dict[str, str]:
        """Return the fields of the webhook that a pressed button or a place adds."""
        if app == "whatsapp" and body.get("place") is True:
            return {"MessageType": "location", **_PLACE}
        if app != "whatsapp" or "button" not in body:
            return {}
        message = self._phones.find(app, number, text_of(body, "message", most=64))
        pressed = text_of(body, "button", most=256)
        title = next((title for title, payload in (message or {}).get("buttons", ()) if payload == pressed), None)
        if title is None:
            raise web.HTTPBadRequest
        replied = {"OriginalRepliedMessageSid": body["message"], "OriginalRepliedMessageSender": self._ours(app)}
        return {"MessageType": "button", "ButtonText": title, "ButtonPayload": pressed, **replied}
