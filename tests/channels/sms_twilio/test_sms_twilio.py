"""Twilio beyond conformance: TwiML, what is posted to the API, its error codes, JSON bodies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from urllib.parse import parse_qs, urlencode

import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator

from channels.sms_twilio import SmsTwilio, make
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import AuthenticationFailed, Media, RawRequest, UnreadableRequest
from core.model.outbound import Answer, Reply, SendError, SendErrorCode
from tests.channels.sms_twilio.subject import ACCOUNT, HERE, NEW, SID, SUBJECT, adapter, fields, request, settings, signed
from tests.conformance.subject import MESSAGE_ID, NOWHERE, PUBLIC_URL, saying

CALLBACK = f"{PUBLIC_URL}?m={MESSAGE_ID}"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def twiml(*texts: str) -> str:
    return adapter(NOWHERE).acknowledge([saying(SUBJECT.message, text) for text in texts]).body.decode()


def test_twiml() -> None:
    assert adapter(NOWHERE).acknowledge([]) == Answer(content_type="text/xml; charset=utf-8", body=f"{HEAD}<Response/>".encode())
    message = f'<Message statusCallback="{CALLBACK}">%s</Message>'
    assert twiml("Hi") == f"{HEAD}<Response>{message % 'Hi'}</Response>"
    assert twiml("a < b & c > d") == f"{HEAD}<Response>{message % 'a &lt; b &amp; c &gt; d'}</Response>"
    assert twiml("Hi", "you") == f"{HEAD}<Response>{message % 'Hi'}{message % 'you'}</Response>"


def test_a_long_reply_becomes_several_messages_and_reports_once() -> None:
    text = "word " * 700
    answer = twiml(text)
    assert SUBJECT.texts_of is not None
    texts = SUBJECT.texts_of(Answer(content_type="text/xml; charset=utf-8", body=answer.encode()))
    assert "".join(texts) == text
    assert len(texts) == 3
    assert answer.count("statusCallback") == 1
    assert answer.rindex("statusCallback") > answer.rindex("</Message><Message")


def test_replies_by_rest_are_not_in_the_answer() -> None:
    can = adapter(NOWHERE, replies="rest").capabilities
    assert not can.inline_reply
    assert can.delivery_reports
    assert adapter(NOWHERE).capabilities.inline_reply


def by_get(form: dict[str, str]) -> RawRequest:
    """Return a message as Twilio brings it to a number whose webhook is set to GET; its own library signs the whole address."""
    url = f"{PUBLIC_URL}?{urlencode(form)}"
    signature = RequestValidator(NEW).compute_signature(url, {})
    return RawRequest("GET", url, {"x-twilio-signature": signature}, b"", 1_767_225_600_000, "127.0.0.1")


def test_a_number_whose_webhook_is_called_by_get() -> None:
    asked = by_get(fields("a b&c=1 é 😀"))
    adapter(NOWHERE).authenticate(asked)
    assert adapter(NOWHERE).parse(asked) == adapter(NOWHERE).parse(request(fields("a b&c=1 é 😀")))
    for forged in (
        replace(asked, url=asked.url.replace("Body=a", "Body=z")),
        replace(asked, url=f"{asked.url}&From=%2B254711000999"),
        replace(asked, headers={}),
        replace(asked, method="POST"),
        replace(request(fields("a b")), headers=asked.headers),
    ):
        with pytest.raises(AuthenticationFailed):
            adapter(NOWHERE).authenticate(forged)


class Api:
    """An API that answers every call with the same status and document."""

    def __init__(self, status: int, document: object, headers: dict[str, str] | None = None) -> None:
        self.status, self.document, self.headers = status, document, headers
        self.calls: list[tuple[str, dict[str, str], dict[str, list[str]]]] = []

    async def answer(self, call: web.Request) -> web.Response:
        self.calls.append((call.path, dict(call.headers), parse_qs(await call.text())))
        return web.json_response(self.document, status=self.status, headers=self.headers)


@pytest.fixture
async def attempt() -> AsyncIterator[object]:
    """Return a function that sends one message against an `Api`."""
    runners: list[web.AppRunner] = []
    adapters: list[SmsTwilio] = []

    async def send(api: Api, text: str = "hello") -> str:
        app = web.Application()
        app.router.add_post("/{path:.*}", api.answer)
        runner = web.AppRunner(app)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        adapters.append(adapter(f"http://{host}:{port}/"))
        return (await adapters[-1].send(saying(SUBJECT.message, text))).external_id

    yield send
    for made in adapters:
        await made.close()
    for runner in runners:
        await runner.cleanup()


async def test_what_is_posted(attempt: object) -> None:
    api = Api(201, {"sid": SID, "status": "queued"})
    assert await attempt(api, "Salio lako: “250” & zaidi 👍") == SID  # type: ignore[operator]
    ((path, headers, form),) = api.calls
    assert path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert headers["Authorization"].startswith("Basic ")
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert form == {
        "To": ["+254711000111"],
        "From": [HERE.value],
        "Body": ['Salio lako: "250" & zaidi 👍'],
        "StatusCallback": [CALLBACK],
    }


@pytest.mark.parametrize(
    ("status", "code", "error", "retryable", "ours", "wait"),
    [
        (400, 21610, SendErrorCode.OPTED_OUT, False, False, None),
        (400, 21211, SendErrorCode.BAD_ADDRESS, False, False, None),
        (400, 21614, SendErrorCode.BAD_ADDRESS, False, False, None),
        (400, 21617, SendErrorCode.TOO_LONG, False, False, None),
        (401, 20003, SendErrorCode.BAD_CREDENTIALS, False, True, None),
        (404, 20404, SendErrorCode.REFUSED, False, True, None),
        (400, 21606, SendErrorCode.REFUSED, False, True, None),
        (400, 21408, SendErrorCode.REFUSED, False, True, None),
        (400, 99999, SendErrorCode.REFUSED, False, False, None),
        (429, 20429, SendErrorCode.THROTTLED, True, False, 7.0),
        (400, 21611, SendErrorCode.THROTTLED, True, False, 7.0),
        (500, 20500, SendErrorCode.PROVIDER_DOWN, True, False, 7.0),
    ],
)
async def test_error_codes(attempt: object, status: int, code: int, error: str, *, retryable: bool, ours: bool, wait: float | None) -> None:
    api = Api(status, {"code": code, "message": "no", "status": status}, {"Retry-After": "7"})
    with pytest.raises(SendError) as caught:
        await attempt(api)  # type: ignore[operator]
    found = caught.value
    assert (found.code, found.retryable, found.unknown, found.ours, found.retry_after_s) == (error, retryable, False, ours, wait)
    assert found.provider_code == str(code)


@pytest.mark.parametrize("document", [{}, {"sid": None}, {"sid": 5}, {"sid": ""}, [], "SM1", None, {"sid": SID, "date_created": "never"}])
async def test_a_success_that_cannot_be_read_is_unknown(attempt: object, document: object) -> None:
    if isinstance(document, dict) and document.get("sid") == SID:
        assert await attempt(Api(201, document)) == SID  # type: ignore[operator]
        return
    with pytest.raises(SendError) as caught:
        await attempt(Api(201, document))  # type: ignore[operator]
    assert (caught.value.code, caught.value.unknown) == (SendErrorCode.UNREADABLE_ANSWER, True)


@pytest.mark.parametrize("code", [None, "21610", True, 21610.0, [], {}])
async def test_a_code_that_is_no_number_is_none(attempt: object, code: object) -> None:
    with pytest.raises(SendError) as caught:
        await attempt(Api(400, {"code": code}))  # type: ignore[operator]
    assert (caught.value.code, caught.value.provider_code) == (SendErrorCode.REFUSED, "400")


async def test_media_cannot_be_sent() -> None:
    message = replace(SUBJECT.message, reply=Reply("look", media=(Media("image", "https://shop.example/a.png"),)))
    with pytest.raises(SendError) as caught:
        await adapter(NOWHERE).send(message)
    assert caught.value.code is SendErrorCode.UNSUPPORTED


def test_a_json_body_is_believed_by_its_hash_and_then_kept_unread() -> None:
    body = b'{"a": 1}'
    url = f"{PUBLIC_URL}?bodySHA256={sha256(body).hexdigest()}"
    what = signed(replace(request({}, url), body=body, headers={"content-type": "application/json"}))
    adapter(NOWHERE).authenticate(what)
    with pytest.raises(UnreadableRequest, match="content_type"):
        adapter(NOWHERE).parse(what)
    unsigned = replace(what, headers={"content-type": "application/json"})
    for changed in (replace(what, body=b'{"a": 2}'), replace(what, url=PUBLIC_URL), unsigned):
        with pytest.raises(AuthenticationFailed):
            adapter(NOWHERE).authenticate(changed)


def test_a_status_callback_must_be_about_our_number() -> None:
    form = {"MessageSid": SID, "MessageStatus": "sent", "AccountSid": ACCOUNT, "To": "+254711000111", "From": HERE.value}
    adapter(NOWHERE).authenticate(signed(request(form)))
    with pytest.raises(AuthenticationFailed, match="other_number"):
        adapter(NOWHERE).authenticate(signed(request({**form, "From": "+254711000999", "To": HERE.value})))


def test_an_unknown_repeated_field_does_no_harm_and_a_known_one_does() -> None:
    what = request(fields("hi"))
    with pytest.raises(AuthenticationFailed, match="repeated_field: Body"):
        adapter(NOWHERE).authenticate(signed(replace(what, body=what.body + b"&Body=hi")))
    adapter(NOWHERE).authenticate(signed(replace(what, body=what.body + b"&FutureField=1&FutureField=1")))


def test_a_replay_cannot_pass_as_a_new_message() -> None:
    what = signed(request(fields("hi")))
    forged = replace(what, body=what.body.replace(f"MessageSid={SID}&A".encode(), f"MessageSid={SID}NumMedia0&A".encode()))
    forged = replace(forged, body=forged.body.replace(b"NumMedia=0&", b""))
    assert signed(forged) == forged, "the signature does not show the difference, so something else must"
    adapter(NOWHERE).authenticate(forged)
    with pytest.raises(UnreadableRequest, match="bad_message_sid"):
        adapter(NOWHERE).parse(forged)


def test_settings_without_a_secret_are_refused() -> None:
    for changed in ({"auth_token": ()}, {"auth_token": ("",)}, {"auth_token": (NEW, "")}, {"account_sid": ""}):
        with pytest.raises(ValueError, match="must not be empty"):
            settings(**changed)


@pytest.mark.parametrize(
    ("address", "base"), [(Address(AddressKind.ALIAS, "Parley"), NOWHERE), (HERE, "simulator"), (HERE, "api.twilio.com")]
)
def test_an_adapter_that_could_not_work_is_not_made(address: Address, base: str) -> None:
    with pytest.raises(ValueError, match=r"must be a web address|phone number or short code"):
        make(ChannelId("sms"), address, settings(api_base=base), PUBLIC_URL, "KE")


@pytest.mark.parametrize(
    ("mms", "public_url", "able"), [(False, PUBLIC_URL, False), (True, PUBLIC_URL, True), (True, "http://x.example/c", False)]
)
def test_files_go_only_where_the_number_can_and_twilio_can_fetch_them(*, mms: bool, public_url: str, able: bool) -> None:
    capabilities = make(ChannelId("sms"), HERE, settings(mms=mms), public_url, "KE").capabilities
    assert (bool(capabilities.media), capabilities.file_limits.by_address) == (able, True)
