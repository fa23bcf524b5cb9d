"""Requests that mean harm, and the one question about them: does an adapter raise only what the seam names?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.model.adapter import Adapter
from core.model.inbound import (
    AuthenticationFailed,
    ContactSignal,
    DeliveryReport,
    Ignored,
    InboundMessage,
    RawRequest,
    UnreadableRequest,
)
from tests.conformance.subject import PUBLIC_URL, Subject

EVENTS = (InboundMessage, DeliveryReport, ContactSignal, Ignored)


def outcome(adapter: Adapter, request: RawRequest) -> list[str]:
    """Ask an adapter both questions; return what its exceptions say. Any exception but the two of the seam is a failure."""
    said = []
    try:
        adapter.authenticate(request)
    except AuthenticationFailed as error:
        said.append(f"{error} {error!r}")
    except Exception as error:
        raise AssertionError(f"authenticate raised {error!r}") from error
    try:
        events = adapter.parse(request)
    except UnreadableRequest as error:
        said.append(f"{error.code} {error} {error!r}")
    except Exception as error:
        raise AssertionError(f"parse raised {error!r}") from error
    else:
        assert all(isinstance(event, EVENTS) for event in events)
    return said


def hostile(subject: Subject) -> Iterator[RawRequest]:
    """Yield requests of the kind whose bodies are too large, too deep, repeated, cut or in another encoding."""
    good = subject.authentic(subject.says("hello", {}))
    body = good.body
    bodies = [
        b"",
        b"\x00" * 1_000,
        b"&" * 100_000,
        b"=",
        b"a=1&" * 10_000,
        b"%" * 1_000,
        b"%ff%fe=%c3%28",
        b"\xff\xfe" + "héllo".encode("utf-16"),
        "text=naïve".encode("latin-1"),
        body + b"&" + body,
        body[: len(body) // 2],
        body * 4_000,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"id":"1","id":"2","text":"a","type":"message"}',
        b'{"id":1,"text":{},"type":[]}',
        b'{"id":"1","type":"message","text":' + b"9" * 100_000 + b"}",
        b'{"id":"1","type":"message","text":NaN}',
        b'{"id":"1","type":"message","text":"\\ud800"}',
        b"[1, 2]",
        b"null",
    ]
    types = ["", "text/plain", "application/json", "application/x-www-form-urlencoded; charset=utf-16", "multipart/form-data; boundary=x"]
    urls = ["", "http://[", "https://gateway.example:99999/", "//", "\ud800", f"{PUBLIC_URL}?m={'1' * 9_999}"]
    yield from (replace(good, body=wrong) for wrong in bodies)
    yield from (subject.authentic(replace(good, body=wrong)) for wrong in bodies)
    yield from (replace(good, headers={**good.headers, "content-type": kind}) for kind in types)
    yield from (replace(good, method=method) for method in ("GET", "", "POST\r\n", "WS", "CONSOLE"))
    yield from (replace(good, url=url) for url in urls)
    yield replace(good, headers={})
    yield replace(good, remote="not an address")
