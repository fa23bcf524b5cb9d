"""The phone's Telegram: what the page calls, and what the stand-in for Telegram brings to the phone.

Must not know what a message means.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aiohttp import web

from gateway import pages
from gateway.simulator.received import received
from gateway.simulator.scene import API, Scene, json_body, text_of
from gateway.simulator.sounds import voice_note

SAMPLE = "/static/simulator/sample.png"
_APP = "telegram"
_TEXT_CHARS_MAX = 4_096
_SOMEBODY = "+254733000000"
_PLACE = {"latitude": -1.286389, "longitude": 36.817223}
_VENUE = {"title": "The mast behind the market", "address": "Nairobi"}
_VOICE_NOTE_S = 2


def install(app: web.Application, scene: Scene) -> None:
    """Give `app` the phone's Telegram."""
    device = _Telegram(scene)
    scene.demo.telegram.exchanges = scene.wire
    scene.demo.telegram.listen(device.arrived)
    app.router.add_post(f"{API}/{_APP}", device.act)


class _Telegram:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._telegram = scene.demo.telegram
        self._phones = scene.phones

    async def act(self, request: web.Request) -> web.Response:
        """Do what a person does: write, press a button, change a message, share something."""
        body = await json_body(request)
        number, bot = self._scene.number(body.get("msisdn")), self._scene.channel("telegram")
        if bot is None:
            raise web.HTTPBadRequest
        try:
            taken = await self._done(bot.settings.bot_token, number, body)
        except (LookupError, TypeError, ValueError):
            raise web.HTTPBadRequest from None
        return web.json_response({"status": 200 if taken else 0})

    def arrived(self, message: Mapping[str, Any]) -> None:
        """Put a message, or what became of it, into the phone's memory and on its screen."""
        document = {name: value for name, value in message.items() if name not in {"token", "phone", "mine", "number"}}
        if "file" in message:
            file = received(message["file"], self._telegram.find(message["file"]))
            document["files"] = [file] if file else []
        number = message["number"]
        kept = self._phones.keep(_APP, message["phone"], str(number), {**document, "number": number, "sent": message["mine"]})
        self._scene.feed.tell(_APP, kept)

    async def _done(self, token: str, phone: str, body: Mapping[str, Any]) -> bool:
        telegram = self._telegram
        match body:
            case {"message": int(number), "press": [int(row), int(column)]}:
                self._recall(token, phone, number)
                return await telegram.press(token, phone, number, row, column)
            case {"message": int(number), "text": str()}:
                self._recall(token, phone, number)
                return await telegram.edit(token, phone, number, _text(body))
            case {"picture": True}:
                return await self._share(token, phone, "picture")
            case {"share": str(what)}:
                return await self._share(token, phone, what)
        return await telegram.say(token, phone, _text(body))

    async def _share(self, token: str, phone: str, what: str) -> bool:
        telegram = self._telegram
        match what:
            case "contact":
                return await telegram.share_contact(token, phone)
            case "somebody":
                return await telegram.share_contact(token, phone, of=_SOMEBODY)
            case "place":
                venue = {"location": _PLACE, **_VENUE}
                return await telegram.send(token, phone, {"location": _PLACE, "venue": venue}, {"text": f"📍 {_VENUE['title']}"})
            case "voice":
                file = self._file("voice/note.oga", voice_note(_VOICE_NOTE_S)) | {"duration": _VOICE_NOTE_S, "mime_type": "audio/ogg"}
                return await telegram.send(token, phone, {"voice": file}, {"text": "🎤 0:02"})
            case "sticker":
                file = self._file("stickers/hello.png", _picture()) | {"width": 192, "height": 128, "emoji": "👋", "type": "regular"}
                return await telegram.send(token, phone, {"sticker": file}, {"text": "👋"})
            case "picture":
                size = self._file("photos/sample.png", _picture()) | {"width": 192, "height": 128}
                return await telegram.send(token, phone, {"photo": [size]}, {"media": [SAMPLE]})
        raise ValueError(what)

    def _file(self, path: str, content: bytes) -> dict[str, Any]:
        file_id = self._telegram.upload(content, path)
        return {"file_id": file_id, "file_unique_id": file_id[-8:], "file_size": len(content)}

    def _recall(self, token: str, phone: str, number: int) -> None:
        """Remind Telegram of a message that the phone has from before it was started."""
        kept = self._phones.find(_APP, phone, str(number))
        messages = self._telegram.chat(token, phone).messages
        if kept is not None and number not in messages:
            messages[number] = {name: value for name, value in kept.items() if name not in {"id", "msisdn", "app"}} | {"mine": kept["sent"]}


def _text(body: Mapping[str, Any]) -> str:
    text = text_of(dict(body), "text", most=_TEXT_CHARS_MAX)
    if not text.strip():
        raise ValueError("text")
    return text


@cache
def _picture() -> bytes:
    return (pages.STATIC / "simulator" / "sample.png").read_bytes()
