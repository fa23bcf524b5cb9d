"""The WhatsApp side of the stand-in for Twilio, against the adapter for WhatsApp: windows, templates, buttons, places, pictures, ticks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from channels.whatsapp_twilio import Settings, WhatsAppTwilio, make
from core.clock import Clock
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId, MessageId
from core.model.inbound import DeliveryReport, InboundEvent, InboundMessage, RawRequest
from core.model.outbound import Choice, OutboundMessage, Reply
from gateway.simulator.twilio import TwilioStandIn, make_app
from gateway.simulator.twilio_wire import Account, Content, PhoneMessage

SID, TOKEN, NUMBER, PHONE = "AC" + "1" * 32, "t0ken", "+254711082000", "+254700000001"
OURS, THEIRS = f"whatsapp:{NUMBER}", f"whatsapp:{PHONE}"
TWO, TEMPLATE = "HX" + "2" * 32, "HX" + "9" * 32
ONE = "HX" + "1" * 32


@dataclass
class World:
    twilio: TwilioStandIn
    adapter: WhatsAppTwilio = field(init=False)
    api: str = ""
    heard: list[InboundEvent] = field(default_factory=list)
    shown: list[PhoneMessage] = field(default_factory=list)

    async def webhook(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        raw = RawRequest("POST", str(request.url), headers, await request.read(), 0)
        self.adapter.authenticate(raw)
        self.heard += self.adapter.parse(raw)
        return web.Response(body=self.adapter.acknowledge(()).body, content_type="text/xml")

    async def send(self, reply: Reply, *, again: bool = False) -> PhoneMessage:
        ours, theirs = Address(AddressKind.MSISDN, NUMBER), Address(AddressKind.WHATSAPP, PHONE)
        heard_at = None if again else Clock().now_ms()  # what is sent again after a refusal is sent as if they were never heard of
        message = OutboundMessage(MessageId(Clock().new_id()), ours, theirs, reply, heard_at=heard_at)
        result = await self.adapter.send(message)
        await self.twilio.reported()
        return next(message for message in reversed(self.shown) if message.sid == result.external_id)

    async def post(self, **form: Any) -> tuple[int, dict[str, Any]]:
        auth = aiohttp.encode_basic_auth(SID, TOKEN)
        async with aiohttp.ClientSession() as http:
            url = f"{self.api}/2010-04-01/Accounts/{SID}/Messages.json"
            async with http.post(url, data={"To": THEIRS, "From": OURS, **form}, headers={"Authorization": auth}) as answer:
                return answer.status, await answer.json()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World(TwilioStandIn(Clock()))
    gateway = web.Application()
    gateway.router.add_post("/c/whatsapp/secret", world.webhook)
    async with TestServer(make_app(world.twilio)) as api, TestServer(gateway) as edge:
        world.api = str(api.make_url("")).rstrip("/")
        hook = str(edge.make_url("/c/whatsapp/secret"))
        world.twilio.files.base_url = world.api
        contents = {ONE: Content(1), TWO: Content(2), TEMPLATE: Content(0, approved=True)}
        world.twilio.connect(Account(SID, TOKEN, OURS, hook, contents))
        settings = Settings(
            account_sid=SID, auth_token=(TOKEN,), api_base=world.api, button_sids=(ONE, TWO), template_sid=TEMPLATE, timeout_s=5.0
        )
        world.adapter = make(ChannelId("whatsapp"), Address(AddressKind.MSISDN, NUMBER), settings, hook, "KE")

        async def show(message: PhoneMessage) -> None:
            world.shown.append(message)

        world.twilio.listen(show)
        yield world
        await world.twilio.close()
        await world.adapter.close()


def messages(world: World) -> list[InboundMessage]:
    return [event for event in world.heard if isinstance(event, InboundMessage)]


def reports(world: World) -> list[tuple[str, str | None]]:
    return [(event.status, event.code) for event in world.heard if isinstance(event, DeliveryReport)]


async def test_a_person_writes_reads_and_presses_a_button(world: World) -> None:
    await world.twilio.deliver(THEIRS, OURS, "hello")
    said = messages(world)[0]
    assert (said.sender, said.text, said.profile_name) == (Address(AddressKind.WHATSAPP, PHONE), "hello", "Customer 001")
    asked = await world.send(Reply("Pay?", choices=(Choice("1", "Yes", "t:yes"), Choice("2", "No", "t:no"))))
    assert (asked.body, asked.buttons, asked.status) == ("Pay?", (("Yes", "t:yes"), ("No", "t:no")), "delivered")
    await world.twilio.read(asked.sid)
    await world.twilio.read(asked.sid)
    assert [status for status, _ in reports(world)] == ["accepted", "sent", "delivered", "read"]
    extra = {"MessageType": "button", "ButtonText": "Yes", "ButtonPayload": "t:yes", "OriginalRepliedMessageSid": asked.sid}
    await world.twilio.deliver(THEIRS, OURS, "Yes", extra=extra)
    assert (messages(world)[1].choice, messages(world)[1].text) == ("t:yes", "Yes")


async def test_pictures_and_places_arrive_as_references(world: World) -> None:
    url = world.twilio.upload(OURS, "image/png", b"\x89PNG")
    await world.twilio.deliver(THEIRS, OURS, "", media=(url,))
    await world.twilio.deliver(THEIRS, OURS, "", extra={"Latitude": "-1.28", "Longitude": "36.81", "Label": "The mast"})
    picture, place = (message.media[0] for message in messages(world))
    assert (picture.kind, picture.url, picture.content_type) == ("image", url, "image/png")
    assert place.values == {"latitude": "-1.28", "longitude": "36.81", "label": "The mast"}
    async with aiohttp.ClientSession() as http:
        async with http.get(url) as answer:
            assert answer.status == 401
        async with http.get(url, headers={"Authorization": aiohttp.encode_basic_auth(SID, TOKEN)}) as answer:
            assert (await answer.read(), answer.content_type) == (b"\x89PNG", "image/png")
        async with http.get(url + "0", headers={"Authorization": aiohttp.encode_basic_auth(SID, TOKEN)}) as answer:
            assert answer.status == 404


async def test_free_text_reaches_a_person_for_a_day_after_they_wrote_and_a_template_always(world: World) -> None:
    assert (await world.send(Reply("Hello?"))).status == "failed", "they never wrote"
    assert reports(world) == [("accepted", None), ("failed", "63016")]
    await world.twilio.deliver(THEIRS, OURS, "hi")
    assert (await world.send(Reply("Hello!"))).status == "delivered"
    world.twilio.pass_a_day(THEIRS)
    assert world.twilio.open_until(THEIRS, OURS) <= Clock().now_ms()
    assert (await world.send(Reply("Still there?"))).status == "failed"
    templated = await world.send(Reply("Still there?"), again=True)
    assert (templated.status, templated.body) == ("delivered", "Still there?")


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": PHONE, "Body": "x"}, 21910),
        ({"From": "whatsapp:+254711082999", "Body": "x"}, 63007),
        ({"ContentSid": "HX" + "7" * 32, "ContentVariables": "{}"}, 21655),
        ({"ContentSid": TWO, "ContentVariables": "no"}, 21656),
        ({"ContentSid": TWO, "ContentVariables": json.dumps({"1": "x"})}, 21656),
        ({"ContentSid": ONE, "ContentVariables": json.dumps({"1": "x", "2": "Yes", "3": ""})}, 21656),
        ({"ContentSid": ONE, "ContentVariables": json.dumps({"1": "x", "2": "Y" * 21, "3": "t"})}, 21656),
        ({"ContentSid": ONE, "ContentVariables": json.dumps({"1": "x", "2": 7, "3": "t"})}, 21656),
        ({"ContentSid": TEMPLATE, "ContentVariables": json.dumps({"1": "two\nlines"})}, 21656),
        ({"ContentSid": TEMPLATE, "ContentVariables": "[" * 5_000}, 21656),
        ({"MediaUrl": "http://x/picture.png"}, 21620),
        ({}, 21602),
    ],
)
async def test_what_whatsapp_would_not_take_is_refused_with_its_code(world: World, form: dict[str, str], code: int) -> None:
    status, document = await world.post(**form)
    assert (status, document["code"]) == (400, code)
    assert world.shown == []
