"""The generic gateway beyond conformance: every way to prove a caller and to name fields, settings that do not fit, the examples."""

from __future__ import annotations

import hmac
import json
import tomllib
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from channels import numbers
from channels.http_generic import Settings, make
from channels.registry import load
from config.problems import Where
from config.typed import read
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import (
    AuthenticationFailed,
    DeliveryReport,
    Ignored,
    InboundMessage,
    RawRequest,
    UnreadableRequest,
)
from core.model.outbound import Answer
from tests.channels.http_generic.subject import HERE, NEW, PERSON, SUBJECT, adapter, request, settings
from tests.conformance.subject import MESSAGE_ID, NOWHERE, PUBLIC_URL

FORM = "application/x-www-form-urlencoded"
SAID = {"id": "g-1", "from": "+254711000111", "to": "40404", "text": "hello"}
OPEN = {"hmac_keys": (), "sources": ()}


def basic(pair: str) -> str:
    return f"Basic {b64encode(pair.encode()).decode()}"


@pytest.mark.parametrize(
    ("changed", "headers", "code"),
    [
        ({"secrets": ("one", "two")}, {"x-api-key": "two"}, ""),
        ({"secrets": ("one",), "secret_header": "Authorization"}, {"authorization": "one"}, ""),
        ({"secrets": ("one",)}, {"x-api-key": "three"}, "bad_credentials"),
        ({"secrets": ("one",)}, {"x-api-key": "ü"}, "bad_credentials"),
        ({"secrets": ("one",)}, {}, "missing_credentials"),
        ({"basic": ("u:p", "u:q")}, {"authorization": basic("u:q")}, ""),
        ({"basic": ("u:p",)}, {"authorization": basic("u:q")}, "bad_credentials"),
        ({"basic": ("u:p",)}, {"authorization": "Basic !"}, "bad_credentials"),
        ({"basic": ("u:p",)}, {"authorization": "Bearer x"}, "missing_credentials"),
        ({"hmac_keys": ("k",)}, {}, "missing_signature"),
        ({"hmac_keys": ("k",)}, {"x-signature": "x"}, "bad_signature"),
        ({"secrets": ("one",), "basic": ("u:p",)}, {"x-api-key": "one"}, "missing_credentials"),
        ({"sources": ("192.0.2.0/24",)}, {}, "unknown_source"),
    ],
)
def test_callers(changed: dict[str, Any], headers: dict[str, str], code: str) -> None:
    ours, what = adapter(NOWHERE, **{**OPEN, **changed}), request(SAID)
    what = replace(what, headers={**what.headers, **headers})
    if not code:
        ours.authenticate(what)
        return
    with pytest.raises(AuthenticationFailed) as caught:
        ours.authenticate(what)
    assert caught.value.code == code


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "sha1"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("prefix", ["", "sha256="])
def test_signatures(algorithm: str, encoding: str, prefix: str) -> None:
    ours = adapter(NOWHERE, hmac_header="X-Hub", hmac_algorithm=algorithm, hmac_encoding=encoding, hmac_prefix=prefix)
    mac = hmac.new(NEW.encode(), request(SAID).body, algorithm)
    value = prefix + (mac.hexdigest() if encoding == "hex" else b64encode(mac.digest()).decode())
    ours.authenticate(replace(request(SAID), headers={"content-type": "application/json", "x-hub": value}))
    with pytest.raises(AuthenticationFailed, match="bad_signature"):
        ours.authenticate(replace(request(SAID), headers={"content-type": "application/json", "x-hub": value[:-1]}))


