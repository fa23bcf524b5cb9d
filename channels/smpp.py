"""SMS and USSD straight from an operator's centre by SMPP 3.4, as a transceiver (ESME).

A deliver_sm reaches `parse` as the JSON of its fields, written by the session in `gateway.smpp`, which also keeps the bind that `send`
submits through. Must not connect by itself, and must not know the store.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from channels import smpp_messages, smpp_parts, smpp_text, sms, ussd
from core.model.address import Address, AddressKind
from core.model.capabilities import Capabilities
from core.model.ids import ChannelId
from core.model.inbound import AuthenticationFailed, InboundEvent, RawRequest
from core.model.outbound import Answer, OutboundMessage, SendError, SendErrorCode, SendResult

if TYPE_CHECKING:
    from channels.smpp_link import Link

METHOD = "SMPP"
PASSWORD_CHARS_MAX = 8
TEXT_CHARS_MAX = 1_530  # ten parts
_TAKEN_MAX = 1_000  # more than are ever sent but not recorded at once
_UDHI = 0x40
_SHORT_MESSAGE_OCTETS_MAX = 254
_REQUEST, _LAST_WORD = 2, 17  # ussd_service_op: USSR request, PSSR response
_RETRIES = "by the rules of the centre, after a status that says not now or no answer at all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a bind to an SMS or USSD centre; the channel's address is the short code, number, name or service code that it serves."""

    host: str = field(metadata={"doc": "Name or address of the centre."})
    port: int = field(default=2775, metadata={"doc": "Port of the centre.", "least": 1, "most": 65_535})
    tls: bool = field(default=False, metadata={"doc": "Whether the connection is encrypted, by a certificate that this machine trusts."})
    system_id: str = field(metadata={"doc": "Who binds: at most 15 characters."})
    password: str = field(repr=False, metadata={"doc": "Password of the bind, by reference: at most 8 characters."})
    system_type: str = field(default="", metadata={"doc": "System type, where the centre asks for one: at most 12 characters."})
    service: Literal["sms", "ussd"] = field(default="sms", metadata={"doc": "What the bind carries: short messages, or USSD sessions."})
    alphabet: Literal["gsm7", "latin-1", "ascii"] = field(
        default="gsm7", metadata={"doc": "What the centre's default alphabet, data coding 0, stands for."}
    )
    long_messages: Literal["udh", "payload"] = field(
        default="udh", metadata={"doc": "How a long text leaves: udh in parts with headers, payload whole, for the centre to divide."}
    )
    delivery_reports: bool = field(default=True, metadata={"doc": "Whether a receipt is asked for with each message."})
    short_code_ton: int = field(default=3, metadata={"doc": "Type of number of our address if it is a short code.", "least": 0, "most": 6})
    short_code_npi: int = field(default=0, metadata={"doc": "Numbering plan of our address if it is a short code.", "least": 0, "most": 18})
    window: int = field(default=10, metadata={"doc": "Messages that may wait for the centre's answer at once.", "least": 1, "most": 1_000})
    messages_per_s: float = field(
        default=20.0, metadata={"doc": "Parts of messages a second that the centre allows us.", "least": 0.1, "most": 10_000}
    )
    timeout_s: float = field(default=15.0, metadata={"doc": "Seconds that the centre may take for an answer.", "least": 0.1, "most": 30})
    enquire_link_s: float = field(default=30.0, metadata={"doc": "Seconds between two proofs of life.", "least": 0.05, "most": 600})
    reconnect_s: float = field(
        default=1.0,
        metadata={"doc": "Seconds before a lost bind is tried again, doubled up to 60.", "least": 0.05, "most": 60},
    )
    parts_wait_s: float = field(
        default=600.0,
        metadata={"doc": "Seconds that a long message waits for missing parts.", "least": 0, "most": 86_400},
    )
    screen_budget_chars: int = field(
        default=160,
        metadata={"doc": "USSD: characters that a menu keeps to; many networks cut longer ones.", "least": 60, "most": 182},
    )
    answer_deadline_s: float = field(
        default=4.0, metadata={"doc": "USSD: seconds after which a screen comes too late on this network.", "least": 1, "most": 15}
    )

    @property
    def entry(self) -> str:
        """Where messages come in: the centre that this side calls."""
        return f"smpp://{self.host}:{self.port}"

    def __post_init__(self) -> None:
        for name, most in (("system_id", 15), ("system_type", 12)):
            value = getattr(self, name)
            if len(value) > most or not value.isascii() or not (value.isprintable() and (value or name == "system_type")):
                raise ValueError(f"{name} must have at most {most} ASCII characters, and must not be empty")


