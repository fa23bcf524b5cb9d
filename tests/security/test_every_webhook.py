"""Replays and bombs over HTTP, for every kind of channel that has a webhook."""

from __future__ import annotations

import gzip
import json
import logging
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from core.clock import Clock
from core.model.inbound import RawRequest
from tests.conformance.subject import Subject, subject_of
from tests.gateway.every_kind import BY_HTTP, addressed, call, gateway_with
from tests.gateway.running import Running

DAY_MS = 86_400_000
# Those whose signature covers the time: beyond the time for which the provider repeats a request it is not believed at all.
DATED = {"email_mailgun", "email_sendgrid", "email_ses"}
LAUGHS = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "' + b"&a;" * 1_000 + b'">]><l>&b;</l>'
ENTITY = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY f SYSTEM "file:///etc/passwd">]><l>&f;</l>'


async def record(parley: Running) -> tuple[int, ...]:
    tables = ("inbound", "unreadable", "kept_request", "message", "interaction", "delivery_report")
    ((*counts,),) = await parley.rows("select " + ", ".join(f"(select count(*) from {table})" for table in tables))
    return tuple(counts)


def at(parley: Running, now_ms: int) -> None:
    parley.gateway.clock = Clock(lambda: now_ms)


@pytest.mark.parametrize("kind", BY_HTTP)
async def test_a_captured_request_changes_nothing_whenever_it_is_made_again(tmp_path: Path, kind: str) -> None:
    subject = subject_of(kind)
    async with gateway_with(subject, tmp_path) as parley:
        said = addressed(parley, subject, subject.says("menu", {}))
        at(parley, said.received_at)
        status, first = await call(parley, said)
        assert status < 300
        before = await record(parley)
        assert sum(before) > 0
        for later_ms in (1_000, DAY_MS // 24):
            at(parley, said.received_at + later_ms)
            assert await call(parley, said) == (status, first)
        at(parley, said.received_at + 400 * DAY_MS)
        late, answer = await call(parley, said)
        assert late == 403 if kind in DATED else (late, answer) == (status, first)
        assert await record(parley) == before


@cache
def bombs() -> tuple[tuple[str, dict[str, str], bytes], ...]:
    """Return name, headers and body of each; made once, for pressing zeros takes long."""
    return tuple(_bombs())


def _bombs() -> Iterator[tuple[str, dict[str, str], bytes]]:
    zeros = bytes(64 << 20)
    yield "gzip", {"Content-Encoding": "gzip", "Content-Type": "application/json"}, gzip.compress(zeros)
    yield "deflate", {"Content-Encoding": "deflate"}, zlib.compress(zeros)
    yield "gzip in gzip", {"Content-Encoding": "gzip"}, gzip.compress(gzip.compress(zeros))
    yield "not gzip", {"Content-Encoding": "gzip"}, b"menu"
    yield "zip", {"Content-Type": "application/zip"}, b"PK\x03\x04" + bytes(10_000)
    yield "laughs", {"Content-Type": "text/xml"}, LAUGHS
    yield "entity", {"Content-Type": "application/xml"}, ENTITY
    for opening in ("[", '{"a":'):
        yield f"deep {opening}", {"Content-Type": "application/json"}, opening.encode() * 50_000
    for number in ("9" * 20_000, "1e400", "-1e999999", "NaN"):
        yield f"number {number[:5]}", {"Content-Type": "application/json"}, b'{"update_id":' + number.encode() + b',"results":[]}'
    yield (
        "surrogates",
        {"Content-Type": "application/json"},
        json.dumps({"text": "\ud800", "from": "\udfff", "id": "\ud800\ud800"}).encode(),
    )
    yield "fields", {"Content-Type": "application/x-www-form-urlencoded"}, b"&".join(b"a%d=1" % number for number in range(20_000))
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    yield "parts", {"Content-Type": "multipart/form-data; boundary=x"}, part * 3_000 + b"--x--\r\n"
    yield (
        "open part",
        {"Content-Type": "multipart/form-data; boundary=x"},
        part + b"--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" * 3_000,
    )


def believed(parley: Running, subject: Subject, request: RawRequest) -> RawRequest:
    try:
        return addressed(parley, subject, request)
    except (ValueError, RecursionError):  # the signature is a field of a body that its provider could not have made
        return request


@pytest.mark.parametrize("kind", BY_HTTP)
async def test_no_bomb_goes_off_and_the_next_message_is_answered(tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    subject = subject_of(kind)
    async with gateway_with(subject, tmp_path) as parley:
        said = subject.says("menu", {})
        at(parley, said.received_at)
        for name, headers, body in bombs():
            plain = RawRequest("POST", parley.gateway.channels["other"].webhook_url, {}, body, said.received_at, said.remote)
            typed = replace(plain, headers={key.lower(): value for key, value in headers.items() if key == "Content-Type"})
            for request in (plain, believed(parley, subject, typed)):
                status, answer = await call(parley, request, headers)
                assert status in {200, 202, 204, 400, 403, 413, 415}, (name, status)
                assert b"root:" not in answer
                assert b"haha" not in answer
        assert [text for (text,) in await parley.rows("select text from message") if "haha" in text or "root:" in text] == []
        status, _ = await call(parley, addressed(parley, subject, said))
        assert status < 300
    assert [(entry.getMessage(), entry.exc_info) for entry in caplog.records if entry.levelno >= logging.ERROR] == []