def test_the_query_of_a_get_is_signed_like_a_body() -> None:
    query = urlencode(SAID)
    sign = hmac.new(NEW.encode(), query.encode(), "sha256").hexdigest()
    what = RawRequest("GET", f"{PUBLIC_URL}?{query}", {"x-signature": sign}, b"", 0, "127.0.0.1")
    adapter(NOWHERE).authenticate(what)
    (event,) = adapter(NOWHERE).parse(what)
    assert isinstance(event, InboundMessage)
    with pytest.raises(AuthenticationFailed, match="bad_signature"):
        adapter(NOWHERE).authenticate(replace(what, url=what.url.replace("hello", "hullo")))


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({}, request(SAID)),
        ({}, request(urlencode(SAID), FORM)),
        ({"format": "form"}, request(urlencode(SAID), "text/plain")),
        ({"format": "json"}, request(json.dumps(SAID), "text/plain")),
        ({"format": "query"}, replace(request(""), url=f"{PUBLIC_URL}?{urlencode(SAID)}")),
        (
            {"id_field": "data.0.uid", "sender_field": "data.0.src.msisdn", "recipient_field": "", "text_field": "data.0.body"},
            request({"data": [{"uid": "g-1", "src": {"msisdn": 254711000111}, "body": "hello"}]}),
        ),
    ],
)
def test_formats(changed: dict[str, Any], what: RawRequest) -> None:
    assert adapter(NOWHERE, **{**OPEN, **changed}).parse(what) == [InboundMessage("g-1", PERSON, HERE, "hello")]


def test_a_list_of_events() -> None:
    ours = adapter(NOWHERE, items_field="batch.events", **OPEN)
    report = {"id": "g-2", "status": "DELIVRD"}
    events = ours.parse(request({"batch": {"events": [SAID, report, {**SAID, "from": "nobody at all"}]}}))
    assert events == [InboundMessage("g-1", PERSON, HERE, "hello"), DeliveryReport("g-2", "delivered"), Ignored("bad_number")]
    for wrong in ({}, {"batch": []}, {"batch": {"events": {}}}, {"batch": {"events": [1]}}):
        with pytest.raises(UnreadableRequest, match="bad_member"):
            ours.parse(request(wrong))


def test_without_ids_the_time_tells_a_message_from_its_repetition() -> None:
    ours = adapter(NOWHERE, id_field="", time_field="at", **OPEN)
    first, again, later = (
        ours.parse(request({**SAID, "at": at}))[0] for at in ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z", "2026-01-01T10:00:01Z")
    )
    assert first == again != later
    assert isinstance(first, InboundMessage)
    assert first.sent_at == 1_767_261_600_000


@pytest.mark.parametrize(
    ("changed", "form", "expected"),
    [
        ({}, {"id": "g-1", "status": "Delivered"}, DeliveryReport("g-1", "delivered")),
        ({}, {"id": "g-1", "status": "UNDELIV"}, DeliveryReport("g-1", "undelivered")),
        ({"statuses": ("1=delivered", "2=failed")}, {"id": "g-1", "status": "2"}, DeliveryReport("g-1", "failed")),
        ({"statuses": ("1=delivered",)}, {"id": "g-1", "status": "3"}, Ignored("unknown_status")),
        (
            {"report_id_field": "smsid", "code_field": "err", "status_field": "dlr", "time_field": "at"},
            {"smsid": "g-1", "dlr": "failed", "err": "27", "at": "2026-01-01T10:00:00Z"},
            DeliveryReport("g-1", "failed", code="27", at=1_767_261_600_000),
        ),
        (
            {"reference_field": "ref", "id_field": "", "time_field": "at"},
            {"status": "sent", "ref": MESSAGE_ID},
            DeliveryReport(MESSAGE_ID, "sent", message_id=MESSAGE_ID),
        ),
    ],
)
def test_reports(changed: dict[str, Any], form: dict[str, str], expected: object) -> None:
    assert adapter(NOWHERE, **{**OPEN, **changed}).parse(request(form)) == [expected]


def test_a_report_by_the_address_that_we_gave() -> None:
    what = replace(request({"status": "delivered"}), url=f"{PUBLIC_URL}?m={MESSAGE_ID}")
    assert adapter(NOWHERE, **OPEN).parse(what) == [DeliveryReport(MESSAGE_ID, "delivered", message_id=MESSAGE_ID)]
    with pytest.raises(UnreadableRequest, match="bad_id"):
        adapter(NOWHERE, **OPEN).parse(request({"status": "delivered"}))


