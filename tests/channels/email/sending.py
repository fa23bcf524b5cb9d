"""The checks of sending for every kind that hands its mails to a relay by SMTP."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from core.model.adapter import Adapter
from core.model.outbound import OutboundMessage, SendError, SendErrorCode
from tests.channels.mail.relay import relay
from tests.conformance.subject import saying

REFUSALS = {
    "550 5.1.1 nobody here": (SendErrorCode.BAD_ADDRESS, False),
    "451 4.3.0 later": (SendErrorCode.THROTTLED, True),
    "554 5.7.1 not you": (SendErrorCode.REFUSED, False),
}


async def check_by_relay(make: Callable[[int], Adapter], message: OutboundMessage, secrets: tuple[str, ...]) -> None:
    """One attempt ends in a result or in the right `SendError`; `make` builds the adapter for a relay on a port."""
    async with relay() as server:
        adapter = make(server.port)
        first, second = await adapter.send(message), await adapter.send(message)
        assert first.external_id == second.external_id != ""
        for answer, wanted in REFUSALS.items():
            server.answers["RCPT"] = answer
            error = await _error_of(adapter, message, secrets)
            assert (error.code, error.retryable) == wanted, answer
        server.answers.clear()
        error = await _error_of(adapter, saying(message, "x" * (adapter.capabilities.text_max_chars + 1)), secrets)
        assert (error.code, error.retryable) == (SendErrorCode.TOO_LONG, False)
        server.cut = "DATA"
        error = await _error_of(adapter, message, secrets)
        assert (error.code, error.unknown) == (SendErrorCode.TIMEOUT, True)
        await _close(adapter)
    adapter = make(1)  # where no relay listens
    error = await _error_of(adapter, message, secrets)
    assert (error.code, error.retryable, error.unknown) == (SendErrorCode.NOT_CONNECTED, True, False)
    await _close(adapter)


async def _error_of(adapter: Adapter, message: OutboundMessage, secrets: tuple[str, ...]) -> SendError:
    try:
        await adapter.send(message)
    except SendError as error:
        shown = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
        for secret in (*secrets, message.reply.text, message.recipient.value):
            assert secret not in shown, "an error of sending shows what it must not"
        return error
    raise AssertionError("the attempt was reported as a success")


async def _close(adapter: Any) -> None:
    await adapter.close()
