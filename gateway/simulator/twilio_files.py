"""Attachments and recordings as Twilio keeps them: at an address of the account, for those who have its password.

Must not check passwords; that is `gateway.simulator.twilio`.
"""

from __future__ import annotations

import io
import math
import struct
import wave
from dataclasses import replace

import aiohttp
from aiohttp import web

from gateway.simulator.twilio_wire import API_VERSION, Account, PhoneMessage, Refusal

KEPT = 50
_NOT_FETCHED = "63019"  # the media could not be downloaded
RATE_HZ = 8_000
_TONES_HZ = (440.0, 554.4, 659.3)
_ID3 = b"ID3\x04" + bytes(6)
_FRAME = b"\xff\xfb\x18\xc0" + bytes(140)  # MPEG 1 layer III, 32 kbit/s, 32 kHz, mono: nothing is heard
_FRAME_S = 0.036


class Files:
    """The newest files of all accounts; `base_url` is where the API answers."""

    def __init__(self) -> None:
        self.base_url = ""
        self._files: dict[str, tuple[str, bytes]] = {}

    def keep(self, account: Account, path: str, content_type: str, content: bytes) -> str:
        """Keep what the account can fetch under `path` and return its address."""
        address = f"/{API_VERSION}/Accounts/{account.sid}/{path}"
        self._files[address] = (content_type, content)
        if len(self._files) > KEPT:
            del self._files[next(iter(self._files))]
        return f"{self.base_url}{address}"

    async def taken(self, http: aiohttp.ClientSession, account: Account, message: PhoneMessage, sid: str) -> PhoneMessage:
        """Fetch what a message to a person attaches, as Twilio does, and keep it under `sid`; where that fails the message does."""
        if not message.media or message.error:
            return message
        try:
            async with http.get(message.media[0]) as answer:
                content = await answer.read() if answer.status == 200 else b""
                kept = self.keep(account, f"Messages/{message.sid}/Media/{sid}", answer.content_type, content)
        except (aiohttp.ClientError, TimeoutError):
            content, kept = b"", ""
        return replace(message, media=(kept,)) if content else replace(message, error=_NOT_FETCHED)

    def find(self, name: str) -> tuple[str, bytes] | None:
        """Return type and content of the file with this name."""
        return next((kept for address, kept in self._files.items() if address.endswith(f"/{name}")), None)

    def answer(self, path: str) -> web.Response:
        """Return the answer to a call for a file; a recording can be asked for as .wav, which it is, or as .mp3."""
        kept = self._files.get(path.removesuffix(".wav").removesuffix(".mp3"))
        if kept is None:
            return web.json_response(Refusal(404, 20404, "The requested resource was not found").document(), status=404)
        if path.endswith(".mp3"):
            return web.Response(body=_silence(len(kept[1]) / (2 * RATE_HZ)), content_type="audio/mpeg")
        return web.Response(body=kept[1], content_type=kept[0])


def recording(seconds: int) -> bytes:
    """Return a WAV file of so many seconds, one tone after the other, since nobody speaks here."""
    tones = (_TONES_HZ[second % len(_TONES_HZ)] for second in range(seconds) for _ in range(RATE_HZ))
    samples = (int(6_000 * math.sin(2 * math.pi * tone * step / RATE_HZ)) for step, tone in enumerate(tones))
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return file.getvalue()


def _silence(seconds: float) -> bytes:
    """Return an MP3 of so many seconds in which nothing is heard, since there is no encoder here."""
    return _ID3 + _FRAME * math.ceil(seconds / _FRAME_S)
