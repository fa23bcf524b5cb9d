"""Plivo beyond conformance: signatures against its own library's values, accounts and subaccounts, what is posted, its refusals."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from channels.sms_plivo import check_signature
from core.model.inbound import AuthenticationFailed, DeliveryReport, InboundMessage, Media, RawRequest
from core.model.outbound import SendErrorCode
from tests.channels.sms_plivo.subject import ACCOUNT, HERE, NEW, OLD, SUBJECT, UUID, adapter, request, said, signed
from tests.channels.stand_in import StandIn, failure, sent, told
from tests.conformance.subject import MESSAGE_ID, NOWHERE, PUBLIC_URL, saying

OK = SendErrorCode
TOKEN = "my_auth_token"
MESSAGE = {"From": "14151234567", "To": "14157654321", "Text": "Hello & hello=ü", "Type": "sms", "MessageUUID": UUID}


@pytest.mark.parametrize(
    ("version", "method", "url", "form", "value"),
    [
        ("v2", "POST", "https://answer.url", {}, "ehV3IKhLysWBxC1sy8INm0qGoQYdYsHwuoKjsX7FsXc="),
        ("v2", "POST", "https://answer.url?m=1", {"a": "b"}, "ehV3IKhLysWBxC1sy8INm0qGoQYdYsHwuoKjsX7FsXc="),
        ("v3", "POST", "https://answer.url", {}, "2tUVd+6dOTo/13hSmD0yrftTKb57pVvy0kxqkPKxcqk="),
        ("v3", "POST", "https://answer.url/sms", MESSAGE, "MgZf99Kr6dXV+qMHW1x9J3bBgXjEMsB1sHlw/KuInew="),
        (
            "v3",
            "POST",
            "https://answer.url/sms?m=1&b=x%20y",
            {"From": "1", "To": "2", "Text": "Hi"},
            "1yQ6EEhnYT8wq1ly5dyLRIzu6cEVaFs4MnD0X3oA6Bc=",
        ),
        ("v3", "POST", "https://answer.url/sms?m=1", {}, "l3C3s8y8w5hUYhD1WR7sKGxgmFOXSzJZ5FQAM8T3fO8="),
        ("v3", "GET", "https://answer.url/sms?To=2&Text=a%26b&From=1", {}, "csaZqslMA+qyExKksQGTT/I174IMNPl/4T6fPFIiGDY="),
        ("v3", "POST", "https://answer.url/sms", {"A": ("2", "1"), "From": "1"}, "kE8Avn4uneyv7F6drPxc1izMtI6W3Ay1uDb0EeKyFRI="),
    ],
)
def test_signatures_of_their_library(version: str, method: str, url: str, form: Mapping[str, Any], value: str) -> None:
    fields = {name: (content,) if isinstance(content, str) else content for name, content in form.items()}
    headers = {f"x-plivo-signature-{version}": value, f"x-plivo-signature-{version}-nonce": "12345"}
    what = RawRequest(method, url, headers, b"", 0)
    check_signature([TOKEN], what, fields, version)
    with_port = replace(what, url=url.replace("answer.url", "answer.url:443"))
    check_signature(["other", TOKEN], with_port, fields, version)
    with pytest.raises(AuthenticationFailed, match="bad_signature"):
        check_signature(["my_auth_tokens"], what, fields, version)
    with pytest.raises(AuthenticationFailed, match="bad_signature"):
        check_signature([TOKEN], replace(what, url=url.replace("answer", "ansver")), fields, version)


def test_one_of_several_signatures_is_enough() -> None:
    what = request(said("hello"))
    good = signed(what).headers["x-plivo-signature-v3"]
    for header in ("x-plivo-signature-v3", "x-plivo-signature-ma-v3"):
        for value in (good, f"abc=,{good}", f"{good} , abc="):
            adapter(NOWHERE).authenticate(replace(signed(what), headers={**signed(what, "x").headers, header: value}))


def test_the_second_signature_counts_only_where_it_is_asked_for() -> None:
    form = request(said("hello"), f"{PUBLIC_URL}?m={MESSAGE_ID}")
    headers = {**form.headers, "x-plivo-signature-v2-nonce": "12345"}
    from_main = replace(form, headers={**headers, "x-plivo-signature-ma-v2": v2(PUBLIC_URL, OLD)})
    adapter(NOWHERE, signature="v2").authenticate(from_main)
    with pytest.raises(AuthenticationFailed, match="missing_signature"):
        adapter(NOWHERE).authenticate(from_main)
    with pytest.raises(AuthenticationFailed, match="bad_signature"):
        adapter(NOWHERE, signature="v2").authenticate(replace(form, headers={**headers, "x-plivo-signature-v2": v2(NOWHERE, OLD)}))


def v2(url: str, token: str) -> str:
    return b64encode(hmac.new(token.encode(), f"{url}12345".encode(), "sha256").digest()).decode()


def test_a_report_gives_our_id_back() -> None:
    form = {"From": "14157654321", "To": "14151234567", "Status": "delivered", "MessageUUID": UUID, "ErrorCode": "000"}
    what = signed(request(form, f"{PUBLIC_URL}?m={MESSAGE_ID}"))
    adapter(NOWHERE).authenticate(what)
    assert adapter(NOWHERE).parse(what) == [DeliveryReport(UUID, "delivered", message_id=MESSAGE_ID)]
    with pytest.raises(AuthenticationFailed, match="bad_signature"):
        adapter(NOWHERE).authenticate(replace(what, url=PUBLIC_URL))
    with pytest.raises(AuthenticationFailed, match="other_number"):
        adapter(NOWHERE).authenticate(signed(request({**form, "From": "14157654322"})))


def test_pictures_stay_at_plivo() -> None:
    form = said(
        "", Type="mms", Media0="https://media.plivo.com/a.jpg", Media1="file:///etc/passwd", Media2="https://media.plivo.com/" + "a" * 3_000
    )
    (event,) = adapter(NOWHERE).parse(request(form))
    assert isinstance(event, InboundMessage)
    assert event.media == (Media("document", "https://media.plivo.com/a.jpg"),)


async def test_what_is_posted() -> None:
    provider = StandIn(202, {"message": "message(s) queued", "message_uuid": [UUID, "other"], "api_id": "x"})
    async with provider.running() as base:
        assert await sent(adapter(base), saying(SUBJECT.message, "Solde: “250” & plus 👍")) == UUID
    (call,) = provider.calls
    assert (call.method, call.target) == ("POST", f"/v1/Account/{ACCOUNT}/Message/")
    scheme, _, credentials = call.headers["authorization"].partition(" ")
    assert (scheme, b64decode(credentials).decode()) == ("Basic", f"{ACCOUNT}:{NEW}")
    assert json.loads(call.body) == {
        "src": HERE.value[1:],
        "dst": "14151234567",
        "text": 'Solde: "250" & plus 👍',
        "type": "sms",
        "url": f"{PUBLIC_URL}?m={MESSAGE_ID}",
        "method": "POST",
    }


@pytest.mark.parametrize(("text", "fits"), [("a" * 1_600, True), ("б" * 737, True), ("б" * 738, False), ("👍" * 369, False)])
async def test_texts_outside_the_gsm_alphabet_are_shorter(text: str, *, fits: bool) -> None:
    async with StandIn(202, {"message_uuid": [UUID]}).running() as base:
        if fits:
            assert await sent(adapter(base), saying(SUBJECT.message, text)) == UUID
        else:
            assert (await failure(adapter(base), saying(SUBJECT.message, text))).code is OK.TOO_LONG


@pytest.mark.parametrize(
    ("status", "document", "expected"),
    [
        (400, {"api_id": "x", "error": "src and dst cannot be same"}, (OK.REFUSED, False, False, False, "400")),
        (400, {"api_id": "x", "error": "Insufficient Credit"}, (OK.REFUSED, False, False, True, "insufficient_credit")),
        (401, {"error": "Could not verify your access level for that URL"}, (OK.BAD_CREDENTIALS, False, False, True, "401")),
        (404, {"error": "not found"}, (OK.REFUSED, False, False, False, "404")),
        (429, {"error": "rate limited"}, (OK.THROTTLED, True, False, False, "429")),
        (500, {"error": "server error"}, (OK.PROVIDER_DOWN, True, False, False, "500")),
        (202, {"message_uuid": [], "invalid_number": ["1415"]}, (OK.BAD_ADDRESS, False, False, False, "invalid_number")),
        (202, {"message_uuid": []}, (OK.UNREADABLE_ANSWER, True, True, False, "")),
        (202, {"message_uuid": "x"}, (OK.UNREADABLE_ANSWER, True, True, False, "")),
        (202, {"message_uuid": [5]}, (OK.UNREADABLE_ANSWER, True, True, False, "")),
    ],
)
async def test_refusals(status: int, document: object, expected: tuple[Any, ...]) -> None:
    async with StandIn(status, document).running() as base:
        assert told(await failure(adapter(base), SUBJECT.message)) == expected
