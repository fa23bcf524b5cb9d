"""The Twilio stand-in against Twilio's own library, our adapter, and a webhook on a real port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from channels.sms_twilio import Settings, SmsTwilio, make
from core.clock import Clock
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId, MessageId
from core.model.inbound import DeliveryReport, InboundMessage, RawRequest
from core.model.outbound import OutboundMessage, Reply, SendError
from gateway.simulator.twilio import Fault, TwilioStandIn, make_app
from gateway.simulator.twilio_wire import Account, PhoneMessage

SID, TOKEN = "AC0123456789abcdef0123456789abcdef", "token-of-the-account-canary"
NUMBER, PHONE = "+254711082000", "+254711000111"
MESSAGE_ID = MessageId("0197a5f0-1111-8222-a333-444455556666")


async def serve(app: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    return runner, f"http://{host}:{port}"


@dataclass
class World:
    """A stand-in, a webhook that our adapter guards, and what both saw."""

    twilio: TwilioStandIn
    api: str = ""
    hook: str = ""
    adapter: SmsTwilio | None = None
    answer: Callable[[], list[OutboundMessage]] = list
    status: int = 200
    heard: list[object] = field(default_factory=list)
    shown: list[PhoneMessage] = field(default_factory=list)

    async def webhook(self, request: web.Request) -> web.Response:
        """Do what a gateway does with a request, without its store."""
        assert self.adapter is not None
        headers = {name.lower(): value for name, value in request.headers.items()}
        url = self.hook + (f"?{request.rel_url.raw_query_string}" if request.rel_url.raw_query_string else "")
        raw = RawRequest(request.method, url, headers, await request.read(), 0)
        self.adapter.authenticate(raw)
        form = {name: str(value) for name, value in (await request.post()).items()}
        assert RequestValidator(TOKEN).validate(url, form, headers["x-twilio-signature"])
        self.heard += self.adapter.parse(raw)
        answer = self.adapter.acknowledge(self.answer())
        return web.Response(status=self.status, body=answer.body, headers={"Content-Type": answer.content_type})


def adapter(world: World, timeout_s: float = 15.0) -> SmsTwilio:
    settings = Settings(account_sid=SID, auth_token=(TOKEN,), api_base=world.api, timeout_s=timeout_s)
    return make(ChannelId("sms"), Address(AddressKind.MSISDN, NUMBER), settings, world.hook, "KE")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World(TwilioStandIn(Clock()))
    gateway = web.Application()
    gateway.router.add_post("/c/sms/secret", world.webhook)
    api, world.api = await serve(make_app(world.twilio))
    edge, base = await serve(gateway)
    world.hook = f"{base}/c/sms/secret"
    world.adapter = adapter(world)
    world.twilio.connect(Account(SID, TOKEN, NUMBER, world.hook))

    async def show(message: PhoneMessage) -> None:
        world.shown.append(message)

    world.twilio.listen(show)
    yield world
    await world.twilio.close()
    await world.adapter.close()
    await edge.cleanup()
    await api.cleanup()


def reply(text: str) -> OutboundMessage:
    return OutboundMessage(MESSAGE_ID, Address(AddressKind.MSISDN, NUMBER), Address(AddressKind.MSISDN, PHONE), Reply(text))


async def send(world: World, text: str) -> str:
    assert world.adapter is not None
    return (await world.adapter.send(reply(text))).external_id


async def test_a_message_goes_out_and_is_reported_as_delivered(world: World) -> None:
    sid = await send(world, "Your balance is KES 250.00 “today”")
    await world.twilio.reported()
    assert [(message.body, message.status) for message in world.shown] == [
        ('Your balance is KES 250.00 "today"', status) for status in ("queued", "queued", "sent", "delivered")
    ]
    assert world.heard == [DeliveryReport(sid, status, MESSAGE_ID) for status in ("accepted", "sent", "delivered")]
    assert [exchange.what for exchange in world.twilio.exchanges] == ["api", "callback", "callback", "callback"]


async def test_a_persons_message_reaches_the_webhook_and_the_answer_reaches_the_phone(world: World) -> None:
    world.answer = lambda: [reply("1 < 2 & “so” on\nsecond line")]
    delivered = await world.twilio.deliver(PHONE, NUMBER, "balance & more 👍")
    await world.twilio.reported()
    assert delivered.status == 200
    message = world.heard[0]
    assert isinstance(message, InboundMessage)
    assert (message.text, message.external_id) == ("balance & more 👍", delivered.message.sid)
    assert [answer.body for answer in delivered.replies] == ['1 < 2 & "so" on\nsecond line']
    assert [report.status for report in world.heard[1:] if isinstance(report, DeliveryReport)] == ["accepted", "sent", "delivered"]
    assert [entry.body for entry in world.twilio.messages(PHONE)] == ["balance & more 👍", '1 < 2 & "so" on\nsecond line']
    assert world.twilio.messages(PHONE)[1].status == "delivered"


async def test_a_webhook_that_fails_or_is_away_gives_no_reply(world: World) -> None:
    world.answer, world.status = (lambda: [reply("never")]), 503
    assert (await world.twilio.deliver(PHONE, NUMBER, "x")).status == 503
    world.twilio.connect(Account(SID, TOKEN, NUMBER, "http://127.0.0.1:1/c/sms/secret"))
    gone = await world.twilio.deliver(PHONE, NUMBER, "x")
    assert (gone.status, gone.replies) == (0, ())
    with pytest.raises(KeyError):
        await world.twilio.deliver(PHONE, "+254711082999", "x")


async def test_exchanges_show_everything_but_the_password(world: World) -> None:
    await send(world, "hello")
    await world.twilio.deliver(PHONE, NUMBER, "hello back")
    await world.twilio.reported()
    by_kind = {exchange.what: exchange for exchange in world.twilio.exchanges}
    assert {exchange.phone for exchange in world.twilio.exchanges} == {PHONE}
    assert "Authorization: (hidden)" in by_kind["api"].request
    assert "Body=hello" in by_kind["api"].request
    assert '"status": "queued"' in by_kind["api"].answer
    assert "X-Twilio-Signature: " in by_kind["webhook"].request
    assert "<Response/>" in by_kind["webhook"].answer
    assert TOKEN not in repr(list(world.twilio.exchanges))


@pytest.mark.parametrize(
    ("fault", "code", "unknown", "provider_code", "taken"),
    [
        (Fault.THROTTLED, "throttled", False, "20429", 0),
        (Fault.DOWN, "provider_down", False, "20500", 0),
        (Fault.HANG, "timeout", True, "", 0),
        (Fault.LOST_ANSWER, "timeout", True, "", 1),
    ],
)
async def test_faults(world: World, fault: Fault, code: str, *, unknown: bool, provider_code: str, taken: int) -> None:
    world.twilio.fault = fault
    if fault is Fault.HANG:
        world.adapter = adapter(world, timeout_s=0.2)
    with pytest.raises(SendError) as caught:
        await send(world, "hello")
    assert (caught.value.code, caught.value.unknown, caught.value.provider_code) == (code, unknown, provider_code)
    await world.twilio.reported()
    assert len(world.twilio.messages(PHONE)) == taken
    assert len(world.heard) == 3 * taken, "a message that was taken is reported under our id although its answer was lost"


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"To": ""}, 400, 21604),
        ({"To": "12"}, 400, 21211),
        ({"From": ""}, 400, 21603),
        ({"From": "+254711082999"}, 400, 21606),
        ({"Body": ""}, 400, 21602),
        ({"Body": "x" * 1_601}, 400, 21617),
        ({"StatusCallback": "ftp://x"}, 400, 21609),
    ],
)
async def test_bad_parameters_are_refused_as_twilio_refuses_them(world: World, changed: dict[str, str], status: int, code: int) -> None:
    form = {"To": PHONE, "From": NUMBER, "Body": "hello", **changed}
    auth = aiohttp.encode_basic_auth(SID, TOKEN)
    async with aiohttp.ClientSession() as session:
        url = f"{world.api}/2010-04-01/Accounts/{SID}/Messages.json"
        async with session.post(url, data=form, headers={"Authorization": auth}) as answer:
            document = await answer.json()
    assert (answer.status, document["code"], document["status"]) == (status, code, status)
    assert document["more_info"].endswith(str(code))
    assert world.shown == []


async def test_people_who_told_the_network_to_stop_get_nothing(world: World) -> None:
    world.twilio.blocked.add(PHONE)
    with pytest.raises(SendError) as caught:
        await send(world, "hello")
    assert (caught.value.code, caught.value.provider_code) == ("opted_out", "21610")


async def test_twilios_own_library_is_content(world: World) -> None:
    def use(password: str) -> str:
        client = Client(SID, password)
        client.api.base_url = world.api
        message = client.messages.create(to=PHONE, from_=NUMBER, body="hello")
        assert (message.status, message.direction, message.num_segments) == ("queued", "outbound-api", "1")
        assert message.date_created is not None
        return str(message.sid)

    assert (await asyncio.to_thread(use, TOKEN)).startswith("SM")
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(use, "wrong")
    assert (caught.value.status, caught.value.code) == (401, 20003)


async def test_what_a_person_wrote_and_what_became_of_a_message_can_be_asked(world: World) -> None:
    began = Clock().now_ms() - 1_000
    assert world.adapter is not None
    sid = await send(world, "hello")
    await world.twilio.reported()
    for text in ("one", "two", "three"):
        await world.twilio.deliver(PHONE, NUMBER, text, media=(world.twilio.upload(NUMBER, "image/png", b"png"),))
    report = await world.adapter.look_up(MESSAGE_ID, sid, PHONE, began)
    assert report is not None
    assert (report.external_id, report.status) == (sid, "delivered")
    assert await world.adapter.look_up(MESSAGE_ID, "SM" + "0" * 32, PHONE, began) is None
    missed = await world.adapter.missed(began, "")
    found = [event for request in missed.requests for event in world.adapter.parse(request)]
    assert [event.text for event in found if isinstance(event, InboundMessage)] == ["one", "two", "three"]
    assert [event.media[0].content_type for event in found if isinstance(event, InboundMessage)] == ["image/png"] * 3


async def test_the_list_of_messages_has_pages_and_belongs_to_one_account(world: World) -> None:
    for number in range(5):
        await world.twilio.deliver(PHONE, NUMBER, str(number))
    headers = {"Authorization": aiohttp.encode_basic_auth(SID, TOKEN)}
    texts: list[str] = []
    path: str | None = f"/2010-04-01/Accounts/{SID}/Messages.json?PageSize=2&To=%2B254711082000"
    async with aiohttp.ClientSession() as session:
        while path:
            async with session.get(world.api + path, headers=headers) as answer:
                page = await answer.json()
            texts += [message["body"] for message in page["messages"]]
            path = page["next_page_uri"]
        for query, status in (("PageSize=x", 400), ("DateSent%3E=yesterday", 400), ("DateSent%3E=2200-01-01", 200)):
            async with session.get(f"{world.api}/2010-04-01/Accounts/{SID}/Messages.json?{query}", headers=headers) as answer:
                assert (answer.status, (await answer.json()).get("messages", [])) == (status, [])
        async with session.get(f"{world.api}/2010-04-01/Accounts/{SID}/Messages.json") as answer:
            assert answer.status == 401
    assert texts == ["4", "3", "2", "1", "0"]
