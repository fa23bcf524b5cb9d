"""SMS through Infobip: batches of messages or delivery reports in JSON, one message at a time out.

What arrives is proved by the user and password of the subscription, if it has them, and by the list of source networks. Messages are
sent under our own id, so that Infobip refuses to take the same one twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from channels import attachments, frames, numbers, sms, sms_callbacks, texts
from channels.http import HttpAnswer, Refusals, refusal, refused
from core.model.address import Address
from core.model.capabilities import OnUnknown
from core.model.ids import ChannelId
from core.model.inbound import DeliveryReport, Ignored, InboundEvent, InboundMessage, Media, RawRequest, UnreadableRequest
from core.model.outbound import DeliveryStatus, OutboundMessage, SendErrorCode, SendResult

TEXT_CHARS_MAX = 1_530  # ten parts
RESULTS_MAX = 1_000
_GROUPS = {1: "PENDING", 2: "UNDELIVERABLE", 3: "DELIVERED", 4: "EXPIRED", 5: "REJECTED"}
_STATUS: Mapping[str, DeliveryStatus] = {
    "PENDING": DeliveryStatus.ACCEPTED,
    "UNDELIVERABLE": DeliveryStatus.UNDELIVERED,
    "DELIVERED": DeliveryStatus.DELIVERED,
    "EXPIRED": DeliveryStatus.UNDELIVERED,
    "REJECTED": DeliveryStatus.FAILED,
}
_STATUS_OF_NAME: Mapping[str, DeliveryStatus] = {  # where a group holds more than one of our statuses
    "PENDING_ENROUTE": DeliveryStatus.SENT,
    "PENDING_WAITING_DELIVERY": DeliveryStatus.SENT,
    "DELIVERED_TO_OPERATOR": DeliveryStatus.SENT,
}
_DUPLICATE = "REJECTED_DUPLICATE_MESSAGE_ID"
_REFUSED: Refusals = {
    "REJECTED_FLOODING_FILTER": (SendErrorCode.THROTTLED, False),
    "REJECTED_SYSTEM_ERROR": (SendErrorCode.PROVIDER_DOWN, False),
    "REJECTED_DND": (SendErrorCode.OPTED_OUT, False),
    "REJECTED_PREFIX_MISSING": (SendErrorCode.BAD_ADDRESS, False),
    "REJECTED_DESTINATION": (SendErrorCode.BAD_ADDRESS, False),
    "REJECTED_INVALID_DESTINATION": (SendErrorCode.BAD_ADDRESS, False),
    "MISSING_TO": (SendErrorCode.BAD_ADDRESS, False),
    "REJECTED_MESSAGE_TOO_LONG": (SendErrorCode.TOO_LONG, False),
    "REJECTED_NETWORK": (SendErrorCode.REFUSED, True),
    "REJECTED_SOURCE": (SendErrorCode.REFUSED, True),
    "REJECTED_SENDER": (SendErrorCode.REFUSED, True),
    "REJECTED_NOT_ENOUGH_CREDITS": (SendErrorCode.REFUSED, True),
    "REJECTED_PREPAID_PACKAGE_EXPIRED": (SendErrorCode.REFUSED, True),
    "REJECTED_DESTINATION_NOT_REGISTERED": (SendErrorCode.REFUSED, True),  # trial account
    "REJECTED_ROUTE_NOT_AVAILABLE": (SendErrorCode.REFUSED, True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(sms_callbacks.Settings):
    """Settings of a channel at Infobip; its address is the number, short code or name that messages come from."""

    api_base: str = field(
        metadata={"doc": "Base address that Infobip gave the account: https://xxxxx.api.infobip.com.", "pattern": sms.API_BASE}
    )


class SmsInfobip(sms_callbacks.ByCallback):
    """The adapter of one number or name at Infobip."""

    kind = "sms_infobip"
    capabilities = sms.capabilities(
        text_max_chars=TEXT_CHARS_MAX,
        on_unknown=OnUnknown.KEYED,
        provider_retries="at growing intervals, until it gets a 2xx",
    )

    def __init__(self, our_address: Address, settings: Settings, public_url: str, default_region: str) -> None:
        events = sms.LastEvents(parse, default_region)
        super().__init__(our_address, events, sources=settings.sources, basic=settings.basic, timeout_s=settings.timeout_s)
        self._callback = public_url
        self._logs_url = f"{settings.api_base.rstrip('/')}/sms/3/logs"
        self._send_url = f"{settings.api_base.rstrip('/')}/sms/3/messages"
        self._headers = {"Authorization": f"App {settings.api_key}", "Accept": "application/json"}

    async def send(self, message: OutboundMessage) -> SendResult:
        """Hand one message to Infobip; raises `SendError`."""
        document = {
            "messages": [
                {
                    "sender": sms.digits(message.sender),
                    "destinations": [{"to": sms.digits(message.recipient), "messageId": message.id}],
                    "content": {"text": sms.outgoing(message, TEXT_CHARS_MAX)},
                    "webhooks": {
                        "delivery": {"url": self._callback, "intermediateReport": True},
                        "contentType": "application/json",
                        "callbackData": message.id,
                    },
                }
            ]
        }
        return SendResult(_taken(await self._http.post(self._send_url, document=document, headers=self._headers), message.id))

    async def look_up(self, message_id: str, external_id: str, recipient: str, sent_at: int) -> DeliveryReport | None:
        """Return what Infobip knows of a message, which has our own id there; raises `SendError`."""
        del external_id, recipient, sent_at
        answer = await self._http.get(f"{self._logs_url}?messageId={message_id}", headers=self._headers)
        if not 200 <= answer.status < 300:
            raise refusal(answer, _error_code(answer.json_object()))
        results = answer.json_object().get("results")
        if not isinstance(results, list):
            raise sms.unreadable("a list of messages")
        for result in results:
            status = result.get("status") if isinstance(result, dict) else None
            if isinstance(status, dict) and result.get("messageId") == message_id:
                told = _report(result, message_id, status)
                return told if isinstance(told, DeliveryReport) else DeliveryReport(message_id, DeliveryStatus.ACCEPTED)
        return None


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> SmsInfobip:
    """Build the adapter of a number or name at Infobip."""
    del channel_id  # Infobip knows the channel by its URL
    return SmsInfobip(our_address, settings, public_url, default_region)


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    results = frames.read_object(request.body).get("results")
    if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
        raise UnreadableRequest("bad_member", "results")
    if len(results) > RESULTS_MAX:
        raise UnreadableRequest("too_many_fields", "results")
    return sms.each(results, partial(_event, region=default_region))


def _event(result: dict[str, Any], region: str) -> InboundEvent:
    if result.get("integrationType", "SMS") not in {"SMS", "MMS"}:
        return Ignored("other_channel")
    external_id = str(result.get("messageId", ""))
    if not sms.is_id(external_id):
        raise UnreadableRequest("bad_id")
    status = result.get("status")
    if isinstance(status, dict):
        return _report(result, external_id, status)
    sender = numbers.sender(frames.text_member(result, "from", ""), region)
    recipient = numbers.receiver(frames.text_member(result, "to", ""), region)
    if sender is None or recipient is None:
        raise UnreadableRequest("bad_number", "from" if sender is None else "to")
    text = result["text"] if isinstance(result.get("text"), str) else ""
    media: tuple[Media, ...] = ()
    content = result.get("message")  # of an MMS, in parts
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict)]
        said = [text, *(part["value"] for part in parts if isinstance(part.get("value"), str))]
        text, media = "\n".join(filter(None, said)), tuple(_attachment(part) for part in parts if "url" in part)
    return InboundMessage(external_id, sender, recipient, texts.clean(text), media=media, sent_at=_time(result, "receivedAt"))


def _attachment(part: dict[str, Any]) -> Media:
    """Return the part of an MMS that is a file."""
    content_type = frames.text_member(part, "contentType", "").lower()[:100]
    url = frames.text_member(part, "url")
    return Media(attachments.kind_of(content_type), url if attachments.is_link(url) else "", content_type)


def _report(result: dict[str, Any], external_id: str, status: dict[str, Any]) -> InboundEvent:
    name, group = status.get("name"), status.get("groupName")
    if not isinstance(group, str):
        number = status.get("groupId")
        group = _GROUPS.get(number, "") if isinstance(number, int) else ""
    reached = _STATUS_OF_NAME.get(name) if isinstance(name, str) else None
    reached = reached or _STATUS.get(group.upper())
    if reached is None:
        return Ignored("unknown_status")
    error = result.get("error")
    code = error.get("name") if isinstance(error, dict) else None
    ours = result.get("callbackData")
    return DeliveryReport(
        external_id,
        reached,
        message_id=(sms.our_id(ours) if isinstance(ours, str) else None) or sms.our_id(external_id),
        code=code[:40] if isinstance(code, str) and code not in {"", "NO_ERROR"} else None,
        at=_time(result, "doneAt"),
    )


def _time(result: dict[str, Any], name: str) -> int | None:
    value = result.get(name)
    return sms.moment(value) if isinstance(value, str) else None


def _taken(answer: HttpAnswer, message_id: str) -> str:
    """Return the id of the message; raises what its status means."""
    document = answer.json_object()
    if not 200 <= answer.status < 300:
        raise refusal(answer, _error_code(document), certain=bool(_error_code(document)))
    first = answer.first("messages")
    status = first.get("status")
    name, group = (status.get("name"), status.get("groupId")) if isinstance(status, dict) else (None, None)
    if name == _DUPLICATE:
        return message_id  # an earlier attempt whose answer we did not get
    if group in {2, 4, 5} and isinstance(name, str):
        raise refused(name, answer, _REFUSED)
    return sms.taken(first.get("messageId"))


def _error_code(document: dict[str, Any]) -> str:
    """Return Infobip's own code for a refusal, of the present form or of the older one; empty if there is none."""
    code = document.get("errorCode")
    if code is None:
        error = document.get("requestError")
        error = error.get("serviceException") if isinstance(error, dict) else None
        code = error.get("messageId") if isinstance(error, dict) else None
    return code[:40] if isinstance(code, str) else ""
