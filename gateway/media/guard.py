"""Which addresses may be asked when the wish comes from outside: public ones only, checked where the socket is made.

There the answer of the name server, a literal address and whatever a name turns into on a second look are all the same. Must not know
what is asked, or why.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

import aiohttp

_NAT64 = IPv6Network("64:ff9b::/96")
_PUBLIC6 = IPv6Network("2000::/3")
_REFUSED4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
            "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        ),
    )
)  # fmt: skip
_REFUSED6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")))


class UnsafeAddress(Exception):
    """A connection was asked for to an address that is not public."""


def is_public(text: str) -> bool:
    """Tell whether an address is one of the open internet; one with a zone, or that is no address, is not."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return _is_public4(address)
    if address.scope_id is not None:
        return False
    inner = _carried(address)
    if inner is not None:
        return _is_public4(inner)
    return address in _PUBLIC6 and address.is_global and not any(address in network for network in _REFUSED6)


def _carried(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address to which an IPv6 one really leads; 6to4 and Teredo, which lead to one too, are refused as networks."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped


def _is_public4(address: IPv4Address) -> bool:
    return address.is_global and not any(address in network for network in _REFUSED4)


def open_socket(where: Any) -> socket.socket:
    """Make the socket for one address of a name; raises `UnsafeAddress`. `where` is as `getaddrinfo` gives it."""
    family, kind, protocol, _, address = where
    if (family == socket.AF_INET6 and address[3] != 0) or not is_public(str(address[0])):
        raise UnsafeAddress
    return socket.socket(family, kind, protocol)


def connector(*, guarded: bool) -> aiohttp.TCPConnector:
    """Return connections that are closed after use; `guarded` ones lead to public addresses only, and one bad address spoils a name."""
    return aiohttp.TCPConnector(
        force_close=True,
        use_dns_cache=False,
        happy_eyeballs_delay=None,  # one address after the other, so that a refused one ends the attempt
        socket_factory=open_socket if guarded else None,
    )
