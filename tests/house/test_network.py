"""The guard that keeps tests on this machine."""

from __future__ import annotations

import socket

import pytest

from tests.conftest import _is_local


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80), ("example.com", 80), ("0.0.0.0", 80), ("8.8.8.8", 53)])
def test_elsewhere_is_refused(address: tuple[str, int]) -> None:
    with socket.socket() as plain, pytest.raises(AssertionError, match="no network in tests"):
        plain.connect(address)
    with pytest.raises(AssertionError, match="no network in tests"):
        socket.getaddrinfo(*address)


@pytest.mark.parametrize("address", [("127.0.0.1", 80), ("127.8.8.8", 80), ("::1", 80), ("localhost", 80), "/run/x.sock"])
def test_this_machine_is_allowed(address: object) -> None:
    assert _is_local(address)
