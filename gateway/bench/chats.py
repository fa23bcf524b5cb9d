"""Opens many web chats and keeps them open, as many browsers in many places would.

Each group of windows comes from a loopback address of its own, because the gateway limits what one source may open. Run as a
program it takes port, channel, origin and number, and ends with its standard input.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import socket
import sys

PER_SOURCE = 20
_TIMEOUT_S = 30.0


class ChatFailed(Exception):
    """A window could not be opened; the text is the beginning of the answer."""


def open_chats(port: int, channel: str, origin: str, number: int) -> list[socket.socket]:
    """Open `number` windows that have said hello and were told `ready`; raises `ChatFailed`."""
    return [_window(port, channel, origin, _source(index // PER_SOURCE)) for index in range(number)]


def _source(group: int) -> str:
    return f"127.{1 + group // 62_500}.{group // 250 % 250}.{1 + group % 250}"


def _window(port: int, channel: str, origin: str, source: str) -> socket.socket:
    with _connect(port, source) as asking:
        asking.sendall(_head("POST", f"/webchat/{channel}/ticket", origin, "Connection: close\r\nContent-Length: 2\r\n") + b"{}")
        answer = b""
        while part := asking.recv(65_536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise ChatFailed(head[:200].decode("latin-1"))
    window = _connect(port, source)
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
    window.sendall(_head("GET", f"/webchat/{channel}/socket", origin, upgrade))
    hello = json.dumps({"type": "hello", "ticket": json.loads(body)["ticket"], "after": 0}).encode()
    _expect(window, b"\r\n\r\n")
    window.sendall(bytes((0x81, 0x80 | len(hello))) + b"\0\0\0\0" + hello)  # a mask of zeros leaves the text as it is
    _expect(window, b'"ready"')
    return window


def _connect(port: int, source: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), _TIMEOUT_S, (source, 0))


def _head(method: str, path: str, origin: str, more: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: {origin}\r\n{more}\r\n".encode()


def _expect(window: socket.socket, wanted: bytes) -> None:
    got = b""
    while wanted not in got:
        part = window.recv(65_536)
        if not part:
            raise ChatFailed(got[:200].decode("latin-1"))
        got += part


if __name__ == "__main__":
    port, channel, origin, number = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    windows = open_chats(port, channel, origin, number)
    sys.stdout.write(f"{len(windows)}\n")
    sys.stdout.flush()
    sys.stdin.read()
