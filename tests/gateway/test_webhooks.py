"""The door for providers: who is let in, what bad input gets, and that nothing is half written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.channels.demo import demo_with
from tests.gateway.running import ANNA, Running, running


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started


async def count(parley: Running, table: str) -> int:
    (row,) = await parley.rows(f"select count(*) from {table}")
    return int(row[0])


async def test_an_unknown_channel_and_a_wrong_secret_look_the_same(parley: Running) -> None:
    answers = []
    url = parley.gateway.url
    secret = parley.gateway.channels["ussd"].secret
    for path in ("/c/nothing/" + secret, "/c/ussd/" + "0" * 32, "/c/sms/" + secret, "/c/ussd/" + secret.upper()):
        async with parley.http.post(url + path, data={"sessionId": "s"}) as answer:
            answers.append((answer.status, await answer.text()))
    assert len(set(answers)) == 1
    assert answers[0][0] == 404
    assert parley.gateway.counters.value("refused", channel="ussd", code="unknown_channel") == 2


async def test_other_methods_are_refused_and_named(parley: Running) -> None:
    async with parley.http.get(parley.gateway.channels["ussd"].webhook_url) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_a_provider_that_asks_whether_it_may_send_is_told_so_and_answered_as_any_other(parley: Running) -> None:
    hook = parley.gateway.channels["ussd"].webhook_url
    answers = []
    for ask in (True, False):
        form = {"sessionId": f"s-{ask}", "serviceCode": "*384*100#", "phoneNumber": ANNA, "text": ""}
        async with parley.http.post(hook, data=form, expect100=ask) as answer:
            assert "aiohttp" not in answer.headers.get("Server", "")
            answers.append((answer.status, answer.content_type, await answer.text()))
    assert answers[0] == answers[1]
    assert answers[0][2].startswith("CON ")


KANNEL = """
[channels.kannel]
kind = "http_generic"
address = "40404"
format = "query"
secrets = { generated = true }
"""


BEHIND_A_PROXY = """
[server]
trusted_proxies = ["127.0.0.0/8"]
[channels.near]
kind = "ussd"
address = "*555#"
sources = ["198.51.100.0/24"]
"""


@pytest.mark.parametrize(("caller", "status"), [("198.51.100.7", 200), ("203.0.113.7", 403)])
async def test_a_source_behind_a_proxy_of_ours_is_the_one_that_counts(tmp_path: Path, caller: str, status: int) -> None:
    async with running(tmp_path / "data", config=demo_with(tmp_path, BEHIND_A_PROXY)) as parley:
        form = {"sessionId": "s-1", "serviceCode": "*555#", "phoneNumber": ANNA, "text": ""}
        hook = parley.gateway.channels["near"].webhook_url
        async with parley.http.post(hook, data=form, headers={"X-Forwarded-For": caller}) as answer:
            assert answer.status == status


async def test_a_provider_that_calls_by_get_is_heard_where_its_kind_allows_it(tmp_path: Path) -> None:
    async with running(tmp_path / "data", config=demo_with(tmp_path, KANNEL)) as parley:
        kannel = parley.gateway.channels["kannel"]
        headers = {"X-Api-Key": kannel.settings.secrets[0]}
        for query in ("id=k-1&from=254700000001&to=40404&text=balance", "id=k-2&from=&to=40404&text=x", "id=k-3&from=&to=40404&text=x"):
            async with parley.http.get(f"{kannel.webhook_url}?{query}", headers=headers) as answer:
                assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
        async with parley.http.put(kannel.webhook_url) as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "GET,POST")
        assert await parley.rows("select raw from inbound") == [("id=k-1&from=254700000001&to=40404&text=balance",)]
        assert await parley.rows("select count(*) from unreadable") == [(2,)]


async def test_a_message_without_signature_is_refused_and_leaves_no_row(parley: Running) -> None:
    status, _ = await parley.post("sms", data={"MessageSid": "SM1", "From": ANNA, "To": "+254711082000", "Body": "hi"})
    assert status == 403
    assert await count(parley, "inbound") == 0
    refused = [labels for (name, labels) in parley.gateway.counters._counts if name == "refused"]
    assert any(("channel", "sms") in labels for labels in refused)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00garbage",
        b"text=" + b"9" * 100_000,
        b"a=1&" * 250,
        b"sessionId=s9&serviceCode=%2A384%2A100%23&phoneNumber=nobody&text=",
        b"sessionId=s9&serviceCode=%2A384%2A100%23&phoneNumber=%2B254700000001&text=%ff%fe",
        json.dumps({"a": [[[1]]]}).encode(),
    ],
    ids=["empty", "bytes", "100 kB text", "many fields", "no number", "not UTF-8", "JSON"],
)
async def test_what_nobody_can_read_is_kept_raw_or_answered_and_never_an_error(parley: Running, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    status, _ = await parley.post("ussd", data=body, headers=headers)
    assert status == 200
    kept, heard = await count(parley, "unreadable"), await count(parley, "inbound")
    assert kept + heard == 1
    await parley.post("ussd", data=body, headers=headers)
    assert (await count(parley, "unreadable"), await count(parley, "inbound")) == (kept, heard)


async def test_a_body_that_is_too_large_is_refused(parley: Running) -> None:
    status, _ = await parley.post("ussd", data=b"x" * 300_000)
    assert status == 413

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 10_000

    status, _ = await parley.post("ussd", data=chunks())
    assert status == 413
    assert await count(parley, "unreadable") == 0


@pytest.mark.parametrize(
    "text", ["", "😀", "مرحبا", "a\u202eb", "\x00", "é" * 500, "1*2*3*4*5*6*7*8*9", "{{7*7}} {0.__class__} %(x)s ${x}"]
)
async def test_any_text_gets_a_screen(parley: Running, text: str) -> None:
    status, screen = await parley.dial(text)
    assert status == 200
    assert screen[:4] in ("CON ", "END ")
    assert len(screen) > 10
    assert "49" not in screen


async def test_a_request_repeated_while_its_action_runs_gets_the_same_bytes(parley: Running) -> None:
    await parley.dial("")
    answers = await asyncio.gather(*(parley.dial("1") for _ in range(5)))
    assert len(set(answers)) == 1
    assert await count(parley, "action") == 1
