"""SMS through Africa's Talking: forms in for messages, delivery reports and opt-outs, a form out with the answer in JSON.

Nothing that arrives is signed: the secret in the webhook's path, checked before this module is asked, and a list of source networks
stand in for that. Reports carry the provider's id only, so they are joined by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlencode

from channels import admission, fields, forms, numbers, sms, sms_callbacks, texts
from channels.http import Http, HttpAnswer, Refusals, refusal, refused
from core.model.adapter import Missed
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import ContactSignal, DeliveryReport, Ignored, InboundEvent, InboundMessage, RawRequest, UnreadableRequest
from core.model.outbound import DeliveryStatus, OutboundMessage, SendErrorCode, SendResult

TEXT_CHARS_MAX = 1_530  # ten parts
_DAY_MS = 86_400_000
_PAGES_MAX = 1_000  # of 100 messages
_PAGE_BYTES_MAX = 4_194_304
_FORM = {"content-type": forms.TYPE}
_STATUS: Mapping[str, DeliveryStatus] = {
    "sent": DeliveryStatus.ACCEPTED,  # by their own system
    "submitted": DeliveryStatus.SENT,
    "buffered": DeliveryStatus.SENT,
    "rejected": DeliveryStatus.FAILED,
    "success": DeliveryStatus.DELIVERED,
    "failed": DeliveryStatus.UNDELIVERED,
    "absentsubscriber": DeliveryStatus.UNDELIVERED,
    "expired": DeliveryStatus.UNDELIVERED,
}
_TAKEN = {100, 101, 102}  # processed, sent, queued
_REFUSED: Refusals = {
    401: (SendErrorCode.REFUSED, False),  # held as a risk
    402: (SendErrorCode.REFUSED, True),  # sender id
    403: (SendErrorCode.BAD_ADDRESS, False),
    404: (SendErrorCode.BAD_ADDRESS, False),  # kind of number
    405: (SendErrorCode.REFUSED, True),  # no credit
    406: (SendErrorCode.OPTED_OUT, False),
    407: (SendErrorCode.REFUSED, False),  # no route
    409: (SendErrorCode.REFUSED, False),  # do not disturb, outside the hours of the country
    500: (SendErrorCode.PROVIDER_DOWN, False),
    501: (SendErrorCode.PROVIDER_DOWN, False),
    502: (SendErrorCode.REFUSED, False),  # by the network
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a channel at Africa's Talking; its address is the short code, number or name that messages come from."""

    username: str = field(metadata={"doc": "User name of the application at Africa's Talking; sandbox in their sandbox."})
    api_key: str = field(repr=False, metadata={"doc": "API key of the application, by reference."})
    sources: tuple[str, ...] = field(
        default=(), metadata={"doc": "Networks that Africa's Talking calls from, such as 196.216.0.0/16; empty: from anywhere."}
    )
    api_base: str = field(
        default="https://api.africastalking.com",
        metadata={"doc": "Base address of the API; https://api.sandbox.africastalking.com for the sandbox.", "pattern": sms.API_BASE},
    )
    timeout_s: float = field(default=sms.TIMEOUT_S, metadata={"doc": "Seconds that one call of the API may take.", "least": 1, "most": 60})

    def __post_init__(self) -> None:
        if not self.username or not self.api_key:
            raise ValueError("username and api_key must not be empty")
        admission.networks(self.sources)


