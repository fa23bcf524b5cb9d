"""USSD menus in the form that Africa's Talking made common: a form in, `CON …` or `END …` as plain text out.

Others who took the form over post its fields as JSON. They hold the whole input of the session so far; the new part is found by the core,
which knows what it has seen. Requests are not signed: the secret in the webhook's path, checked before this module is asked, and a list
of source networks stand in for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from hashlib import blake2b

from channels import admission, fields, numbers, texts
from channels.forms import Form
from channels.once import Once
from core.model.address import Address, AddressKind, Strength
from core.model.capabilities import Capabilities, Family
from core.model.ids import ChannelId
from core.model.inbound import (
    AuthenticationFailed,
    ContactSignal,
    Ignored,
    InboundEvent,
    InboundMessage,
    RawRequest,
    Session,
    UnreadableRequest,
)
from core.model.outbound import Answer, OutboundMessage, SendError, SendErrorCode, SendResult
from core.text.segments import septets, transliterate
from core.text.split import cut, gsm7_length

SCREEN_SEPTETS_MAX = 182  # 160 octets, packed
SCREEN_UCS2_MAX = 80
_MORE = "..."
_SESSION_CHARS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a USSD channel; its address is the service code, such as `*384*100#`."""

    sources: tuple[str, ...] = field(
        default=(), metadata={"doc": "Networks that the aggregator calls from, such as 196.216.0.0/16; empty: from anywhere."}
    )
    screen_budget_chars: int = field(
        default=160, metadata={"doc": "Characters that a menu keeps to, since many networks cut longer ones.", "least": 60, "most": 182}
    )
    answer_deadline_s: float = field(
        default=4.0, metadata={"doc": "Seconds after which a screen comes too late on this network.", "least": 1, "most": 15}
    )

    sorry: str = field(
        default="The service is not available now. Please try again later.",
        metadata={"doc": "The screen of a session that cannot be served at all."},
    )

    def __post_init__(self) -> None:
        if not self.sorry.strip():
            raise ValueError("sorry must be a sentence")
        admission.networks(self.sources)


class Ussd:
    """The adapter of one service code."""

    kind = "ussd"

    def __init__(self, our_address: Address, settings: Settings, default_region: str) -> None:
        self.capabilities = Capabilities(
            family=Family.USSD,
            text_max_chars=SCREEN_SEPTETS_MAX,
            text_budget_chars=settings.screen_budget_chars,
            gsm7=True,
            inline_reply=True,
            outbound=False,
            session=True,
            answer_deadline_s=settings.answer_deadline_s,
            merge_replies=True,
            secrets_allowed=True,
            sender_strength=Strength.NETWORK,
            provider_retries="none: a session whose answer is late or missing ends",
        )
        self._sorry = Answer(body=f"END {_screen(settings.sorry)}".encode())
        self._code = our_address.value
        self._sources = admission.networks(settings.sources)
        self._region = default_region
        self._fields = Once(fields.read)

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` for a source outside the list, or for another service code."""
        admission.check_source(self._sources, request.remote)
        try:
            code = fields.only(self._fields.of(request), "serviceCode")
        except UnreadableRequest:
            return  # `parse` says what is wrong with it
        if code and code.rstrip("#") != self._code.rstrip("#") and not code.startswith(self._code.rstrip("#") + "*"):
            raise AuthenticationFailed("other_service_code")

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Return the message of a session request, or what the end-of-session notification says."""
        return _events(self._fields.of(request), self._region)

    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        """Return the screen; without a reply the session ends with an empty one."""
        text = "\n".join(message.reply.text for message in replies)
        goes_on = bool(replies) and not any(message.reply.ends_session for message in replies)
        return Answer(body=f"{'CON' if goes_on else 'END'} {_screen(text)}".encode())

    def sorry(self) -> Answer:
        """Return the screen that asks to dial again."""
        return self._sorry

    async def send(self, message: OutboundMessage) -> SendResult:
        """Raise `SendError`: nothing can be sent outside a session."""
        raise SendError(SendErrorCode.UNSUPPORTED, retryable=False, detail=f"{message.id}: USSD answers only within a session")


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> Ussd:
    """Build the adapter of a USSD channel; raises ValueError for an address that is no service code."""
    del channel_id, public_url  # answers go out with the request, so the adapter needs neither
    if our_address.kind is not AddressKind.SHORT_CODE:
        raise ValueError(f"the address of a USSD channel is a service code, not {our_address}")
    return Ussd(our_address, settings, default_region)


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    return _events(fields.read(request), default_region)


def _events(form: Form, region: str) -> Sequence[InboundEvent]:
    one = partial(fields.only, form)
    session_id, code = one("sessionId"), one("serviceCode")
    if not session_id or len(session_id) > _SESSION_CHARS_MAX or not session_id.isprintable():
        raise UnreadableRequest("bad_session")
    if not code or len(code) > _SESSION_CHARS_MAX:
        raise UnreadableRequest("bad_service_code")
    subscriber = numbers.msisdn(one("phoneNumber"), region)
    if subscriber is None:
        raise UnreadableRequest("bad_number")
    service = Address(AddressKind.SHORT_CODE, code)
    if "text" not in form and "status" in form:
        return [_ended(session_id, subscriber, service, one("status"), one("lastAppResponse"))]
    text = one("text")
    return [
        InboundMessage(
            external_id=f"{session_id}:{blake2b(text.encode(), digest_size=8).hexdigest()}",
            sender=subscriber,
            recipient=service,
            text=texts.clean(text),
            session=Session.RESUME if text else Session.NEW,
            session_id=session_id,
            cumulative=True,
        )
    ]


def _ended(session_id: str, subscriber: Address, service: Address, status: str, last_screen: str) -> InboundEvent:
    """Tell a session that we ended from one that the subscriber or the network broke off."""
    if status.lower() == "success" and not last_screen.startswith("CON"):
        return Ignored("session_ended")
    return ContactSignal(
        external_id=f"{session_id}:end",
        sender=subscriber,
        recipient=service,
        signal="hung_up",
        session_id=session_id,
        value=texts.clean(status)[:40].lower(),
    )


@lru_cache(maxsize=1_024)  # most screens are menus
def _screen(text: str) -> str:
    """Return a text that fits on one screen; the renderer keeps to that already, so a cut here is the last guard."""
    text = texts.clean(transliterate(text))
    size = septets(text)
    if size is None:
        return text if len(text.encode("utf-16-le")) // 2 <= SCREEN_UCS2_MAX else cut(text, SCREEN_UCS2_MAX - len(_MORE)) + _MORE
    return text if size <= SCREEN_SEPTETS_MAX else cut(text, SCREEN_SEPTETS_MAX - len(_MORE), gsm7_length) + _MORE
