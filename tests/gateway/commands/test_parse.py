"""`parley parse`: recorded requests in, what the adapter makes of them out, whatever the input."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.registry import KINDS
from core.model.address import Address, AddressKind
from core.model.inbound import InboundMessage, Media
from gateway.cli import cli
from gateway.commands.parse import event_document, parse_lines
from gateway.commands.recorded import readings
from tests.conformance.subject import subject_of

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy

USSD = {
    "method": "POST",
    "url": "/c/ussd/x",
    "headers": {"CONTENT-TYPE": "application/x-www-form-urlencoded"},
    "body": "sessionId=1&serviceCode=*384%23&phoneNumber=%2B254711000111&text=1*2",
}


def parsed(*lines: object, kind: str = "ussd", region: str = "") -> list[dict[str, Any]]:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return [json.loads(line) for line in parse_lines(kind, texts, region)]


def test_an_event_as_a_line() -> None:
    (line,) = parsed(USSD)
    assert line == {
        "events": [
            {
                "event": "InboundMessage",
                "external_id": line["events"][0]["external_id"],
                "sender": {"kind": "msisdn", "value": "+254711000111"},
                "recipient": {"kind": "short_code", "value": "*384#"},
                "text": "1*2",
                "session": "resume",
                "session_id": "1",
                "cumulative": True,
            }
        ]
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_recorded_requests_of_every_kind(kind: str) -> None:
    records = subject_of(kind).recorded()
    lines = parsed(*records, kind=kind, region="ke")
    assert len(lines) == len(records)
    for record, line in zip(records, lines, strict=True):
        assert line.get("events") == record.get("events"), record["name"]
        assert line.get("error") == record.get("error"), record["name"]


def test_a_body_in_base64_is_the_same() -> None:
    encoded = {**USSD, "body_base64": base64.b64encode(str(USSD["body"]).encode()).decode()}
    assert parsed(encoded) == parsed(USSD)
    assert parsed({**USSD, "body_base64": base64.b64encode(b"text=%ff").decode()})[0]["error"] == "encoding"


def test_a_body_of_json_may_stand_as_it_is() -> None:
    update = {"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"}, "text": "héllo"}}
    update["message"] |= {"from": {"id": 5, "is_bot": False, "first_name": "A"}}
    record = {"method": "POST", "headers": {"content-type": "application/json"}, "body": update}
    assert parsed(record, kind="telegram") == parsed({**record, "body": json.dumps(update)}, kind="telegram")
    assert parsed(record, kind="telegram")[0]["events"][0]["text"] == "héllo"


def test_of_contents_the_size_is_shown() -> None:
    media = Media("image", content_type="image/png", content=b"12345")
    message = InboundMessage("1", Address(AddressKind.EMAIL, "a@example.com"), Address(AddressKind.EMAIL, "b@example.com"), media=(media,))
    assert event_document(message)["media"] == [{"kind": "image", "content_type": "image/png", "content_bytes": 5}]


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a JSON object"),
        ({**USSD, "headers": "a: 1"}, "headers"),
        ({**USSD, "headers": [1]}, "headers"),
        ({**USSD, "headers": {"a": {}}}, "headers"),
        ({**USSD, "method": 1}, "method"),
        ({**USSD, "url": 1}, "url"),
        ({**USSD, "query": [1]}, "fields of a form"),
        ({**USSD, "body": 5}, "body"),
        ({**USSD, "body_base64": "%"}, "body_base64"),
        ({**USSD, "received_at": "now"}, "received_at"),
    ],
)
def test_a_bad_line_does_not_stop_the_rest(line: object, detail: str) -> None:
    before, bad, after = parsed(USSD, line, USSD)
    assert before == after
    assert bad["error"] == "bad_line"
    assert detail in bad["detail"]


def test_blank_lines_are_passed_over_and_missing_parts_have_defaults() -> None:
    assert parsed("", " \n") == []
    assert parsed({}) == [{"error": "bad_session", "detail": "bad_session"}]


FIELDS = {"sessionId": "1", "serviceCode": "*384#", "phoneNumber": "+254711000111", "text": "1*2"}
TYPE = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "record",
    [
        {**USSD, "method": "post", "url": None},
        {**USSD, "headers": {}},
        {**USSD, "headers": None},
        {**USSD, "headers": {"content-type": [TYPE], "Content-Length": 81, "X-Nothing": None}},
        {**USSD, "headers": [{"name": "Content-Type", "value": TYPE}]},
        {**USSD, "headers": [["Content-Type", TYPE]]},
        {"request": USSD},
        {"httpMethod": "POST", "path": "/ussd", "headers": USSD["headers"], "body": USSD["body"]},
        {**USSD, "body": base64.b64encode(str(USSD["body"]).encode()).decode(), "isBase64Encoded": True},
        {**USSD, "body": FIELDS},
        {"body": FIELDS},
        {"body": json.dumps(FIELDS)},
        {"body": {name: [value] for name, value in FIELDS.items()}},
        {"form": FIELDS},
        {"method": "POST", "params": FIELDS},
        {"json": FIELDS},
        {"method": "GET", "url": "/ussd", "query": FIELDS},
        {"method": "GET", "params": FIELDS},
        {"params": FIELDS},
        {"httpMethod": "GET", "queryStringParameters": FIELDS, "body": None},
        {"method": "GET", "url": "/ussd", "body": USSD["body"]},
        {"url": f"/ussd?{USSD['body']}"},
        {"method": "GET", "url": "/ussd?sessionId=1&serviceCode=*384#&phoneNumber=+254711000111&text=1*2"},
        {**USSD, "body": f"{USSD['body']}\r\n"},
        {"body": "sessionId=1\nserviceCode=*384#\nphoneNumber=+254711000111\ntext=1*2\n"},
    ],
)
def test_however_a_request_was_recorded(record: object) -> None:
    assert parsed(record) == parsed(USSD)


def test_a_form_in_parts_needs_no_header() -> None:
    body = '--x y\r\nContent-Disposition: form-data; name="from"\r\n\r\na@example.com\r\n--x y--\r\n'
    (found,) = readings(json.dumps({"body": body}))
    assert found.headers == {"content-type": 'multipart/form-data; boundary="x y"'}


def test_what_is_no_web_request_gets_no_header() -> None:
    (found,) = readings(json.dumps({"method": "MAIL", "headers": {"mail-from": "a@example.com"}, "body": "Subject: x"}))
    assert (found.method, found.headers) == ("MAIL", {"mail-from": "a@example.com"})


names = st.sampled_from(["headers", "body", "url", "method"])
documents = st.recursive(st.none() | st.text(max_size=9), lambda inner: st.dictionaries(names, inner))


@CALM
@given(line=st.text(max_size=80) | documents.map(json.dumps))
def test_every_line_gives_at_most_one_line(line: str) -> None:
    for kind in KINDS:
        assert len(parsed(line, kind=kind)) == bool(line.strip())


def test_the_command(tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_bytes(json.dumps(USSD).encode() + b"\n\xff\xfe\n" + json.dumps(USSD).encode())
    result = CliRunner().invoke(cli, ["parse", "ussd", str(file)])
    assert result.exit_code == 0
    assert ["events" in json.loads(line) for line in result.output.splitlines()] == [True, False, True]
    national = json.dumps({**USSD, "body": str(USSD["body"]).replace("%2B254", "0")})
    piped = CliRunner().invoke(cli, ["parse", "ussd"], input=national)
    assert json.loads(piped.output)["error"] == "bad_number"
    local = CliRunner().invoke(cli, ["parse", "ussd", "-", "--region", "ke"], input=national)
    assert json.loads(local.output)["events"][0]["sender"]["value"] == "+254711000111"


def test_an_unknown_kind_and_a_missing_file_are_refused() -> None:
    assert CliRunner().invoke(cli, ["parse", "fax"]).exit_code == 2
    assert CliRunner().invoke(cli, ["parse", "ussd", "/nowhere/at/all"]).exit_code == 2
