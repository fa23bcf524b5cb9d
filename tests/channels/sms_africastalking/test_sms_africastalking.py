"""Africa's Talking beyond conformance: what is posted, its codes for a recipient, its answers that are no success."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest

from core.model.inbound import ContactSignal, Media, UnreadableRequest
from core.model.outbound import Reply, SendErrorCode
from tests.channels.sms_africastalking.subject import API, ID, SUBJECT, adapter, request
from tests.channels.stand_in import StandIn, failure, sent, told
from tests.conformance.subject import NOWHERE, saying

OK, NO = SendErrorCode, False


def said(code: object, message_id: object = "None", *, status: str = "x") -> dict[str, Any]:
    return {"SMSMessageData": {"Message": "Sent", "Recipients": [{"statusCode": code, "status": status, "messageId": message_id}]}}


async def test_what_is_posted() -> None:
    provider = StandIn(201, said(100, ID))
    async with provider.running() as base:
        assert await sent(adapter(base), saying(SUBJECT.message, "Salio: “250” & zaidi 👍")) == ID
    (call,) = provider.calls
    assert (call.method, call.target) == ("POST", "/version1/messaging")
    assert call.headers["apikey"] == API
    assert call.headers["accept"] == "application/json"
    assert parse_qs(call.body) == {
        "username": ["operator"],
        "to": ["+254711000111"],
        "from": ["12345"],
        "message": ['Salio: "250" & zaidi 👍'],
    }


@pytest.mark.parametrize("code", [100, 101, 102])
async def test_taken(code: int) -> None:
    async with StandIn(201, said(code, ID)).running() as base:
        assert await sent(adapter(base), SUBJECT.message) == ID


@pytest.mark.parametrize(
    ("code", "error", "retryable", "ours"),
    [
        (401, OK.REFUSED, False, False),
        (402, OK.REFUSED, False, True),
        (403, OK.BAD_ADDRESS, False, False),
        (404, OK.BAD_ADDRESS, False, False),
        (405, OK.REFUSED, False, True),
        (406, OK.OPTED_OUT, False, False),
        (407, OK.REFUSED, False, False),
        (409, OK.REFUSED, False, False),
        (500, OK.PROVIDER_DOWN, True, False),
        (501, OK.PROVIDER_DOWN, True, False),
        (502, OK.REFUSED, False, False),
        (777, OK.REFUSED, False, False),
    ],
)
async def test_codes_of_a_recipient(code: int, error: SendErrorCode, *, retryable: bool, ours: bool) -> None:
    async with StandIn(409 if code == 409 else 201, said(code)).running() as base:
        assert told(await failure(adapter(base), SUBJECT.message)) == (error, retryable, False, ours, str(code))


async def test_a_sender_that_is_refused_leaves_no_recipient() -> None:
    async with StandIn(201, {"SMSMessageData": {"Message": "InvalidSenderId", "Recipients": []}}).running() as base:
        assert told(await failure(adapter(base), SUBJECT.message)) == (OK.REFUSED, False, False, True, "402")


async def test_a_wrong_key_is_answered_in_plain_text() -> None:
    async with StandIn(401, text="The supplied authentication is invalid").running() as base:
        assert told(await failure(adapter(base), SUBJECT.message)) == (OK.BAD_CREDENTIALS, False, False, True, "401")


@pytest.mark.parametrize(
    "document",
    [{}, {"SMSMessageData": []}, {"SMSMessageData": {"Recipients": []}}, said(101), said(101, 5), said("101", None), said(True, "")],
)
async def test_a_success_that_names_no_message_is_unknown(document: object) -> None:
    async with StandIn(201, document).running() as base:
        error = await failure(adapter(base), SUBJECT.message)
    assert (error.code, error.unknown) == (OK.UNREADABLE_ANSWER, True)


async def test_media_cannot_be_sent() -> None:
    message = replace(SUBJECT.message, reply=Reply("look", media=(Media("image", "https://shop.example/a.png"),)))
    assert (await failure(adapter(NOWHERE), message)).code is OK.UNSUPPORTED


def test_an_opt_out_counts_once_a_day() -> None:
    what = request({"senderId": "12345", "phoneNumber": "+254711000111"})
    (first,) = adapter(NOWHERE).parse(what)
    (again,) = adapter(NOWHERE).parse(replace(what, received_at=what.received_at + 1_000))
    (later,) = adapter(NOWHERE).parse(replace(what, received_at=what.received_at + 86_400_000))
    assert isinstance(first, ContactSignal)
    assert first == again != later
    with pytest.raises(UnreadableRequest, match="bad_number"):
        adapter(NOWHERE).parse(request({"senderId": "12345", "phoneNumber": "nobody"}))
