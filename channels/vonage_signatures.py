"""How Vonage signs what it sends: a `sig` over the sorted fields (SMS API), or a token that holds the body's hash (Messages API).

Every malformed input ends in `AuthenticationFailed`. Must not know what the fields mean.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode
from collections.abc import Iterable
from hashlib import md5, sha256
from typing import Any

from channels.forms import Form
from core.model.inbound import AuthenticationFailed

HASH = "md5hash"
METHODS = ("md5hash", "md5", "sha1", "sha256", "sha512")
_TOKEN_CHARS_MAX = 4_096
_UNSIGNED = str.maketrans("&=", "__")


def signature(secret: str, method: str, fields: Form) -> str:
    """Return the lower-case hex signature of fields; `method` is one of `METHODS`."""
    pairs = ((name, values[0]) for name, values in sorted(fields.items()) if name != "sig")
    text = "".join(f"&{name}={value.translate(_UNSIGNED)}" for name, value in pairs).encode("utf-8", "surrogatepass")
    if method == HASH:
        return md5(text + secret.encode(), usedforsecurity=False).hexdigest()  # theirs; a keyed one can be chosen in their dashboard
    return hmac.digest(secret.encode(), text, method).hex()


def check_fields(secrets: Iterable[str], method: str, fields: Form) -> None:
    """Raise `AuthenticationFailed` unless `sig` signs all other fields under one of the secrets."""
    for name, values in fields.items():
        if len(values) > 1:
            raise AuthenticationFailed("repeated_field", name[:40])
        if "&" in name or "=" in name:  # would read like two fields in what is signed
            raise AuthenticationFailed("bad_signature", "the name of a field")
    given = fields.get("sig", ("",))[0].lower()
    if not given:
        raise AuthenticationFailed("missing_signature")
    if not given.isascii():
        raise AuthenticationFailed("bad_signature")
    valid = False
    for secret in secrets:
        valid |= hmac.compare_digest(signature(secret, method, fields), given)
    if not valid:
        raise AuthenticationFailed("bad_signature")


def check_token(secrets: Iterable[str], authorization: str, body: bytes) -> dict[str, Any]:
    """Return the claims of the token in an Authorization header; raises `AuthenticationFailed` unless it is of this body and ours."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise AuthenticationFailed("missing_signature")
    pieces = token.strip().split(".")
    if len(token) > _TOKEN_CHARS_MAX or len(pieces) != 3 or not token.isascii():
        raise AuthenticationFailed("bad_signature", "not a token")
    signed = f"{pieces[0]}.{pieces[1]}".encode()
    mac = _decoded(pieces[2])
    valid = False
    for secret in secrets:
        valid |= hmac.compare_digest(hmac.digest(secret.encode(), signed, "sha256"), mac)
    if not valid or _claims(pieces[0]).get("alg") != "HS256":
        raise AuthenticationFailed("bad_signature")
    claims = _claims(pieces[1])
    given = claims.get("payload_hash")
    if not isinstance(given, str) or not given.isascii() or not hmac.compare_digest(sha256(body).hexdigest(), given.lower()):
        raise AuthenticationFailed("bad_body_hash")
    return claims


def _claims(piece: str) -> dict[str, Any]:
    try:
        value = json.loads(_decoded(piece))
    except (ValueError, RecursionError):
        raise AuthenticationFailed("bad_signature", "not a token") from None
    return value if isinstance(value, dict) else {}


def _decoded(piece: str) -> bytes:
    try:
        return urlsafe_b64decode(piece + "=" * (-len(piece) % 4))
    except ValueError:
        raise AuthenticationFailed("bad_signature", "not a token") from None
