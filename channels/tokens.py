"""Visitor tokens of the web chat: `<visitor id>.<expiry>.<mac>`, made when a visitor first comes, shown again with every frame.

Must not hold keys or clocks; both are passed in.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable

from core.model.inbound import AuthenticationFailed

_TOKEN = re.compile(r"([A-Za-z0-9_-]{1,64})\.([0-9]{1,15})\.([A-Za-z0-9_-]{43})")


def make(key: str, visitor_id: str, expires_ms: int) -> str:
    """Return the token of a visitor, valid until `expires_ms` (ms UTC); the id is made of letters, digits, `_` and `-`."""
    token = f"{visitor_id}.{expires_ms}.{_mac(key, visitor_id, str(expires_ms))}"
    if not _TOKEN.fullmatch(token):
        raise ValueError("a visitor id has 1 to 64 letters, digits, _ or -, and a token an expiry")
    return token


def verify(keys: Iterable[str], token: str, now_ms: int) -> str:
    """Return the visitor id of a token made with one of the keys; raises `AuthenticationFailed` (missing, bad or expired_token)."""
    if not token:
        raise AuthenticationFailed("missing_token")
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise AuthenticationFailed("bad_token", "not of the form id.expiry.mac")
    visitor_id, expires, mac = match.groups()
    valid = False
    for key in keys:
        valid |= hmac.compare_digest(_mac(key, visitor_id, expires), mac)
    if not valid:
        raise AuthenticationFailed("bad_token", "made with another key")
    if now_ms >= int(expires):
        raise AuthenticationFailed("expired_token")
    return visitor_id


def visitor_of(token: str) -> str:
    """Return the visitor id that a token claims, without checking it; empty if there is none."""
    match = _TOKEN.fullmatch(token)
    return match[1] if match else ""


def _mac(key: str, visitor_id: str, expires: str) -> str:
    digest = hmac.digest(key.encode(), f"parley visitor\n{visitor_id}\n{expires}".encode(), "sha256")
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
