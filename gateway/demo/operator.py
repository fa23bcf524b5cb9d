"""The demo operator's surroundings: its billing, the stand-in for Twilio, and customers to talk as. Loopback only, demo mode only."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from config.settings import Settings
from core.clock import Clock
from core.identity import people
from core.model.address import Address, AddressKind, Strength
from core.model.ids import derive
from core.store import conversations
from core.store.api import Tx
from gateway.demo.bss import DemoState, make_app, open_state
from gateway.runtime import ConfiguredChannel
from gateway.simulator.exchanger import Exchanger
from gateway.simulator.telegram import TelegramStandIn, make_routes
from gateway.simulator.twilio import TwilioStandIn
from gateway.simulator.twilio import make_app as make_twilio_app
from gateway.simulator.twilio_wire import WHATSAPP, Account, Content

NUMBERS = ("+254700000001", "+254700000002", "+254700000003")


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo operator as it runs: where its billing and its providers answer, and all of them for the simulator."""

    bss_url: str
    bss: DemoState
    twilio_url: str
    twilio: TwilioStandIn
    telegram: TelegramStandIn
    exchanger: Exchanger


async def start_demo(settings: Settings, data: Path, clock: Clock, stack: AsyncExitStack) -> Demo:
    """Start the demo operator's surroundings on free ports of this machine."""
    state = open_state(data, clock=clock, currency=settings.operator.currency)
    stack.callback(state.ledger.close)
    twilio = TwilioStandIn(clock)
    stack.push_async_callback(twilio.close)
    telegram = TelegramStandIn(clock)
    providers = make_twilio_app(twilio)
    providers.add_routes(make_routes(telegram))
    twilio.files.base_url = await listen(providers, stack)
    stack.push_async_callback(telegram.close)  # before its server, which waits for calls that are held
    exchanger = Exchanger(clock)
    await exchanger.start(stack)
    return Demo(await listen(make_app(state), stack), state, twilio.files.base_url, twilio, telegram, exchanger)


def connect_numbers(demo: Demo, channels: Iterable[ConfiguredChannel]) -> None:
    """Tell the stand-in for Twilio which of the channels are its own, and where their messages and calls go."""
    for configured in channels:
        settings, number = configured.settings, configured.channel.address.value
        if getattr(settings, "api_base", "") != demo.twilio_url:
            continue
        match configured.channel.kind:
            case "sms_twilio":
                demo.twilio.connect(_account(configured, number))
            case "whatsapp_twilio":
                buttons = {sid: Content(count) for count, sid in enumerate(settings.button_sids, 1)}
                template = {settings.template_sid: Content(0, approved=True)} if settings.template_sid else {}
                demo.twilio.connect(_account(configured, f"{WHATSAPP}{number}", {**buttons, **template}))
            case "telegram":
                called = settings.updates == "webhook"
                url, secret = (configured.webhook_url, settings.webhook_secret[0]) if called else ("", "")
                demo.telegram.connect(settings.bot_token, url=url, secret=secret)
            case "voice_twilio":
                demo.twilio.connect_voice(_account(configured, number))


def _account(configured: ConfiguredChannel, number: str, contents: Mapping[str, Content] | None = None) -> Account:
    settings = configured.settings
    return Account(settings.account_sid, settings.auth_token[0], number, configured.webhook_url, contents or {})


async def listen(app: web.Application, stack: AsyncExitStack) -> str:
    """Serve an application on a free loopback port and return its URL."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(_end, runner)
    listener = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listener).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


async def _end(runner: web.AppRunner) -> None:
    """Stop serving. Who was just being accepted is let in first: nobody would close a connection that is made afterwards."""
    for site in tuple(runner.sites):
        await site.stop()
    for _ in range(2):  # a round of the loop to make the connection, and one to tell of it
        await asyncio.sleep(0)
    await runner.cleanup()


def admit_customers(tx: Tx, at: int) -> None:
    """Make the demo's numbers customers of the operator, once."""
    for place, number in enumerate(NUMBERS, start=1):
        address = Address(AddressKind.MSISDN, number)
        if conversations.person(tx, address, "") is None:
            cause = derive(f"{at:012x}"[:8] + "-" + f"{at:012x}"[8:12], f"demo customer {place}")
            people.admit(tx, address, "", Strength.CHECKED, "demo operator", cause, at, customer_no=f"DEMO-{place:04d}")
