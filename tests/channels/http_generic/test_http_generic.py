"""The generic gateway beyond conformance: every way to prove a caller, to name fields, to answer, to send, and to get it wrong."""

from __future__ import annotations

import hmac
import json
import tomllib
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from channels.http_generic import Settings, make
from channels.registry import load
from config.problems import Where
from config.typed import read
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import (
    AuthenticationFailed,
    ContactSignal,
    DeliveryReport,
    Ignored,
    InboundMessage,
    RawRequest,
    Session,
    UnreadableRequest,
)
from core.model.outbound import Answer, Reply, SendErrorCode
from tests.channels.http_generic.subject import HERE, NEW, PERSON, SECRET, SUBJECT, adapter, request, settings
from tests.channels.stand_in import StandIn, failure, sent, told
from tests.conformance import adapter_checks as checks
from tests.conformance.sending import check_cannot_send
from tests.conformance.subject import MESSAGE_ID, NOWHERE, PUBLIC_URL, Subject, saying

OK = SendErrorCode
FORM = "application/x-www-form-urlencoded"
SAID = {"id": "g-1", "from": "+254711000111", "to": "40404", "text": "hello"}
CODE = Address(AddressKind.SHORT_CODE, "*384*100#")
OPEN = {"hmac_keys": (), "sources": ()}


def ussd(**changed: object) -> dict[str, Any]:
    return {**OPEN, "medium": "ussd", "session_field": "sid", "text_field": "input", "id_field": "", "recipient_field": "code", **changed}


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


# ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────────────

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


# ── USSD ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def dialled(text: str, **changed: object) -> RawRequest:
    return request({"sid": "s-1", "from": "0711000111", "code": "*384*100", "input": text, **changed})


def test_a_session_of_single_inputs() -> None:
    ours = adapter(NOWHERE, CODE, **ussd(session_begins="type=1", session_ends="type=3", id_field="seq"))
    first, second, last = (
        ours.parse(what)[0] for what in (dialled("*384*100#", type=1, seq=1), dialled("1", type=2, seq=2), dialled("", type=3))
    )
    assert first == InboundMessage("s-1:1", PERSON, CODE, "", session=Session.NEW, session_id="s-1")
    assert second == InboundMessage("s-1:2", PERSON, CODE, "1", session=Session.RESUME, session_id="s-1")
    assert last == ContactSignal("s-1:end", PERSON, CODE, "hung_up", session_id="s-1")
    ours.authenticate(dialled("1", type=2, seq=2))
    with pytest.raises(AuthenticationFailed, match="other_number"):
        ours.authenticate(dialled("1", type=2, seq=2, code="*384*200#"))
    with pytest.raises(UnreadableRequest, match="bad_session"):
        ours.parse(dialled("1", sid=""))


def test_a_session_of_all_input_so_far() -> None:
    ours = adapter(NOWHERE, CODE, **ussd(cumulative=True))
    first, second, again = (ours.parse(dialled(text))[0] for text in ("", "1*2", "1*2"))
    assert isinstance(first, InboundMessage)
    assert isinstance(second, InboundMessage)
    assert (first.session, second.session, second.cumulative, second.text) == (Session.NEW, Session.RESUME, True, "1*2")
    assert second == again
    assert first.external_id != second.external_id


def test_the_same_input_twice_is_two_steps_where_nothing_else_tells() -> None:
    ours = adapter(NOWHERE, CODE, **ussd())
    first, second = (ours.parse(replace(dialled("1"), received_at=at))[0] for at in (1, 2))
    assert isinstance(first, InboundMessage)
    assert isinstance(second, InboundMessage)
    assert first.external_id != second.external_id


def test_screens() -> None:
    plain = adapter(NOWHERE, CODE, **ussd(continue_text="1|{text}", end_text="2|{text}"))
    assert plain.acknowledge([SUBJECT.message]).body == b"1|Your balance is KES 250.00"
    over = replace(SUBJECT.message, reply=Reply('Bye {text} "you"', ends_session=True))
    assert plain.acknowledge([over]).body == b'2|Bye {text} "you"'
    as_json = adapter(NOWHERE, CODE, **ussd(continue_fields=("message={text}", "more:=true"), end_fields=("message={text}", "more:=false")))
    assert json.loads(as_json.acknowledge([SUBJECT.message]).body) == {"message": "Your balance is KES 250.00", "more": True}
    answer = as_json.acknowledge([over])
    assert json.loads(answer.body) == {"message": 'Bye {text} "you"', "more": False}
    assert answer.content_type == "application/json; charset=utf-8"


def _texts(answer: Answer) -> list[str]:
    return [answer.body.decode()[4:]]


USSD_SUBJECT: Subject = replace(
    SUBJECT,
    make=lambda base: adapter(
        base, CODE, **ussd(sources=("127.0.0.0/8",), session_field="session", text_field="text", recipient_field="to")
    ),
    says=lambda text, unknown: request({"session": "s-1", "from": "+254711000111", "to": CODE.value, "text": text, **unknown}),
    authentic=lambda what: what,
    authentic_before=None,
    forgeries={
        "another network": lambda what: replace(what, remote="192.0.2.7"),
        "another service code": lambda what: replace(what, body=what.body.replace(b"384", b"385")),
    },
    texts_of=_texts,
    accepted=None,
    impatient=None,
    samples=Path(__file__).parent / "nowhere",
)
USSD_CHECKS = [
    checks.check_vocabulary,
    checks.check_authentic,
    checks.check_forgeries,
    checks.check_texts,
    checks.check_hostile,
    checks.check_arbitrary_bytes,
    checks.check_acknowledge,
]


@pytest.mark.parametrize("check", USSD_CHECKS, ids=lambda check: check.__name__)
def test_ussd_passes_the_checks_of_every_adapter(check: checks.Check) -> None:
    check(USSD_SUBJECT)


async def test_ussd_sends_nothing_outside_a_session() -> None:
    await check_cannot_send(USSD_SUBJECT)


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────────────────


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
