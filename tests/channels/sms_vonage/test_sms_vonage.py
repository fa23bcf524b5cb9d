"""Vonage beyond conformance: signatures against published values, tokens, GET and JSON, what is posted, its status codes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest

from channels import vonage_signatures
from core.model.inbound import AuthenticationFailed, DeliveryReport, Ignored, InboundMessage, RawRequest, UnreadableRequest
from core.model.outbound import SendErrorCode
from tests.channels.sms_vonage.subject import FORM, ID, KEY, NEW, OLD, SECRET, SUBJECT, adapter, request, said, signed, token
from tests.channels.stand_in import StandIn, failure, sent, told
from tests.conformance.subject import MESSAGE_ID, NOWHERE, PUBLIC_URL, saying

OK = SendErrorCode
PAIR = {"param1": ("value1",), "param2": ("value2",), "timestamp": ("1234567890",)}


@pytest.mark.parametrize(
    ("secret", "method", "fields", "published"),
    [
        ("secret", "md5hash", {"a": ("1",), "b": ("2",), "timestamp": ("1461605396",)}, "6af838ef94998832dbfc29020b564830"),
        ("signature_secret", "sha256", PAIR, "280c4320703dbc98bfa22db676655ed2acfbfe8792b062ff7622e67f1183c287"),
        ("signature_secret", "md5", PAIR, "724c2bf6ca423c36e20631b11d1c5753"),
        ("signature_secret", "md5", {**PAIR, "param1": ("value&1",), "param2": ("value=2",)}, "2bbf0abafb2c55e5af6231513896a2ac"),
        ("signature_secret", "md5", {"param": ("value",), "timestamp": ("1234567890",)}, "655a4d0b7f064dff438defc52b012cf5"),
    ],
)
def test_published_signatures(secret: str, method: str, fields: Mapping[str, tuple[str, ...]], published: str) -> None:
    assert vonage_signatures.signature(secret, method, fields) == published
    vonage_signatures.check_fields([secret], method, {**fields, "sig": (published,)})
    with pytest.raises(AuthenticationFailed, match="bad_signature"):
        vonage_signatures.check_fields(["other"], method, {**fields, "sig": (published,)})


@pytest.mark.parametrize("method", vonage_signatures.METHODS)
def test_every_method_of_the_dashboard(method: str) -> None:
    fields = {name: (value,) for name, value in said("hello & = ü").items()}
    what = request({**said("hello & = ü"), "sig": vonage_signatures.signature(OLD, method, fields)})
    adapter(NOWHERE, signature_method=method).authenticate(what)
    for other in set(vonage_signatures.METHODS) - {method}:
        with pytest.raises(AuthenticationFailed, match="bad_signature"):
            adapter(NOWHERE, signature_method=other).authenticate(what)


def test_a_get_is_read_and_checked_by_its_query() -> None:
    query = signed(request(said("hello"))).body.decode()
    what = RawRequest("GET", f"{PUBLIC_URL}?{query}", {}, b"", 0, "127.0.0.1")
    adapter(NOWHERE).authenticate(what)
    (event,) = adapter(NOWHERE).parse(what)
    assert isinstance(event, InboundMessage)
    assert event.text == "hello"
    with pytest.raises(AuthenticationFailed, match="bad_signature"):
        adapter(NOWHERE).authenticate(replace(what, url=what.url.replace("hello", "hullo")))
    with pytest.raises(AuthenticationFailed, match="missing_signature"):
        adapter(NOWHERE).authenticate(replace(what, method="POST", headers=FORM))


def test_json_is_signed_like_a_form() -> None:
    fields = said("hello")
    sig = signed(request(fields)).body.decode().rpartition("&sig=")[2]
    body = json.dumps({**fields, "timestamp": 1577880000, "sig": sig}).encode()
    what = RawRequest("POST", PUBLIC_URL, {"content-type": "application/json"}, body, 0, "127.0.0.1")
    adapter(NOWHERE).authenticate(what)
    with pytest.raises(AuthenticationFailed, match="bad_signature"):
        adapter(NOWHERE).authenticate(replace(what, body=body.replace(b"hello", b"hullo")))


def bearing(body: bytes, secret: str = NEW, algorithm: str = "HS256", **claims: object) -> RawRequest:
    headers = {"content-type": "application/json", "authorization": f"Bearer {token(body, secret, algorithm, **claims)}"}
    return RawRequest("POST", PUBLIC_URL, headers, body, 0, "127.0.0.1")


BODY = json.dumps(
    {"to": "447700900001", "from": "447700900111", "channel": "sms", "message_uuid": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab", "text": "hi"}
).encode()


def test_tokens() -> None:
    ours = adapter(NOWHERE)
    ours.authenticate(bearing(BODY))
    ours.authenticate(bearing(BODY, OLD))
    good = bearing(BODY)
    bearer = good.headers["authorization"]
    for forged, code in {
        "another secret": (bearing(BODY, "another-secret-that-is-long-enough-1"), "bad_signature"),
        "another body": (replace(good, body=BODY + b" "), "bad_body_hash"),
        "no hash": (bearing(BODY, payload_hash=None), "bad_body_hash"),
        "another algorithm": (bearing(BODY, algorithm="none"), "bad_signature"),
        "another account": (bearing(BODY, api_key="other"), "other_account"),
        "another scheme": (replace(good, headers={"authorization": "Basic eDp5"}), "missing_signature"),
        "no token": (replace(good, headers={"authorization": "Bearer x"}), "bad_signature"),
        "odd letters": (replace(good, headers={"authorization": "Bearer a.ü.c"}), "bad_signature"),
        "no mac": (replace(good, headers={"authorization": bearer.rpartition(".")[0] + "."}), "bad_signature"),
        "one letter of base64": (replace(good, headers={"authorization": "Bearer a.a.a"}), "bad_signature"),
    }.values():
        with pytest.raises(AuthenticationFailed) as caught:
            ours.authenticate(forged)
        assert caught.value.code == code


def test_a_token_made_by_a_library() -> None:
    token = (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE1Nzc4ODAwMDAsImlzcyI6IlZvbmFnZSIsInBheWxvYWRfaGFzaCI6IjVhZTI0ODNiNjk2NDcwM2Uw"
        "NDJlZGY0YmI1MzM5NjJjNjYzNjYyNjMzMDhiMDNjZmIxMTdiZjFkYmE5ZGIzZTciLCJhcGlfa2V5IjoiYWJjZDEyMzQifQ.AEZx4O4AfjFY0XmMNXLCwD2f-XkR6xh"
        "3XNzGfg9FmEE"
    )
    secrets = ["a-signature-secret-of-32-letters-"]
    assert vonage_signatures.check_token(secrets, f"Bearer {token}", b'{"channel":"sms"}')["api_key"] == KEY
    with pytest.raises(AuthenticationFailed, match="bad_body_hash"):
        vonage_signatures.check_token(secrets, f"Bearer {token}", b'{"channel":"mms"}')


def test_without_a_secret_the_network_counts() -> None:
    ours = adapter(NOWHERE, signature_secret=(), sources=("127.0.0.0/8",))
    ours.authenticate(request(said("hello")))
    with pytest.raises(AuthenticationFailed, match="unknown_source"):
        ours.authenticate(replace(request(said("hello")), remote="192.0.2.7"))
    with pytest.raises(AuthenticationFailed, match="other_number"):
        ours.authenticate(request(said("hello", to="447700900002")))
    no_form = replace(request({}), headers={"content-type": "text/plain"})
    ours.authenticate(no_form)
    with pytest.raises(UnreadableRequest, match="content_type"):
        ours.parse(no_form)


def test_the_empty_call_that_tries_the_address_does_no_harm() -> None:
    ours = adapter(NOWHERE, signature_secret=())
    for what in (request({}), replace(request({}), method="GET", headers={})):
        ours.authenticate(what)
        assert ours.parse(what) == [Ignored("url_check")]


def test_a_receipt_is_about_the_customer_so_no_number_of_ours_is_asked_for() -> None:
    form = {"msisdn": "447700900111", "to": "AcmeInc", "messageId": ID, "status": "delivered", "err-code": "0", "client-ref": MESSAGE_ID}
    what = signed(request(form))
    adapter(NOWHERE).authenticate(what)
    assert adapter(NOWHERE).parse(what) == [DeliveryReport(ID, "delivered", message_id=MESSAGE_ID)]


async def test_what_is_posted() -> None:
    provider = StandIn(200, {"messages": [{"status": "0", "message-id": ID}, {"status": "0", "message-id": "2"}]})
    async with provider.running() as base:
        assert await sent(adapter(base), saying(SUBJECT.message, "Solde: “250” & plus")) == ID
        assert await sent(adapter(base), saying(SUBJECT.message, "Салио 👍")) == ID
    first, second = provider.calls
    assert (first.method, first.target) == ("POST", "/sms/json")
    assert parse_qs(first.body) == {
        "api_key": [KEY],
        "api_secret": [SECRET],
        "from": ["447700900001"],
        "to": ["447700900111"],
        "text": ['Solde: "250" & plus'],
        "type": ["text"],
        "client-ref": [MESSAGE_ID],
        "callback": [PUBLIC_URL],
    }
    assert parse_qs(second.body)["type"] == ["unicode"]


@pytest.mark.parametrize(
    ("status", "error", "retryable", "ours"),
    [
        ("1", OK.THROTTLED, True, False),
        ("2", OK.REFUSED, False, True),
        ("3", OK.REFUSED, False, True),
        ("4", OK.BAD_CREDENTIALS, False, True),
        ("5", OK.PROVIDER_DOWN, True, False),
        ("6", OK.BAD_ADDRESS, False, False),
        ("7", OK.BAD_ADDRESS, False, False),
        ("8", OK.BAD_CREDENTIALS, False, True),
        ("9", OK.REFUSED, False, True),
        ("10", OK.THROTTLED, True, False),
        ("11", OK.BAD_CREDENTIALS, False, True),
        ("12", OK.TOO_LONG, False, False),
        ("14", OK.BAD_CREDENTIALS, False, True),
        ("15", OK.REFUSED, False, True),
        ("22", OK.REFUSED, False, True),
        ("23", OK.REFUSED, False, True),
        ("29", OK.REFUSED, False, True),
        ("32", OK.BAD_CREDENTIALS, False, True),
        ("33", OK.BAD_ADDRESS, False, False),
        ("99", OK.REFUSED, False, False),
    ],
)
async def test_status_codes(status: str, error: SendErrorCode, *, retryable: bool, ours: bool) -> None:
    provider = StandIn(200, {"message-count": "1", "messages": [{"status": status, "error-text": "no"}]}, headers={"Retry-After": "3"})
    async with provider.running() as base:
        found = await failure(adapter(base), SUBJECT.message)
    assert told(found) == (error, retryable, False, ours, status)
    assert found.retry_after_s == (3.0 if retryable else None)


@pytest.mark.parametrize(
    "messages", [None, [], {}, [5], [{}], [{"status": 0, "message-id": ID}], [{"status": "0"}], [{"status": "0", "message-id": ""}]]
)
async def test_a_success_that_names_no_message_is_unknown(messages: Any) -> None:
    async with StandIn(200, {"messages": messages}).running() as base:
        error = await failure(adapter(base), SUBJECT.message)
    assert (error.code, error.unknown) == (OK.UNREADABLE_ANSWER, True)


def test_the_query_of_a_post_is_not_read() -> None:
    what = request(said("hello"))
    moved = replace(what, url=f"{PUBLIC_URL}?{urlencode(said('other'))}")
    (event,) = adapter(NOWHERE).parse(moved)
    assert isinstance(event, InboundMessage)
    assert event.text == "hello"