class SmsAfricasTalking(sms_callbacks.ByCallback):
    """The adapter of one short code, number or name at Africa's Talking."""

    kind = "sms_africastalking"
    capabilities = sms.capabilities(text_max_chars=TEXT_CHARS_MAX, provider_retries="not documented; their inbox can be read after a gap")

    def __init__(self, our_address: Address, settings: Settings, default_region: str) -> None:
        super().__init__(our_address, sms.LastEvents(parse, default_region), sources=settings.sources, timeout_s=settings.timeout_s)
        self._username = settings.username
        self._region = default_region
        self._send_url = f"{settings.api_base.rstrip('/')}/version1/messaging"
        self._headers = {"apiKey": settings.api_key, "Accept": "application/json"}
        self._inbox = Http(timeout_s=settings.timeout_s, connections=1, answer_bytes_max=_PAGE_BYTES_MAX)

    async def send(self, message: OutboundMessage) -> SendResult:
        """Hand one message to Africa's Talking; raises `SendError`."""
        form = {
            "username": self._username,
            "to": message.recipient.value,
            "from": message.sender.value,
            "message": sms.outgoing(message, TEXT_CHARS_MAX),
        }
        return SendResult(_taken(await self._http.post(self._send_url, form=form, headers=self._headers)))

    async def missed(self, since_ms: int, mark: str) -> Missed:
        """Return what came in since then, from the inbox, which is numbered: `mark` is the last id that was read. Raises `SendError`."""
        found: list[RawRequest] = []
        for _ in range(_PAGES_MAX):
            query = urlencode({"username": self._username, "lastReceivedId": mark or "0"})
            answer = await self._inbox.get(f"{self._send_url}?{query}", headers=self._headers)
            page = _inbox(answer)
            for entry in page:
                mark = str(entry.get("id", mark))
                at = sms.moment(str(entry.get("date", "")))
                if at is not None and at >= since_ms and numbers.sender(str(entry.get("to", "")), self._region) == self._address:
                    found.append(RawRequest("POST", "", _FORM, urlencode({name: str(value) for name, value in entry.items()}).encode(), at))
            if not page:
                break
        return Missed(sorted(found, key=lambda request: request.received_at), mark)

    async def close(self) -> None:
        """End the connections to Africa's Talking."""
        await super().close()
        await self._inbox.close()


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> SmsAfricasTalking:
    """Build the adapter of a channel at Africa's Talking."""
    del channel_id, public_url  # callbacks are set at the provider, for all messages
    return SmsAfricasTalking(our_address, settings, default_region)


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    form = fields.read(request)
    one = partial(fields.only, form)
    if "updateType" in form:
        return [Ignored("premium_subscription")]  # a paid service of the network, not consent to be written to
    if "senderId" in form and "phoneNumber" in form:
        return [_opt_out(one("phoneNumber"), one("senderId"), request.received_at, default_region)]
    external_id = one("id")
    if not sms.is_id(external_id):
        raise UnreadableRequest("bad_id")
    if "status" in form:
        status = _STATUS.get(one("status").lower())
        if status is None:
            return [Ignored("unknown_status")]
        return [DeliveryReport(external_id, status, code=one("failureReason")[:40] or None)]
    sender, recipient = numbers.sender(one("from"), default_region), numbers.receiver(one("to"), default_region)
    if sender is None or recipient is None:
        raise UnreadableRequest("bad_number", "from" if sender is None else "to")
    return [InboundMessage(external_id, sender, recipient, texts.clean(one("text")), sent_at=sms.moment(one("date")))]


def _opt_out(number: str, sender_id: str, received_at: int, region: str) -> InboundEvent:
    """Return the wish of a person; it has no id of its own, so it counts once a day."""
    person, ours = numbers.sender(number, region), numbers.sender(sender_id, region)
    if person is None or person.kind is not AddressKind.MSISDN or ours is None:
        raise UnreadableRequest("bad_number", "senderId" if ours is None else "phoneNumber")
    return ContactSignal(f"opt-out:{person.value}:{received_at // _DAY_MS}", person, ours, "opted_out")


def _inbox(answer: HttpAnswer) -> list[dict[str, Any]]:
    """Return one page of the inbox; raises `SendError` for what is none."""
    if not 200 <= answer.status < 300:
        raise refusal(answer)
    outcome = answer.json_object().get("SMSMessageData")
    messages = outcome.get("Messages") if isinstance(outcome, dict) else None
    if not isinstance(messages, list) or not all(isinstance(entry, dict) and entry.get("id") for entry in messages):
        raise sms.unreadable("a list of messages")
    return messages


def _taken(answer: HttpAnswer) -> str:
    """Return the id of the message; raises the error of its only recipient, of the whole, or of HTTP."""
    outcome = answer.json_object().get("SMSMessageData")
    recipients = outcome.get("Recipients") if isinstance(outcome, dict) else None
    first = recipients[0] if isinstance(recipients, list) and recipients else None
    if isinstance(first, dict) and type(first.get("statusCode")) is int and first["statusCode"] not in _TAKEN:
        raise refused(first["statusCode"], answer, _REFUSED)
    if not 200 <= answer.status < 300:
        raise refusal(answer)
    if recipients == [] and isinstance(outcome, dict) and outcome.get("Message") == "InvalidSenderId":
        raise refused(402, answer, _REFUSED)
    external_id = sms.taken(first.get("messageId") if isinstance(first, dict) else None)
    if external_id == "None":
        raise sms.unreadable("a message id")
    return external_id
