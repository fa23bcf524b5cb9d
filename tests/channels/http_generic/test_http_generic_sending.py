"""The generic gateway sends: forms, queries and JSON by fields, its answers and its codes."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from core.model.outbound import SendErrorCode
from tests.channels.http_generic.subject import SECRET, SUBJECT, adapter
from tests.channels.stand_in import StandIn, failure, sent, told
from tests.conformance.subject import MESSAGE_ID, NOWHERE, PUBLIC_URL, saying

OK = SendErrorCode


def basic(pair: str) -> str:
    return f"Basic {b64encode(pair.encode()).decode()}"


HOSTILE = "{to} {secret} & =x \"q\" \\ 'é' 👍 {{7*7}} %s"


async def test_json() -> None:
    provider = StandIn(200, {"data": {"uid": "g-9"}})
    fields = (
        "messages.0.to={to_digits}",
        "messages.0.body={text}",
        "messages.0.ref={id}",
        "sender={from}",
        "flash:=false",
        "dlr={callback}",
    )
    async with provider.running() as base:
        ours = adapter(base, send_fields=fields, sent_id_field="data.uid", send_basic="u:p")
        assert await sent(ours, saying(SUBJECT.message, HOSTILE)) == "g-9"
    (call,) = provider.calls
    assert json.loads(call.body) == {
        "messages": [{"to": "254711000111", "body": HOSTILE, "ref": MESSAGE_ID}],
        "sender": "40404",
        "flash": False,
        "dlr": f"{PUBLIC_URL}?m={MESSAGE_ID}",
    }
    assert (call.headers["x-key"], call.headers["authorization"]) == (SECRET, basic("u:p"))


@pytest.mark.parametrize(("kind", "method"), [("form", "POST"), ("query", "POST"), ("get", "GET")])
async def test_forms_and_queries(kind: str, method: str) -> None:
    provider = StandIn(202, text="0: Accepted for delivery\nID: 4af-1 ok")
    fields = ("to={to}", "from={from_digits}", "text={text}", "password={secret}", "dlr-mask:=31")
    async with provider.running() as base:
        ours = adapter(
            base, send_url=f"{base}/cgi-bin/sendsms?user=x", send_format=kind, send_fields=fields, answer_is="text", sent_id_after="ID:"
        )
        assert await sent(ours, saying(SUBJECT.message, HOSTILE)) == "4af-1"
    (call,) = provider.calls
    expected = {"to": ["+254711000111"], "from": ["40404"], "text": [HOSTILE], "password": [SECRET], "dlr-mask": ["31"]}
    assert call.method == method
    query = parse_qs(urlsplit(call.target).query)
    assert query.pop("user") == ["x"]
    assert (parse_qs(call.body) if kind == "form" else query) == expected


async def test_an_answer_without_an_id() -> None:
    async with StandIn(204, text="").running() as base:
        assert await sent(adapter(base, answer_is="none"), SUBJECT.message) == ""
    async with StandIn(200, text="4711").running() as base:
        assert await sent(adapter(base, answer_is="text"), SUBJECT.message) == "4711"


ERRORS = (
    "E1=opted_out",
    "E2=bad_address",
    "E3=throttled",
    "E4=provider_down",
    "E5=bad_credentials",
    "E6=too_long",
    "E7=timeout",
    "E8=refused",
)


@pytest.mark.parametrize(
    ("code", "error", "retryable", "unknown", "ours"),
    [
        ("E1", OK.OPTED_OUT, False, False, False),
        ("e2", OK.BAD_ADDRESS, False, False, False),
        ("E3", OK.THROTTLED, True, False, False),
        ("E4", OK.PROVIDER_DOWN, True, False, False),
        ("E5", OK.BAD_CREDENTIALS, False, False, True),
        ("E6", OK.TOO_LONG, False, False, False),
        ("E7", OK.TIMEOUT, True, True, False),
        ("E8", OK.REFUSED, False, False, False),
    ],
)
async def test_codes(code: str, error: SendErrorCode, *, retryable: bool, unknown: bool, ours: bool) -> None:
    for provider, changed in (
        (StandIn(200, {"error": {"code": code}}), {"error_field": "error.code"}),
        (StandIn(400, {"error": {"code": code}}), {"error_field": "error.code"}),
        (StandIn(200, text=f"{code}: no"), {"answer_is": "text"}),
    ):
        async with provider.running() as base:
            found = await failure(adapter(base, errors=ERRORS, **changed), SUBJECT.message)
        assert told(found) == (error, retryable, unknown, ours, code.lower())


@pytest.mark.parametrize(
    ("provider", "changed", "expected"),
    [
        (StandIn(400, {"error": {"code": 7}}), {"error_field": "error.code"}, (OK.REFUSED, False, False, False, "7")),
        (StandIn(500, {"error": {"code": 7}}), {"error_field": "error.code"}, (OK.PROVIDER_DOWN, True, False, False, "7")),
        (StandIn(500, {}), {"error_field": "error.code"}, (OK.PROVIDER_DOWN, True, True, False, "500")),
        (StandIn(500, text="oops"), {"answer_is": "text"}, (OK.PROVIDER_DOWN, True, True, False, "500")),
        (StandIn(200, text="no id here"), {"answer_is": "text", "sent_id_after": "ID:"}, (OK.UNREADABLE_ANSWER, True, True, False, "")),
        (StandIn(200, text=""), {"answer_is": "text"}, (OK.UNREADABLE_ANSWER, True, True, False, "")),
        (StandIn(200, {"id": None}), {}, (OK.UNREADABLE_ANSWER, True, True, False, "")),
        (StandIn(200, {"x": list(range(10_000))}), {}, (OK.UNREADABLE_ANSWER, True, True, False, "")),
        (StandIn(503, text="busy"), {"answer_is": "none"}, (OK.PROVIDER_DOWN, True, False, False, "503")),
    ],
)
async def test_refusals(provider: StandIn, changed: dict[str, Any], expected: tuple[Any, ...]) -> None:
    async with provider.running() as base:
        assert told(await failure(adapter(base, **changed), SUBJECT.message)) == expected


async def test_without_an_address_nothing_is_sent() -> None:
    assert (await failure(adapter(NOWHERE, send_url=""), SUBJECT.message)).code is OK.UNSUPPORTED