class Smpp:
    """The adapter of one bind."""

    kind = "smpp"

    def __init__(self, our_address: Address, settings: Settings, default_region: str, link: Link) -> None:
        self.link = link
        self._address = our_address
        self._settings = settings
        self._region = default_region
        self._taken: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._screens = _screens(our_address, settings, default_region) if settings.service == "ussd" else None
        self.capabilities = self._capabilities()

    def _capabilities(self) -> Capabilities:
        if self._screens is not None:
            return replace(self._screens.capabilities, provider_retries=_RETRIES)
        known = sms.capabilities(text_max_chars=TEXT_CHARS_MAX, provider_retries=_RETRIES)
        return replace(known, delivery_reports=self._settings.delivery_reports)

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` for a request that did not come over the bind."""
        if request.method != METHOD:
            raise AuthenticationFailed("not_the_bind")

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Return the message, receipt or step of a session."""
        return parse(request, self._region)

    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        """Return the screen of a USSD session as `CON …` or `END …`; short messages are sent."""
        return Answer() if self._screens is None else self._screens.acknowledge(replies)

    def request_of(self, fields: Mapping[str, Any], received_at: int) -> RawRequest:
        """Return what the bind brought as a request, with what only the settings know: the alphabet, and the service code dialled."""
        known: dict[str, Any] = {**fields, "alphabet": self._settings.alphabet}
        if self._screens is not None:
            known["service"] = self._address.value
        return RawRequest(METHOD, "", {}, json.dumps(known).encode(), received_at)

    def sender_of(self, fields: Mapping[str, Any]) -> str:
        """Return the address of who sent a message as the record has it, empty for none."""
        sender = smpp_messages.sender_of(fields, self._region)
        return "" if sender is None else sender.value

    async def send(self, message: OutboundMessage) -> SendResult:
        """Submit one message; raises `SendError`. Only the last part of a long one asks for a receipt, and gives the message its id."""
        if not self.capabilities.outbound:
            raise SendError(SendErrorCode.UNSUPPORTED, retryable=False, detail=f"{message.id}: USSD answers only within a session")
        text = sms.outgoing(message, TEXT_CHARS_MAX)
        data_coding, parts = smpp_text.encoded(text, self._settings.alphabet)
        fields = {**_addresses(self._settings, message), "data_coding": data_coding}
        whole = b"".join(parts)
        if len(parts) > 1 and self._settings.long_messages == "payload":
            return await self._last(message, **fields, message_payload=whole)
        *first, last = smpp_parts.with_headers(parts, int(message.id[-2:], 16))
        fields["esm_class"] = _UDHI if first else 0
        for part in first:
            await self.link.submit(**fields, registered_delivery=0, short_message=part)
        return await self._last(message, **fields, short_message=last)

    def message_of(self, ids: Sequence[str], recipient: str) -> str | None:
        """Return our id of a message to `recipient` that the centre has just taken under one of these ids, recorded yet or not."""
        found = (self._taken.get(told) for told in ids)
        return next((ours for to, ours in filter(None, found) if to == recipient), None)

    async def show(self, answer: Answer, fields: Mapping[str, Any]) -> None:
        """Send the screen in `answer` into the USSD session of which `fields` was a step; raises `SendError`."""
        how, _, text = answer.body.decode().partition(" ")
        data_coding, parts = smpp_text.encoded(text, self._settings.alphabet)
        info = fields.get("optional", {}).get("its_session_info", "")
        await self.link.submit(
            source_addr=fields["destination_addr"],
            source_addr_ton=fields["dest_addr_ton"],
            source_addr_npi=fields["dest_addr_npi"],
            destination_addr=fields["source_addr"],
            dest_addr_ton=fields["source_addr_ton"],
            dest_addr_npi=fields["source_addr_npi"],
            service_type=fields["service_type"],
            data_coding=data_coding,
            short_message=b"".join(parts)[:_SHORT_MESSAGE_OCTETS_MAX],
            ussd_service_op=_REQUEST if how == "CON" else _LAST_WORD,
            its_session_info=int(info, 16) if len(info) == 4 else None,
        )

    async def close(self) -> None:
        """Unbind."""
        await self.link.close()

    async def _last(self, message: OutboundMessage, **fields: Any) -> SendResult:
        """Submit what the receipt is asked for."""
        told = await self.link.submit(**fields, registered_delivery=int(self._settings.delivery_reports))
        self._taken[told] = (message.recipient.value, message.id)
        if len(self._taken) > _TAKEN_MAX:
            self._taken.popitem(last=False)
        return SendResult(told)


def _screens(our_address: Address, settings: Settings, region: str) -> ussd.Ussd:
    """Return what makes USSD screens: they are the same on every road to the phone."""
    known = ussd.Settings(screen_budget_chars=settings.screen_budget_chars, answer_deadline_s=settings.answer_deadline_s)
    return ussd.Ussd(our_address, known, region)


def _addresses(settings: Settings, message: OutboundMessage) -> dict[str, Any]:
    match message.sender.kind:
        case AddressKind.MSISDN:
            ton, npi = 1, 1
        case AddressKind.SHORT_CODE:
            ton, npi = settings.short_code_ton, settings.short_code_npi
        case _:
            ton, npi = 5, 0
    return {
        "source_addr": sms.digits(message.sender),
        "source_addr_ton": ton,
        "source_addr_npi": npi,
        "destination_addr": sms.digits(message.recipient),
        "dest_addr_ton": 1 if message.recipient.kind is AddressKind.MSISDN else settings.short_code_ton,
        "dest_addr_npi": 1 if message.recipient.kind is AddressKind.MSISDN else settings.short_code_npi,
    }


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> Smpp:
    """Build the adapter of a bind; raises ValueError for a password or an address that cannot be."""
    from channels.smpp_link import Centre, Link  # noqa: PLC0415 - the library is for configured channels only

    del channel_id, public_url  # nothing comes by the webhook
    if not 0 < len(settings.password) <= PASSWORD_CHARS_MAX or not settings.password.isascii():
        raise ValueError(f"the password of a bind has at most {PASSWORD_CHARS_MAX} ASCII characters")
    if settings.service == "ussd" and our_address.kind is not AddressKind.SHORT_CODE:
        raise ValueError(f"the address of a USSD channel is a service code, not {our_address}")
    names = ("host", "port", "tls", "system_id", "password", "system_type", "timeout_s", "enquire_link_s", "window", "messages_per_s")
    return Smpp(our_address, settings, default_region, Link(Centre(**{name: getattr(settings, name) for name in names})))


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    return smpp_messages.events(request, default_region)
