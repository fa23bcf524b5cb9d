"""Tells whether a request comes from its provider where the provider signs nothing: by network, by user and password, by a header.

All comparisons take constant time, and every malformed input ends in `AuthenticationFailed`. Must not look into bodies.
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from core.model.inbound import AuthenticationFailed

Network = IPv4Network | IPv6Network


def networks(sources: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks that settings name, such as `196.216.0.0/16`; raises ValueError."""
    return tuple(ip_network(source) for source in sources)


def check_source(sources: Sequence[Network], remote: str) -> None:
    """Raise `AuthenticationFailed` unless the address is in one of the networks; without networks every address is."""
    if not sources:
        return
    try:
        address = ip_address(remote)
    except ValueError:
        raise AuthenticationFailed("unknown_source") from None
    if not any(address in network for network in sources):
        raise AuthenticationFailed("unknown_source")


def check_basic(pairs: Sequence[str], given: str) -> None:
    """Raise `AuthenticationFailed` unless an Authorization header holds one of the pairs `user:password`; without pairs any will do."""
    if not pairs:
        return
    scheme, _, value = given.partition(" ")
    if scheme.lower() != "basic":
        raise AuthenticationFailed("missing_credentials")
    try:
        decoded = b64decode(value.strip(), validate=True)
    except ValueError:
        raise AuthenticationFailed("bad_credentials") from None
    _check(pairs, decoded)


def check_secret(secrets: Sequence[str], given: str) -> None:
    """Raise `AuthenticationFailed` unless the value of a header is one of the secrets; without secrets any will do."""
    if not secrets:
        return
    if not given:
        raise AuthenticationFailed("missing_credentials")
    _check(secrets, given.encode("utf-8", "surrogatepass"))


def _check(valid: Sequence[str], given: bytes) -> None:
    found = False
    for secret in valid:
        found |= hmac.compare_digest(secret.encode(), given)
    if not found:
        raise AuthenticationFailed("bad_credentials")
