"""Who really calls when a proxy stands before the gateway: the last address in X-Forwarded-For that is not a proxy of ours.

Believes the header only from networks that the operator trusts; anybody else's is ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

Network = IPv4Network | IPv6Network
HEADER = "X-Forwarded-For"


def behind(networks: Sequence[str]) -> Middleware:
    """Return a middleware that sets `request.remote` for requests which come through proxies in `networks`."""
    trusted = parsed(networks)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        caller = caller_of(request, trusted)
        return await handler(request if caller == request.remote else request.clone(remote=caller))

    return middleware


def parsed(networks: Sequence[str]) -> tuple[Network, ...]:
    """Return networks as `caller_of` takes them; raises ValueError."""
    return tuple(ip_network(network) for network in networks)


def caller_of(request: web.BaseRequest, trusted: Sequence[Network]) -> str:
    """Return the address of the caller of a request."""
    return client_of(request.remote or "", request.headers.getall(HEADER, []), trusted)


def client_of(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """Return the caller's address, given the connected peer and the values of the header, nearest proxy last."""
    caller = peer
    for text in reversed([part.strip() for value in forwarded for part in value.split(",")]):
        if not _is_in(caller, trusted):
            break
        if _parsed(text) is None:  # whatever is behind this is made up
            break
        caller = text
    return caller


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in networks)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
