"""Infobip beyond conformance: batches, what is posted, its statuses, a repeated send under the same id."""

from __future__ import annotations

import json
from typing import Any

import pytest

from channels.sms_infobip import RESULTS_MAX
from core.model.capabilities import OnUnknown
from core.model.inbound import Ignored, InboundMessage, UnreadableRequest
from core.model.outbound import SendErrorCode
from tests.channels.sms_infobip.subject import API, ID, NEW, SUBJECT, adapter, by, request, said
from tests.channels.stand_in import StandIn, failure, sent, told
from tests.conformance.subject import MESSAGE_ID, NOWHERE, PUBLIC_URL, saying

OK = SendErrorCode


def status(name: str, group: int, message_id: object = ID) -> dict[str, Any]:
    return {"messages": [{"messageId": message_id, "status": {"groupId": group, "groupName": "X", "id": 1, "name": name}}]}


def test_a_batch_becomes_one_event_each_in_order() -> None:
    what = by(NEW)(request({"results": [said(str(number), messageId=f"m-{number}") for number in range(100)]}))
    ours = adapter(NOWHERE)
    ours.authenticate(what)
    events = ours.parse(what)
    assert [event.external_id for event in events if isinstance(event, InboundMessage)] == [f"m-{number}" for number in range(100)]
    with pytest.raises(UnreadableRequest, match="too_many_fields"):
        ours.parse(request({"results": [said("x")] * (RESULTS_MAX + 1)}))


def test_one_that_cannot_be_read_does_not_hold_up_the_others() -> None:
    good, bad = said("hello"), said("x", **{"from": ""})
    ours = adapter(NOWHERE)
    first, second = ours.parse(request({"results": [bad, good]}))
    assert (first, isinstance(second, InboundMessage)) == (Ignored("bad_number"), True)
    with pytest.raises(UnreadableRequest, match="bad_number"):
        ours.parse(request({"results": [bad, bad]}))


def test_without_password_and_networks_every_caller_is_believed() -> None:
    adapter(NOWHERE, basic=(), sources=()).authenticate(request({"results": [said("hello")]}))


async def test_what_is_posted() -> None:
    provider = StandIn(200, status("PENDING_ACCEPTED", 1))
    async with provider.running() as base:
        assert await sent(adapter(base), saying(SUBJECT.message, "Stanje: “250” & više 👍")) == ID
    (call,) = provider.calls
    assert (call.method, call.target) == ("POST", "/sms/3/messages")
    assert call.headers["authorization"] == f"App {API}"
    assert json.loads(call.body) == {
        "messages": [
            {
                "sender": "385921004026",
                "destinations": [{"to": "385916242493", "messageId": MESSAGE_ID}],
                "content": {"text": 'Stanje: "250" & više 👍'},
                "webhooks": {
                    "delivery": {"url": PUBLIC_URL, "intermediateReport": True},
                    "contentType": "application/json",
                    "callbackData": MESSAGE_ID,
                },
            }
        ]
    }


async def test_a_message_that_was_taken_before_is_taken() -> None:
    assert adapter(NOWHERE).capabilities.on_unknown is OnUnknown.KEYED
    async with StandIn(200, status("REJECTED_DUPLICATE_MESSAGE_ID", 5, None)).running() as base:
        assert await sent(adapter(base), SUBJECT.message) == MESSAGE_ID


@pytest.mark.parametrize(
    ("name", "group", "error", "retryable", "ours"),
    [
        ("REJECTED_DND", 5, OK.OPTED_OUT, False, False),
        ("REJECTED_PREFIX_MISSING", 5, OK.BAD_ADDRESS, False, False),
        ("REJECTED_DESTINATION", 5, OK.BAD_ADDRESS, False, False),
        ("REJECTED_INVALID_DESTINATION", 5, OK.BAD_ADDRESS, False, False),
        ("MISSING_TO", 5, OK.BAD_ADDRESS, False, False),
        ("REJECTED_MESSAGE_TOO_LONG", 5, OK.TOO_LONG, False, False),
        ("REJECTED_NETWORK", 5, OK.REFUSED, False, True),
        ("REJECTED_SOURCE", 5, OK.REFUSED, False, True),
        ("REJECTED_SENDER", 5, OK.REFUSED, False, True),
        ("REJECTED_NOT_ENOUGH_CREDITS", 5, OK.REFUSED, False, True),
        ("REJECTED_PREPAID_PACKAGE_EXPIRED", 5, OK.REFUSED, False, True),
        ("REJECTED_DESTINATION_NOT_REGISTERED", 5, OK.REFUSED, False, True),
        ("REJECTED_ROUTE_NOT_AVAILABLE", 5, OK.REFUSED, False, True),
        ("REJECTED_FLOODING_FILTER", 5, OK.THROTTLED, True, False),
        ("REJECTED_SYSTEM_ERROR", 5, OK.PROVIDER_DOWN, True, False),
        ("UNDELIVERABLE_REJECTED_OPERATOR", 2, OK.REFUSED, False, False),
        ("EXPIRED_EXPIRED", 4, OK.REFUSED, False, False),
        ("REJECTED_BY_THE_MOON", 5, OK.REFUSED, False, False),
    ],
)
async def test_statuses(name: str, group: int, error: SendErrorCode, *, retryable: bool, ours: bool) -> None:
    async with StandIn(200, status(name, group)).running() as base:
        assert told(await failure(adapter(base), SUBJECT.message)) == (error, retryable, False, ours, name)


@pytest.mark.parametrize(
    ("code", "document", "expected"),
    [
        (401, {"errorCode": "E401", "description": "no", "violations": []}, (OK.BAD_CREDENTIALS, False, False, True, "E401")),
        (
            401,
            {"requestError": {"serviceException": {"messageId": "UNAUTHORIZED", "text": "Invalid login details"}}},
            (OK.BAD_CREDENTIALS, False, False, True, "UNAUTHORIZED"),
        ),
        (403, {"errorCode": "E403"}, (OK.BAD_CREDENTIALS, False, False, True, "E403")),
        (400, {"errorCode": "E400"}, (OK.REFUSED, False, False, False, "E400")),
        (400, {"errorCode": 5, "requestError": []}, (OK.REFUSED, False, False, False, "400")),
        (429, {"errorCode": "E429"}, (OK.THROTTLED, True, False, False, "E429")),
        (500, {"errorCode": "E500"}, (OK.PROVIDER_DOWN, True, False, False, "E500")),
        (500, {}, (OK.PROVIDER_DOWN, True, True, False, "500")),
        (200, {"messages": []}, (OK.UNREADABLE_ANSWER, True, True, False, "")),
        (200, {"messages": [5]}, (OK.UNREADABLE_ANSWER, True, True, False, "")),
        (200, {"messages": [{"status": 1}]}, (OK.UNREADABLE_ANSWER, True, True, False, "")),
        (200, {"messages": [{"messageId": 5, "status": {}}]}, (OK.UNREADABLE_ANSWER, True, True, False, "")),
    ],
)
async def test_refusals(code: int, document: object, expected: tuple[Any, ...]) -> None:
    async with StandIn(code, document).running() as base:
        assert told(await failure(adapter(base), SUBJECT.message)) == expected
