"""The conformance checks have teeth: an adapter broken in one way fails the check that is there for it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from channels.sms_twilio import SmsTwilio
from core.model.adapter import Adapter
from core.model.inbound import AuthenticationFailed, InboundEvent, InboundMessage, RawRequest, UnreadableRequest
from core.model.outbound import Answer, OutboundMessage, SendError, SendErrorCode, SendResult
from tests.channels.sms_twilio.subject import NEW
from tests.conformance import adapter_checks as checks
from tests.conformance.sending import check_send
from tests.conformance.subject import Subject, subject_of

GOOD = subject_of("sms_twilio")


class Broken:
    """Passes everything on to a good adapter; its heirs break one thing."""

    kind = "sms_twilio"

    def __init__(self, provider_base: str, make: Callable[[str], Adapter] = GOOD.make) -> None:
        self.good = make(provider_base)
        self.capabilities = self.good.capabilities

    def authenticate(self, request: RawRequest) -> None:
        self.good.authenticate(request)

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        return self.good.parse(request)

    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        return self.good.acknowledge(replies)

    async def send(self, message: OutboundMessage) -> SendResult:
        return await self.good.send(message)

    async def close(self) -> None:
        if isinstance(self.good, SmsTwilio):
            await self.good.close()


class BelievesEverything(Broken):
    def authenticate(self, request: RawRequest) -> None:
        pass


class BelievesNothing(Broken):
    def authenticate(self, request: RawRequest) -> None:
        raise AuthenticationFailed("bad_signature")


class ChecksOnlyThatThereIsASignature(Broken):
    def authenticate(self, request: RawRequest) -> None:
        if not request.headers.get("x-twilio-signature"):
            raise AuthenticationFailed("missing_signature")


class LeaksKeyError(Broken):
    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        if b"MessageSid" not in request.body:
            raise KeyError("MessageSid")
        return self.good.parse(request)


class LeaksTypeError(Broken):
    def authenticate(self, request: RawRequest) -> None:
        if not request.headers:
            raise TypeError("signature is None")
        self.good.authenticate(request)


class DecodesCarelessly(Broken):
    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        request.body.decode()
        return self.good.parse(request)


class ShowsItsSecret(Broken):
    def __repr__(self) -> str:
        return f"Broken({NEW})"


class TellsItsSecret(Broken):
    def authenticate(self, request: RawRequest) -> None:
        try:
            self.good.authenticate(request)
        except AuthenticationFailed as error:
            raise AuthenticationFailed(error.code, f"expected a signature under {NEW}") from None


class TellsItsSecretWhenReading(Broken):
    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        if len(request.body) < 10:
            raise UnreadableRequest("json", NEW)
        return self.good.parse(request)


class NumbersMessagesItself(Broken):
    count = itertools.count()

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        events = self.good.parse(request)
        return [replace(event, external_id=str(next(self.count))) for event in events if isinstance(event, InboundMessage)]


class CutsText(Broken):
    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        return [replace(event, text=event.text[:1_600]) for event in self.good.parse(request) if isinstance(event, InboundMessage)]


class RefusesUnknownFields(Broken):
    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        if b"FutureField" in request.body:
            raise UnreadableRequest("unknown_field")
        return self.good.parse(request)


class KnowsNoLimit(Broken):
    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        messages = "".join(f"<Message>{'x' * len(reply.reply.text)}</Message>" for reply in replies)
        return Answer(content_type="text/xml; charset=utf-8", body=f"<Response>{messages}</Response>".encode())


class Unescaped(Broken):
    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        messages = "".join(f"<Message>{reply.reply.text[:1_600]}</Message>" for reply in replies)
        return Answer(content_type="text/xml; charset=utf-8", body=f"<Response>{messages}</Response>".encode("utf-8", "replace"))


class LosesReplies(Broken):
    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        return self.good.acknowledge([])


class OfAnotherKind(Broken):
    kind = "sms"


class TriesAgain(Broken):
    async def send(self, message: OutboundMessage) -> SendResult:
        try:
            return await self.good.send(message)
        except SendError:
            return await self.good.send(message)


class TakesSilenceForRefusal(Broken):
    async def send(self, message: OutboundMessage) -> SendResult:
        try:
            return await self.good.send(message)
        except SendError as error:
            if error.unknown:
                raise SendError(SendErrorCode.REFUSED, retryable=False) from None
            raise


class TakesEveryAnswerForSuccess(Broken):
    async def send(self, message: OutboundMessage) -> SendResult:
        try:
            return await self.good.send(message)
        except SendError:
            return SendResult("")


class TellsTheTextWhenSending(Broken):
    async def send(self, message: OutboundMessage) -> SendResult:
        try:
            return await self.good.send(message)
        except SendError as error:
            error.detail = f"could not send {message.reply.text!r}"
            raise


def broken(kind: type[Broken]) -> Subject:
    assert GOOD.impatient is not None
    return replace(GOOD, make=kind, impatient=partial(kind, make=GOOD.impatient))


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (BelievesEverything, checks.check_forgeries),
        (ChecksOnlyThatThereIsASignature, checks.check_forgeries),
        (LeaksKeyError, checks.check_hostile),
        (LeaksKeyError, checks.check_arbitrary_bytes),
        (LeaksTypeError, checks.check_arbitrary_bytes),
        (LeaksTypeError, checks.check_hostile),
        (DecodesCarelessly, checks.check_arbitrary_bytes),
        (ShowsItsSecret, checks.check_secrets_hidden),
        (TellsItsSecret, checks.check_secrets_hidden),
        (TellsItsSecretWhenReading, checks.check_secrets_hidden),
        (NumbersMessagesItself, checks.check_samples),
        (CutsText, checks.check_texts),
        (KnowsNoLimit, checks.check_acknowledge),
        (LosesReplies, checks.check_acknowledge),
        (OfAnotherKind, checks.check_vocabulary),
    ],
)
def test_a_broken_adapter_fails(kind: type[Broken], check: checks.Check) -> None:
    with pytest.raises(AssertionError):
        check(broken(kind))


@pytest.mark.parametrize(
    ("kind", "check", "error"),
    [
        (BelievesNothing, checks.check_authentic, AuthenticationFailed),
        (BelievesNothing, checks.check_samples, AuthenticationFailed),
        (RefusesUnknownFields, checks.check_texts, UnreadableRequest),
        (Unescaped, checks.check_acknowledge, SyntaxError),
    ],
)
def test_a_broken_adapter_fails_with_its_own_error(kind: type[Broken], check: checks.Check, error: type[Exception]) -> None:
    with pytest.raises(error):
        check(broken(kind))


@pytest.mark.parametrize("kind", [TriesAgain, TakesSilenceForRefusal, TakesEveryAnswerForSuccess, TellsTheTextWhenSending])
async def test_a_broken_sender_fails(kind: type[Broken]) -> None:
    with pytest.raises(AssertionError):
        await check_send(broken(kind))


@dataclass(frozen=True)
class LooseSettings:
    """Settings that forgot to hide a secret."""

    auth_token: str = NEW


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"samples": Path(__file__).parent / "nowhere"}, checks.check_samples),
        ({"settings": LooseSettings()}, checks.check_secrets_hidden),
        ({"forgeries": {}}, checks.check_forgeries),
        ({"secrets": ("",)}, checks.check_secrets_hidden),
        ({"texts_of": None}, checks.check_acknowledge),
        ({"offline_parse": lambda _request, _region: []}, checks.check_samples),
    ],
)
def test_an_incomplete_subject_fails(change: dict[str, Any], check: Callable[[Subject], None]) -> None:
    with pytest.raises(AssertionError):
        check(replace(GOOD, **change))


def test_a_kind_without_a_subject_fails() -> None:
    with pytest.raises(ModuleNotFoundError):
        subject_of("carrier_pigeon")


def test_the_old_secret_must_go_on_working() -> None:
    only_new = replace(GOOD, authentic_before=GOOD.forgeries["signature of another token"])
    with pytest.raises(AuthenticationFailed):
        checks.check_authentic(only_new)
