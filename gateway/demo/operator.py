"""The demo operator's surroundings: its billing, the stand-in for Twilio, and customers to talk as. Loopback only, demo mode only."""

from __future__ import annotations

import socket
from collections.abc import Iterable
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
from gateway.simulator.twilio import TwilioStandIn
from gateway.simulator.twilio import make_app as make_twilio_app
from gateway.simulator.twilio_wire import Account

NUMBERS = ("+254700000001", "+254700000002", "+254700000003")


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo operator as it runs: where its billing and its SMS provider answer, and both for the simulator."""

    bss_url: str
    bss: DemoState
    twilio_url: str
    twilio: TwilioStandIn


async def start_demo(settings: Settings, data: Path, clock: Clock, stack: AsyncExitStack) -> Demo:
    """Start the demo operator's surroundings on free ports of this machine."""
    state = open_state(data, clock=clock, currency=settings.operator.currency)
    stack.callback(state.ledger.close)
    twilio = TwilioStandIn(clock)
    stack.push_async_callback(twilio.close)
    return Demo(await listen(make_app(state), stack), state, await listen(make_twilio_app(twilio), stack), twilio)


def connect_numbers(demo: Demo, channels: Iterable[ConfiguredChannel]) -> None:
    """Tell the stand-in for Twilio which of the channels are its own, and where their messages go."""
    for configured in channels:
        settings = configured.settings
        if configured.channel.kind == "sms_twilio" and settings.api_base == demo.twilio_url:
            number, token = configured.channel.address.value, settings.auth_token[0]
            demo.twilio.connect(Account(settings.account_sid, token, number, configured.webhook_url))


async def listen(app: web.Application, stack: AsyncExitStack) -> str:
    """Serve an application on a free loopback port and return its URL."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    listener = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listener).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def admit_customers(tx: Tx, at: int) -> None:
    """Make the demo's numbers customers of the operator, once."""
    for place, number in enumerate(NUMBERS, start=1):
        address = Address(AddressKind.MSISDN, number)
        if conversations.person(tx, address, "") is None:
            cause = derive(f"{at:012x}"[:8] + "-" + f"{at:012x}"[8:12], f"demo customer {place}")
            people.admit(tx, address, "", Strength.CHECKED, "demo operator", cause, at, customer_no=f"DEMO-{place:04d}")
