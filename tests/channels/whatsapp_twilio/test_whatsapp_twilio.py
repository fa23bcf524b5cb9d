"""WhatsApp beyond conformance: what is posted to the API, buttons, attachments, and the 24 hours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator

from channels.whatsapp_twilio import make
from core.clock import Clock
from core.model.address import Address, AddressKind
from core.model.capabilities import ChoiceStyle
from core.model.ids import ChannelId
from core.model.inbound import Media
from core.model.outbound import Choice, OutboundMessage, Reply, SendError, SendErrorCode
from tests.channels.demo import demo_with
from tests.channels.whatsapp_twilio.subject import ACCOUNT, HERE, NEW, SID, SUBJECT, adapter, settings
from tests.conformance.subject import MESSAGE_ID, NOWHERE, PUBLIC_URL
from tests.gateway.running import running

BUTTONS = tuple(f"HX{number:032x}" for number in (1, 2, 3))
TEMPLATE = f"HX{9:032x}"
CHOICES = (Choice("1", "Balance", "a8f3c2:1"), Choice("2", "Top up", "a8f3c2:2"))
Form = dict[str, list[str]]


class Api:
    """An API that takes messages, but refuses free text once the 24 hours are over."""

    def __init__(self) -> None:
        self.closed = False
        self.refusal: tuple[int, int] | None = None
        self.forms: list[Form] = []
        self.base = ""

    async def answer(self, call: web.Request) -> web.Response:
        form = parse_qs(await call.text())
        self.forms.append(form)
        status, code = self.refusal or ((400, 63016) if self.closed and "Body" in form else (201, 0))
        if code:
            return web.json_response({"code": code, "message": "no", "status": status}, status=status)
        return web.json_response({"sid": SID, "status": "queued"}, status=201)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Api]:
        app = web.Application()
        app.router.add_post(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", self.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        self.base = f"http://{host}:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with Api().running() as running:
        yield running


def message(reply: Reply, heard_ms_ago: int | None = 1_000) -> OutboundMessage:
    heard_at = None if heard_ms_ago is None else Clock().now_ms() - heard_ms_ago
    return replace(SUBJECT.message, reply=reply, heard_at=heard_at)


async def sent(api: Api, what: OutboundMessage, **changed: object) -> Form:
    """Send one message and return the form that the API got."""
    made = adapter(api.base, **changed)
    try:
        assert (await made.send(what)).external_id == SID
    finally:
        await made.close()
    return api.forms[-1]


async def refused(api: Api, what: OutboundMessage, **changed: object) -> SendError:
    with pytest.raises(SendError) as caught:
        await sent(api, what, **changed)
    return caught.value


async def test_what_is_posted(api: Api) -> None:
    assert await sent(api, message(Reply("Salio: “250” 👍"))) == {
        "To": ["whatsapp:+254711000111"],
        "From": [f"whatsapp:{HERE.value}"],
        "Body": ["Salio: “250” 👍"],
        "StatusCallback": [f"{PUBLIC_URL}?m={MESSAGE_ID}"],
    }


async def test_buttons_are_sent_by_the_content_with_as_many(api: Api) -> None:
    form = await sent(api, message(Reply("What next?", CHOICES)), button_sids=BUTTONS)
    assert form["ContentSid"] == [BUTTONS[1]]
    assert json.loads(form["ContentVariables"][0]) == {"1": "What next?", "2": "Balance", "3": "a8f3c2:1", "4": "Top up", "5": "a8f3c2:2"}
    assert "Body" not in form
    assert "MediaUrl" not in form


@pytest.mark.parametrize(
    "reply",
    [
        Reply("What next?", (*CHOICES, Choice("3", "A label that no button can hold", "a8f3c2:3"))),
        Reply("What next?", (*CHOICES, Choice("3", "two\nlines", "a8f3c2:3"))),
        Reply("What next?", tuple(Choice(str(key), f"Plan {key}", f"a8f3c2:{key}") for key in range(1, 5))),
        Reply("x" * 1_025, CHOICES),
    ],
)
async def test_options_that_fit_no_button_are_lines(api: Api, reply: Reply) -> None:
    form = await sent(api, message(reply), button_sids=BUTTONS)
    assert form["Body"] == ["\n".join([reply.text, *(f"{choice.key} {choice.label}" for choice in reply.choices)])]


def test_buttons_are_offered_where_they_are_configured() -> None:
    without, with_three = adapter(NOWHERE).capabilities, adapter(NOWHERE, button_sids=BUTTONS).capabilities
    assert without.choices is ChoiceStyle.NUMBERED
    assert (with_three.choices, with_three.choices_max) == (ChoiceStyle.BUTTONS, 3)


async def test_an_attachment_goes_by_its_address(api: Api) -> None:
    picture = Media("image", "https://shop.example/a.png")
    form = await sent(api, message(Reply("Look", CHOICES, (picture,))), button_sids=BUTTONS)
    assert (form["MediaUrl"], form["Body"]) == (["https://shop.example/a.png"], ["Look\n1 Balance\n2 Top up"])
    plain = Media("image", "http://shop.example/a.png")
    for media in ((picture, picture), (Media("image"),), (Media("image", "file:///etc/passwd"),), (plain,)):
        assert (await refused(api, message(Reply("Look", (), media)))).code is SendErrorCode.UNSUPPORTED
    assert len(api.forms) == 1


async def test_text_after_the_24_hours_is_refused_clearly(api: Api) -> None:
    api.closed = True
    error = await refused(api, message(Reply("Hello")))
    assert (error.code, error.retryable, error.ours, error.provider_code) == (SendErrorCode.REFUSED, False, False, "63016")
    assert "24 hours" in error.detail


@pytest.mark.parametrize("heard_ms_ago", [None, 24 * 3_600_000])
async def test_after_the_24_hours_it_is_the_template_at_once(api: Api, heard_ms_ago: int | None) -> None:
    api.closed = True
    reply = Reply("Your fault\nis  repaired.", CHOICES)
    form = await sent(api, message(reply, heard_ms_ago), template_sid=TEMPLATE)
    assert form["ContentSid"] == [TEMPLATE]
    assert json.loads(form["ContentVariables"][0]) == {"1": "Your fault is repaired. 1 Balance 2 Top up"}
    assert len(api.forms) == 1


async def test_within_the_24_hours_it_is_text_and_a_refusal_asks_for_the_template(api: Api) -> None:
    assert "Body" in await sent(api, message(Reply("Hello"), 23 * 3_600_000), template_sid=TEMPLATE)
    api.closed = True
    error = await refused(api, message(Reply("Hello")), template_sid=TEMPLATE)
    assert error.provider_code in adapter(api.base, template_sid=TEMPLATE).capabilities.resend_codes
    assert adapter(api.base).capabilities.resend_codes == frozenset()


@pytest.mark.parametrize("reply", [Reply("x" * 1_025), Reply("a", (), (Media("image", "https://shop.example/a.png"),)), Reply(" ")])
async def test_what_no_template_can_hold_is_not_tried_again(api: Api, reply: Reply) -> None:
    api.closed = True
    assert not (await refused(api, message(reply), template_sid=TEMPLATE)).retryable
    api.closed = False
    assert "Body" in await sent(api, message(reply, None), template_sid=TEMPLATE)


@pytest.mark.parametrize(
    ("code", "error", "retryable", "ours"),
    [
        (63003, SendErrorCode.BAD_ADDRESS, False, False),
        (63024, SendErrorCode.BAD_ADDRESS, False, False),
        (63018, SendErrorCode.THROTTLED, True, False),
        (63007, SendErrorCode.REFUSED, False, True),
        (63028, SendErrorCode.REFUSED, False, True),
    ],
)
async def test_error_codes(api: Api, code: int, error: SendErrorCode, *, retryable: bool, ours: bool) -> None:
    api.refusal = (400, code)
    found = await refused(api, message(Reply("Hello")))
    assert (found.code, found.retryable, found.ours, found.provider_code) == (error, retryable, ours, str(code))


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 3 buttons"):
        settings(button_sids=(*BUTTONS, BUTTONS[0]))
    with pytest.raises(ValueError, match="must not be empty"):
        settings(auth_token=(NEW, ""))


@pytest.mark.parametrize(("address", "base"), [(Address(AddressKind.SHORT_CODE, "40404"), NOWHERE), (HERE, "simulator")])
def test_an_adapter_that_could_not_work_is_not_made(address: Address, base: str) -> None:
    with pytest.raises(ValueError, match=r"must be a web address|is a phone number"):
        make(ChannelId("whatsapp"), address, settings(api_base=base), PUBLIC_URL, "KE")


CHANNEL = f"""
[channels.whatsapp]
kind = "whatsapp_twilio"
address = "{HERE.value}"
account_sid = {{ generated = true }}
auth_token = {{ generated = true }}
api_base = "API"
button_sids = ["{BUTTONS[0]}", "{BUTTONS[1]}", "{BUTTONS[2]}"]
"""


async def test_a_talk_through_the_whole_gateway(tmp_path: Path) -> None:
    got: asyncio.Queue[Form] = asyncio.Queue()

    async def take(call: web.Request) -> web.Response:
        await got.put(parse_qs(await call.text()))
        return web.json_response({"sid": SID, "status": "queued"}, status=201)

    app = web.Application()
    app.router.add_post("/2010-04-01/Accounts/{account}/Messages.json", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    config = demo_with(tmp_path, CHANNEL.replace('"API"', f'"http://{host}:{port}"'))
    async with running(tmp_path / "data", config=config) as parley:
        configured = parley.gateway.channels["whatsapp"]

        async def hook(url: str, **form: str) -> None:
            fields = {"AccountSid": configured.settings.account_sid, **form}
            signature = RequestValidator(configured.settings.auth_token[0]).compute_signature(url, fields)
            async with parley.http.post(url, data=fields, headers={"X-Twilio-Signature": signature}) as answer:
                assert (answer.status, await answer.text()) == (200, '<?xml version="1.0" encoding="UTF-8"?><Response/>')

        ours, theirs = f"whatsapp:{HERE.value}", "whatsapp:+254711000111"
        await hook(configured.webhook_url, MessageSid="SM1", From=theirs, To=ours, Body="menu")
        form = await asyncio.wait_for(got.get(), 20)
        assert (form["From"], form["To"]) == ([ours], [theirs])
        assert "1 " in form["Body"][0], "five options fit no three buttons"
        await hook(form["StatusCallback"][0], MessageSid=SID, From=ours, To=theirs, MessageStatus="read", EventType="READ")
        assert await parley.rows("select status from message where direction = 'outbound'") == [("read",)]
        assert await parley.rows("select kind, value from contact_medium where kind = 'whatsapp'") == [("whatsapp", "+254711000111")]
    await runner.cleanup()
