"""Checks of sending, against a provider on a real port that answers well, badly, late or not at all."""

from __future__ import annotations

import traceback
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from core.model.adapter import Adapter
from core.model.ids import MessageId
from core.model.inbound import Media
from core.model.outbound import Choice, OutboundMessage, Reply, SendError, SendErrorCode
from tests.conformance.provider import Provider
from tests.conformance.subject import NOWHERE, Subject, saying


async def check_send(subject: Subject) -> None:
    """One attempt ends in a result or in the right `SendError`, whatever the provider does."""
    if subject.sending is not None:
        await subject.sending()
        return
    if subject.accepted is None:
        await check_cannot_send(subject)
        return
    provider = Provider(subject.accepted)
    async with provider.running():
        for mode, wanted in FAILURES.items():
            provider.mode = mode
            error = await send_error(subject, provider.base, patient=mode != "hang")
            found = (error.code, error.retryable, error.unknown, error.ours, error.retry_after_s)
            assert found == wanted, f"{mode}: {found}"
            assert len(provider.got) == 1, f"{mode}: tried {len(provider.got)} times"
            provider.got.clear()
        provider.mode = "ok"
        adapter = subject.make(provider.base)
        result = await adapter.send(subject.message)
        await closed(adapter)
        assert result.external_id == subject.accepted.external_id
        assert len(provider.got) == 1
        error = await send_error(subject, provider.base, saying(subject.message, "x" * (adapter.capabilities.text_max_chars + 1)))
        assert (error.code, error.retryable) == (SendErrorCode.TOO_LONG, False)
        gone = provider.base
    error = await send_error(subject, gone)
    assert (error.code, error.retryable, error.unknown) == (SendErrorCode.NOT_CONNECTED, True, False)


FAILURES: dict[str, tuple[Any, ...]] = {
    "throttle": (SendErrorCode.THROTTLED, True, False, False, 7.0),
    "500": (SendErrorCode.PROVIDER_DOWN, True, True, False, None),
    "503": (SendErrorCode.PROVIDER_DOWN, True, False, False, None),
    "400": (SendErrorCode.REFUSED, False, False, False, None),
    "401": (SendErrorCode.BAD_CREDENTIALS, False, False, True, None),
    "redirect": (SendErrorCode.REFUSED, False, False, True, None),
    "garbage": (SendErrorCode.UNREADABLE_ANSWER, True, True, False, None),
    "endless": (SendErrorCode.UNREADABLE_ANSWER, True, True, False, None),
    "close": (SendErrorCode.TIMEOUT, True, True, False, None),
    "hang": (SendErrorCode.TIMEOUT, True, True, False, None),
}


async def check_cannot_send(subject: Subject) -> None:
    """A kind that answers inline or is read by its client says so when it is asked to send."""
    adapter = subject.make(NOWHERE)
    assert adapter.capabilities.pulled or not adapter.capabilities.outbound
    error = await send_error(subject, NOWHERE)
    assert (error.code, error.retryable) == (SendErrorCode.UNSUPPORTED, False)


INJECTED = "x\r\nX-Injected: yes\r\n\r\nPOST /injected HTTP/1.1\r\nHost: x\r\n\r\n"


async def check_injection(subject: Subject) -> None:
    """Whatever stands in a message, one request goes out, with the headers and to the place of any other."""
    if subject.accepted is None:
        return
    good = subject.message
    hostile = (
        saying(good, INJECTED),
        replace(good, reply=replace(good.reply, text="ok", choices=(Choice("1", INJECTED, "a1"),))),
        replace(good, reply=replace(good.reply, language=INJECTED)),
        replace(good, recipient=replace(good.recipient, value=good.recipient.value + INJECTED)),
        replace(good, sender=replace(good.sender, value=good.sender.value + INJECTED)),
        replace(good, id=MessageId(good.id + INJECTED)),
    )
    provider = Provider(subject.accepted)
    async with provider.running():
        adapter = subject.make(provider.base)
        for message in hostile:
            provider.heads.clear()
            with suppress(SendError):  # refusing is as good
                await adapter.send(message)
            assert len(provider.heads) <= 1
            assert not any("injected" in head.partition("?")[0] for head in provider.heads), provider.heads
            assert not any("x-injected" in head for head in provider.heads), provider.heads
        await closed(adapter)


async def check_files(subject: Subject) -> None:
    """What is said to be carried goes out, as bytes or as the address; what is not is refused, and never left out."""
    if subject.accepted is None:
        return
    provider = Provider(subject.accepted)
    async with provider.running():
        adapter = subject.make(provider.base)
        able = adapter.capabilities
        content, url = (b"", FILE_URL) if able.file_limits.by_address else (FILE, "")
        file = Media("document", url, "application/pdf", name="bill.pdf", content=content)
        message = replace(subject.message, reply=Reply("", media=(file,)))
        if "document" in able.media:
            await adapter.send(message)
            (got,) = provider.got
            assert FILE.decode() in got or FILE_URL in unquote(got)
        else:
            error = await send_error(subject, provider.base, message)
            assert (error.code, error.retryable) == (SendErrorCode.UNSUPPORTED, False)
            assert provider.got == []
        await closed(adapter)


FILE = b"%PDF-1.7 canary"
FILE_URL = "https://gateway.example/m/canary"


async def send_error(subject: Subject, base: str, message: OutboundMessage | None = None, *, patient: bool = True) -> SendError:
    """Return the error of one attempt; neither it nor its causes may show a secret or the text."""
    make = subject.make if patient else subject.impatient
    assert make is not None, "the suite cannot see what happens to a provider that never answers"
    adapter = make(base)
    try:
        await adapter.send(message or subject.message)
    except SendError as error:
        shown = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
        for secret in (*subject.secrets, subject.message.reply.text, subject.message.recipient.value):
            assert secret not in shown, "an error of sending shows what it must not"
        return error
    finally:
        await closed(adapter)
    raise AssertionError("the attempt was reported as a success")


async def closed(adapter: Adapter) -> None:
    """Close an adapter that holds connections."""
    if hasattr(adapter, "close"):
        await adapter.close()
