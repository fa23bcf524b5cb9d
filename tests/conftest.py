"""What holds for every test: the network ends at loopback, and options for the long runs.

Must not hold fixtures of one package; those live beside its tests.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest


class NetworkRefused(AssertionError):
    """A test tried to reach something other than this machine."""


def _is_local(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = address[0]
    if host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection and every name look-up that leaves the machine."""
    connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def refuse(address: Any) -> None:
        raise NetworkRefused(f"no network in tests but loopback: {address!r}")

    def checked(method: Any) -> Any:
        def call(self: socket.socket, address: Any) -> Any:
            if not _is_local(address):
                refuse(address)
            return method(self, address)

        return call

    def checked_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not _is_local((name,)):
            refuse(name)
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", checked(connect))
    monkeypatch.setattr(socket.socket, "connect_ex", checked(connect_ex))
    monkeypatch.setattr(socket, "getaddrinfo", checked_look_up)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of `parley test` that tests read with `request.config.getoption`."""
    parser.addoption("--long", action="store_true", help="also run the tests marked long")
    parser.addoption("--kills", type=int, default=200, help="how often the fault test kills the gateway")
    parser.addoption("--update", action="store_true", help="rewrite the expectations of the golden conversations")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long tests out of the everyday run."""
    if config.getoption("--long"):
        return
    everyday = [item for item in items if item.get_closest_marker("long") is None]
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long") is not None])
    items[:] = everyday