def test_what_the_gateway_wants_to_read() -> None:
    ours = adapter(NOWHERE, answer_text='{"status": "OK"}', answer_type="application/json")
    assert ours.acknowledge([SUBJECT.message]) == Answer(content_type="application/json", body=b'{"status": "OK"}')


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"sources": ("nowhere",)}, "nowhere"),
        ({"secrets": ("",)}, "must not be empty"),
        ({"basic": ("pair",)}, "user:password"),
        ({"send_basic": "pair"}, "user:password"),
        ({"id_field": ""}, "time_field"),
        ({"statuses": ("1",)}, "theirs=ours"),
        ({"statuses": ("=delivered",)}, "theirs=ours"),
        ({"statuses": ("1=arrived",)}, "delivered"),
        ({"errors": ("1=lost",)}, "opted_out"),
        ({"send_fields": ("to",)}, "name=value"),
        ({"send_fields": ("=x",)}, "name=value"),
        ({"send_fields": ("to={phone}",)}, "phone"),
        ({"send_fields": ("flash:=yes",)}, "JSON"),
        ({"send_fields": ("a=1", "a.b=2")}, "no place"),
        ({"send_fields": ("a.0=1", "a.b=2")}, "no place"),
        ({"send_fields": ("a.1=1",)}, "no place"),
        ({"send_fields": ("a=1", "a=2")}, "no place"),
        ({"send_headers": ("X-Key",)}, "name=value"),
        ({"end_text": "END {to}"}, "unknown"),
        ({"end_fields": ("a={id}",)}, "unknown"),
    ],
)
def test_settings_that_do_not_fit(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        settings(NOWHERE, **changed)


def test_recorded_requests_need_no_settings() -> None:
    assert load("http_generic").parse(request(SAID), "KE") == [InboundMessage("g-1", PERSON, HERE, "hello")]


def test_the_examples_of_the_documentation_are_right() -> None:
    page = (Path(__file__).parents[3] / "docs" / "channels.md").read_text("utf-8")
    made = {}
    for block in page.partition("## `http_generic`")[2].partition("\n## ")[0].split("```toml\n")[1:]:
        for name, values in tomllib.loads(block.partition("```")[0])["channels"].items():
            table = {key: value for key, value in values.items() if key not in {"kind", "address"}}
            own = read(Settings, table, Where(), lambda _reference, _name: "secret")
            here = Address(AddressKind.SHORT_CODE, values["address"])
            made[name] = make(ChannelId(name), here, own, PUBLIC_URL, "KE")
    assert set(made) == {"kannel", "menu"}
    query = urlencode({**SAID, "from": "+254711000111"})
    assert made["kannel"].parse(replace(request(""), method="GET", url=f"{PUBLIC_URL}?{query}")) == [
        InboundMessage("g-1", PERSON, HERE, "hello")
    ]
    report = f"{PUBLIC_URL}?m={MESSAGE_ID}&status=8"
    assert made["kannel"].parse(replace(request(""), method="GET", url=report)) == [
        DeliveryReport(MESSAGE_ID, "sent", message_id=MESSAGE_ID)
    ]
    step = {"sequence": 2, "subscriber": {"msisdn": "254711000111"}, "input": "1", "sessionId": "s-1", "type": "reply"}
    (event,) = made["menu"].parse(request(step))
    assert isinstance(event, InboundMessage)
    assert (event.external_id, event.text, event.recipient.value) == ("s-1:2", "1", "*384#")
    assert json.loads(made["menu"].acknowledge([SUBJECT.message]).body)["type"] == "continue"


def test_a_message_without_a_receiver_is_for_whoever_was_called() -> None:
    what = request({name: value for name, value in SAID.items() if name != "to"})
    ours = adapter(NOWHERE, **OPEN)
    ours.authenticate(what)
    assert ours.parse(what) == [InboundMessage("g-1", PERSON, HERE, "hello")]
    assert load("http_generic").parse(what, "KE") == [InboundMessage("g-1", PERSON, numbers.UNSAID, "hello")]


def test_a_call_by_post_may_have_its_fields_in_the_query() -> None:
    what = RawRequest("POST", f"{PUBLIC_URL}?{urlencode(SAID)}", {}, b"", 0, "127.0.0.1")
    ours = adapter(NOWHERE, **OPEN)
    ours.authenticate(what)
    assert ours.parse(what) == [InboundMessage("g-1", PERSON, HERE, "hello")]
