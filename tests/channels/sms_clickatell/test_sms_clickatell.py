"""Clickatell beyond conformance: what is posted, its error codes, batches that hold more than one kind of event."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from core.model.inbound import AuthenticationFailed, DeliveryReport, Ignored, InboundMessage, RawRequest, UnreadableRequest
from core.model.outbound import SendErrorCode
from tests.channels.sms_clickatell.subject import API, HERE, ID, SUBJECT, adapter, of, request, said
from tests.channels.stand_in import StandIn, failure, sent, told
from tests.conformance.subject import MESSAGE_ID, NOWHERE, PUBLIC_URL, saying

OK = SendErrorCode


def refused(code: object) -> dict[str, Any]:
    error = {"code": code, "description": "no"}
    return {"messages": [{"apiMessageId": None, "accepted": False, "to": "27999900001", "error": error}], "error": None}


async def test_what_is_posted() -> None:
    provider = StandIn(202, {"messages": [{"apiMessageId": ID, "accepted": True}]})
    async with provider.running() as base:
        assert await sent(adapter(base), saying(SUBJECT.message, "Saldo: “250” & meer 👍")) == ID
        assert await sent(adapter(base, two_way=False), SUBJECT.message) == ID
    first, second = provider.calls
    assert (first.method, first.target) == ("POST", "/v1/message")
    assert first.headers["authorization"] == API
    (one,) = json.loads(first.body)["messages"]
    assert one == {
        "channel": "sms",
        "to": "27999900001",
        "from": "27999900002",
        "content": 'Saldo: "250" & meer 👍',
        "clientMessageId": MESSAGE_ID,
    }
    (other,) = json.loads(second.body)["messages"]
    assert "from" not in other


CODES = [
    (1, OK.BAD_CREDENTIALS, False, True),
    (2, OK.BAD_CREDENTIALS, False, True),
    (3, OK.BAD_CREDENTIALS, False, True),
    (7, OK.BAD_CREDENTIALS, False, True),
    (18, OK.PROVIDER_DOWN, True, False),
    (19, OK.PROVIDER_DOWN, True, False),
    (20, OK.REFUSED, False, True),
    (21, OK.REFUSED, False, True),
    (23, OK.REFUSED, False, True),
    (24, OK.TOO_LONG, False, False),
    (25, OK.BAD_ADDRESS, False, False),
    (26, OK.OPTED_OUT, False, False),
    (27, OK.BAD_ADDRESS, False, False),
    (28, OK.REFUSED, False, True),
    (38, OK.REFUSED, False, True),
    (39, OK.REFUSED, False, True),
    (43, OK.THROTTLED, True, False),
    (44, OK.REFUSED, False, True),
    (45, OK.REFUSED, False, True),
    (100, OK.TOO_LONG, False, False),
    (101, OK.REFUSED, False, True),
    (110, OK.REFUSED, False, True),
    (111, OK.REFUSED, False, True),
    (9_999, OK.REFUSED, False, False),
]


@pytest.mark.parametrize(("code", "error", "retryable", "ours"), CODES)
async def test_codes(code: int, error: SendErrorCode, *, retryable: bool, ours: bool) -> None:
    for status, document in (
        (202, refused(code)),
        (202, refused(str(code))),
        (400, {"messages": [], "error": {"code": code, "description": "no"}}),
        (400, {"errorCode": code, "error": "no", "errorDescription": "no"}),
    ):
        async with StandIn(status, document).running() as base:
            assert told(await failure(adapter(base), SUBJECT.message)) == (error, retryable, False, ours, str(code))


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"messages": []},
        {"messages": [7]},
        {"messages": [{"accepted": False}]},
        {"messages": [{"apiMessageId": 5}]},
        refused("x"),
        refused(None),
    ],
)
async def test_a_success_that_names_no_message_is_unknown(document: object) -> None:
    async with StandIn(202, document).running() as base:
        error = await failure(adapter(base), SUBJECT.message)
    assert (error.code, error.unknown) == (OK.UNREADABLE_ANSWER, True)


def test_one_callback_may_hold_all_kinds_of_event() -> None:
    report = {"channel": "sms", "messageId": "r-1", "statusCode": 5, "status": "DEVICE_ACK", "timestamp": 1506607698000}
    events = adapter(NOWHERE).parse(request(of(moText=[said("a"), said("b")], messageStatusUpdate=[report], moOther=[{}])))
    assert [type(event) for event in events] == [InboundMessage, InboundMessage, DeliveryReport, Ignored]
    one_bad = adapter(NOWHERE).parse(request(of(moText=[said("a"), said("b", to="?"), 5])))
    assert [type(event) for event in one_bad] == [InboundMessage, Ignored, Ignored]
    with pytest.raises(UnreadableRequest, match="bad_member"):
        adapter(NOWHERE).parse(request(of(moText=[5])))
    with pytest.raises(UnreadableRequest, match="bad_member"):
        adapter(NOWHERE).parse(request(of(moText={})))


def test_parts_of_the_older_api_have_a_header() -> None:
    fields = {"api_id": "1", "from": "27999900001", "to": HERE.value, "moMsgId": "m-1", "text": "hel", "charset": "", "udh": "050003CC0301"}
    what = RawRequest("GET", f"{PUBLIC_URL}?{urlencode(fields)}", {}, b"", 0, "127.0.0.1")
    ours = adapter(NOWHERE, basic=())
    ours.authenticate(what)
    (first,) = ours.parse(what)
    (whole,) = ours.parse(replace(what, url=what.url.replace("050003CC0301", "junk")))
    assert isinstance(first, InboundMessage)
    assert isinstance(whole, InboundMessage)
    assert first.part is not None
    assert (first.part.number, first.part.total, whole.part) == (1, 3, None)
    with pytest.raises(AuthenticationFailed, match="other_number"):
        ours.authenticate(replace(what, url=what.url.replace(HERE.value[1:], "27999900004")))


def test_half_a_character_in_the_older_json_is_no_error_of_ours() -> None:
    (event,) = adapter(NOWHERE).parse(request({"data": {"moMsgId": "1", "from": "27999900001", "text": "a\ud800"}}))
    assert isinstance(event, InboundMessage)
    assert event.text.startswith("a")


@pytest.mark.parametrize(
    ("query", "code"), [("moMsgId=1&from=1&from=2", "repeated_field"), ("&".join("a" * 300), "too_many_fields"), ("", "bad_id")]
)
def test_a_bent_query_of_the_older_api(query: str, code: str) -> None:
    with pytest.raises(UnreadableRequest, match=code):
        adapter(NOWHERE).parse(RawRequest("GET", f"{PUBLIC_URL}?{query}", {}, b"", 0))
