"""Attachments and recordings as Twilio keeps them: at an address of the account, for those who have its password.

Must not check passwords; that is `gateway.simulator.twilio`.
"""

from __future__ import annotations

import io
import math
import struct
import wave

from aiohttp import web

from gateway.simulator.twilio_wire import API_VERSION, Account, Refusal

KEPT = 50
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
