"""Checks of signatures that providers put on their requests, in constant time and for all keys that are valid now.

Every malformed input ends in `AuthenticationFailed`, never in another exception. Must not parse bodies.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

from core.model.inbound import AuthenticationFailed

_SHA1_BASE64 = re.compile(r"[A-Za-z0-9+/]{27}=")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def check_hmac(keys: Iterable[bytes], message: bytes, given: str, digest: str = "sha256") -> None:
    """Raise `AuthenticationFailed` unless `given` is the lower-case hex HMAC of `message` under one of the keys."""
    if not given:
        raise AuthenticationFailed("missing_signature")
    if not given.isascii():
        raise AuthenticationFailed("bad_signature")
    valid = False
    for key in keys:
        valid |= hmac.compare_digest(hmac.digest(key, message, digest).hex(), given)
    if not valid:
        raise AuthenticationFailed("bad_signature")


def check_time(at: str, received_at: int, replay_ms: int) -> None:
    """Raise `AuthenticationFailed` unless `at`, in seconds, is a time less than `replay_ms` from when the request came."""
    if not (at.isascii() and at.isdecimal() and len(at) <= 12) or abs(int(at) * 1_000 - received_at) > replay_ms:
        raise AuthenticationFailed("bad_timestamp")


def twilio_signature(auth_token: str, url: str, fields: Mapping[str, Sequence[str]]) -> str:
    """Return what Twilio writes into X-Twilio-Signature for a URL and the fields of its form; raises UnicodeEncodeError."""
    return _twilio_mac(auth_token, url, _signed_fields(fields))


def check_twilio(auth_tokens: Iterable[str], url: str, fields: Mapping[str, Sequence[str]], given: str) -> None:
    """Raise `AuthenticationFailed` unless `given` signs `url` and `fields` under one of the tokens; a port may be in the URL or not."""
    if not given:
        raise AuthenticationFailed("missing_signature")
    if not _SHA1_BASE64.fullmatch(given):
        raise AuthenticationFailed("bad_signature", "not a base64 SHA-1")
    forms = url_forms(url)
    try:
        signed = _signed_fields(fields)
        valid = any(hmac.compare_digest(_twilio_mac(token, form, signed), given) for token in auth_tokens for form in forms)
    except UnicodeEncodeError:
        raise AuthenticationFailed("bad_signature", "not text") from None
    if not valid:
        raise AuthenticationFailed("bad_signature")


def _signed_fields(fields: Mapping[str, Sequence[str]]) -> bytes:
    """Return names and values in order of the names, without anything between them; equal values of one name count once."""
    pieces = []
    for name in sorted(fields):
        values = fields[name]
        pieces += [name + value for value in (values if len(values) == 1 else sorted(set(values)))]
    return "".join(pieces).encode()


def _twilio_mac(auth_token: str, url: str, signed_fields: bytes) -> str:
    return b64encode(hmac.digest(auth_token.encode(), url.encode() + signed_fields, "sha1")).decode()


@lru_cache(maxsize=256)  # nearly all requests come to the few webhooks that there are
def url_forms(url: str) -> tuple[str, ...]:
    """Return a URL as given, without its port and with it, for Twilio signs now one, now the other; raises `AuthenticationFailed`."""
    try:
        parts = urlsplit(url)
        port = parts.port
        known = port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise AuthenticationFailed("bad_url") from None
    bare = parts.netloc if port is None else parts.netloc.rpartition(":")[0]
    forms = (url, parts._replace(netloc=bare).geturl(), parts._replace(netloc=f"{bare}:{known}").geturl())
    return tuple(dict.fromkeys(forms))


def check_body_hash(url: str, body: bytes) -> None:
    """Raise `AuthenticationFailed` unless the URL has exactly one `bodySHA256` and it is the lower-case hex SHA-256 of the body."""
    try:
        given = parse_qs(urlsplit(url).query, keep_blank_values=True, max_num_fields=50).get("bodySHA256", [])
    except ValueError:
        raise AuthenticationFailed("bad_url") from None
    if len(given) != 1:
        raise AuthenticationFailed("bad_body_hash", "missing or repeated")
    if not given[0].isascii() or not hmac.compare_digest(sha256(body).hexdigest(), given[0]):
        raise AuthenticationFailed("bad_body_hash")
