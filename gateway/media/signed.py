"""Words of ours that somebody else carries for a while: values with an end, signed, so that they need no row and cannot be made up.

Each purpose has a key of its own. Must not hold anything secret: whoever carries them can read them.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Sequence
from hashlib import sha256

TOKEN_CHARS_MAX = 2_048


class Signer:
    """Signs and reads tokens of one purpose."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, values: Sequence[str], expires_at: int) -> str:
        """Return a token with these values, good until `expires_at`, ms UTC; fit for an address."""
        body = urlsafe_b64encode(json.dumps([expires_at, *values], separators=(",", ":")).encode()).rstrip(b"=")
        return f"{body.decode()}.{self._seal(body)}"

    def read(self, token: str, now: int) -> list[str] | None:
        """Return the values of a token; None for one that is not ours, or not good any more."""
        body, _, seal = token.encode("utf-8", "surrogatepass").partition(b".")
        if len(token) > TOKEN_CHARS_MAX or not hmac.compare_digest(self._seal(body).encode(), seal):
            return None
        try:
            expires_at, *values = json.loads(urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
        except (ValueError, Error):
            return None
        return values if now < expires_at else None

    def _seal(self, body: bytes) -> str:
        return urlsafe_b64encode(hmac.digest(self._key, body, sha256)).rstrip(b"=").decode()
