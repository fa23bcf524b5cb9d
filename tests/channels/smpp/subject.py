"""A bind to an SMS centre for the conformance suite; believed is what came over it, which no web request has the method for."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from channels.registry import load
from channels.smpp import Settings, Smpp, make
from channels.smpp_link import LinkEnded
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from core.model.outbound import OutboundMessage, Reply, SendError, SendErrorCode
from tests.channels.smpp.stub import Stub
from tests.conformance.subject import MESSAGE_ID, PUBLIC_URL, Subject, saying

HERE = Address(AddressKind.SHORT_CODE, "40404")
PASSWORD = "pw-cnry1"
MESSAGE = OutboundMessage(MESSAGE_ID, HERE, Address(AddressKind.MSISDN, "+254711000111"), Reply("Your balance is KES 250.00"))
FAILURES: dict[str, tuple[SendErrorCode, bool, bool, bool]] = {
    "0x58": (SendErrorCode.THROTTLED, True, False, False),
    "0x14": (SendErrorCode.THROTTLED, True, False, False),
    "0x08": (SendErrorCode.PROVIDER_DOWN, True, False, False),
    "0x64": (SendErrorCode.PROVIDER_DOWN, True, False, False),
    "0x0b": (SendErrorCode.BAD_ADDRESS, False, False, False),
    "0x01": (SendErrorCode.TOO_LONG, False, False, False),
    "0x0e": (SendErrorCode.BAD_CREDENTIALS, False, False, True),
    "0x0a": (SendErrorCode.REFUSED, False, False, True),
    "0x66": (SendErrorCode.REFUSED, False, False, False),
    "0x411": (SendErrorCode.REFUSED, False, False, False),
    "nack": (SendErrorCode.REFUSED, False, False, True),
    "nothing": (SendErrorCode.UNREADABLE_ANSWER, True, True, False),
    "garbage": (SendErrorCode.TIMEOUT, True, True, False),
    "endless": (SendErrorCode.TIMEOUT, True, True, False),
    "close": (SendErrorCode.TIMEOUT, True, True, False),
    "hang": (SendErrorCode.TIMEOUT, True, True, False),
}


def settings(**changed: Any) -> Settings:
    return Settings(**{"host": "127.0.0.1", "port": 1, "system_id": "parley", "password": PASSWORD, **changed})


def adapter(known: Settings, here: Address = HERE) -> Smpp:
    return make(ChannelId("smsc"), here, known, PUBLIC_URL, "KE")


def fields(text: str, **more: Any) -> dict[str, Any]:
    return {
        "command": "deliver_sm",
        "source_addr": "254711000111",
        "source_addr_ton": 1,
        "destination_addr": "40404",
        "data_coding": 8,
        "short_message": text.encode("utf-16-be").hex(),
        **more,
    }


def request(document: Mapping[str, Any]) -> RawRequest:
    return RawRequest("SMPP", "", {}, json.dumps(document).encode(), 1_767_225_600_000)


@asynccontextmanager
async def bound(known: Settings) -> AsyncIterator[Smpp]:
    """Give an adapter whose bind stands."""
    made, stands = adapter(known), asyncio.Event()

    async def deliver(_: Any) -> int:
        return 0

    serving = asyncio.create_task(made.link.run(deliver, stands.set, lambda: None))
    try:
        async with asyncio.timeout(10):
            await stands.wait()
        yield made
    finally:
        await made.close()
        (ended,) = await asyncio.gather(serving, return_exceptions=True)
        assert isinstance(ended, LinkEnded)


async def error_of(made: Smpp, message: OutboundMessage = MESSAGE) -> SendError:
    """Return the error of one attempt; neither it nor its causes may show a secret or the text."""
    try:
        await made.send(message)
    except SendError as error:
        shown = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
        for secret in (PASSWORD, message.reply.text, message.recipient.value, message.recipient.value[1:]):
            assert secret not in shown, "an error of sending shows what it must not"
        return error
    raise AssertionError("the attempt was reported as a success")


async def check_sending() -> None:
    """One attempt ends in a result or in the right `SendError`, whatever the centre does."""
    stub = Stub()
    async with stub.running():
        for mode, wanted in FAILURES.items():
            stub.mode, stub.submitted = mode, 0
            async with bound(settings(port=stub.port, timeout_s=0.2 if mode == "hang" else 10)) as made:
                error = await error_of(made)
            assert (error.code, error.retryable, error.unknown, error.ours) == wanted, mode
            assert stub.submitted == 1, f"{mode}: tried {stub.submitted} times"
        stub.mode = "ok"
        async with bound(settings(port=stub.port)) as made:
            assert (await made.send(MESSAGE)).external_id == "p-9"
            error = await error_of(made, saying(MESSAGE, "x" * (made.capabilities.text_max_chars + 1)))
            assert (error.code, error.retryable) == (SendErrorCode.TOO_LONG, False)
    error = await error_of(adapter(settings()))
    assert (error.code, error.retryable, error.unknown) == (SendErrorCode.NOT_CONNECTED, True, False)


SUBJECT = Subject(
    kind="smpp",
    settings=settings(),
    make=lambda _: adapter(settings()),
    says=lambda text, unknown: request({**fields(text), "id": "d:1:2", **unknown}),
    authentic=lambda what: what,
    authentic_before=None,
    forgeries={method: lambda what, method=method: replace(what, method=method) for method in ("POST", "GET", "WS", "smpp", "")},
    secrets=(PASSWORD, "path-secret-canary-9f86d081884c7d65"),
    samples=Path(__file__).parent / "samples",
    message=MESSAGE,
    sending=check_sending,
    offline_parse=load("smpp").parse,
)
