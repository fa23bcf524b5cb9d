"""SMS through Clickatell: callbacks of its One API and of the platform's older SMS integration in, the One API out.

What arrives is proved by the user and password of the callback, if it has them, and by the list of source networks. Reports give our
own id back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from urllib.parse import unquote_to_bytes

from channels import clickatell_http, fields, frames, numbers, sms, sms_callbacks, texts
from channels.http import HttpAnswer, Refusals, refusal, refused
from core.model.address import Address
from core.model.ids import ChannelId
from core.model.inbound import DeliveryReport, Ignored, InboundEvent, InboundMessage, RawRequest, UnreadableRequest
from core.model.outbound import DeliveryStatus, OutboundMessage, SendErrorCode, SendResult

TEXT_CHARS_MAX = 1_530  # ten parts
ITEMS_MAX = 1_000
_PARTS_WAIT_S = 60.0
_STATUS: Mapping[int, DeliveryStatus] = {  # One API
    2: DeliveryStatus.ACCEPTED,  # queued
    3: DeliveryStatus.ACCEPTED,  # scheduled
    4: DeliveryStatus.SENT,
    5: DeliveryStatus.DELIVERED,
    6: DeliveryStatus.READ,
    20: DeliveryStatus.UNDELIVERED,  # expired
    21: DeliveryStatus.FAILED,  # stopped by us
    22: DeliveryStatus.FAILED,  # stopped by them
    23: DeliveryStatus.UNDELIVERED,
    25: DeliveryStatus.FAILED,  # no credit
    26: DeliveryStatus.FAILED,  # limits of the account
    27: DeliveryStatus.FAILED,
    28: DeliveryStatus.FAILED,
    29: DeliveryStatus.UNDELIVERED,  # no such recipient
    60: DeliveryStatus.FAILED,
    61: DeliveryStatus.FAILED,
    100: DeliveryStatus.FAILED,  # routing
}
_OLD_STATUS: Mapping[int, DeliveryStatus] = {  # the older integration
    2: DeliveryStatus.ACCEPTED,  # queued
    3: DeliveryStatus.SENT,  # at the next gateway
    4: DeliveryStatus.DELIVERED,
    5: DeliveryStatus.FAILED,  # something in the message
    6: DeliveryStatus.FAILED,  # stopped
    7: DeliveryStatus.UNDELIVERED,
    8: DeliveryStatus.ACCEPTED,
    9: DeliveryStatus.FAILED,  # routing
    10: DeliveryStatus.UNDELIVERED,  # expired
    11: DeliveryStatus.ACCEPTED,  # queued for later
    12: DeliveryStatus.FAILED,  # no credit
    14: DeliveryStatus.FAILED,  # too long
}
_REFUSED: Refusals = {
    1: (SendErrorCode.BAD_CREDENTIALS, True),
    2: (SendErrorCode.BAD_CREDENTIALS, True),  # account not active
    3: (SendErrorCode.BAD_CREDENTIALS, True),  # integration not active
    7: (SendErrorCode.BAD_CREDENTIALS, True),  # our address is not on their list
    18: (SendErrorCode.PROVIDER_DOWN, False),
    19: (SendErrorCode.PROVIDER_DOWN, False),
    20: (SendErrorCode.REFUSED, True),  # no credit
    21: (SendErrorCode.REFUSED, True),  # malformed
    23: (SendErrorCode.REFUSED, True),  # parameter
    24: (SendErrorCode.TOO_LONG, False),
    25: (SendErrorCode.BAD_ADDRESS, False),
    26: (SendErrorCode.OPTED_OUT, False),
    27: (SendErrorCode.BAD_ADDRESS, False),
    28: (SendErrorCode.REFUSED, True),  # sandbox: recipient not registered
    38: (SendErrorCode.REFUSED, True),  # channel not active
    39: (SendErrorCode.REFUSED, True),  # channel not available
    43: (SendErrorCode.THROTTLED, False),
    44: (SendErrorCode.REFUSED, True),  # our number is suspended
    45: (SendErrorCode.REFUSED, True),  # not our number
    100: (SendErrorCode.TOO_LONG, False),
    101: (SendErrorCode.REFUSED, True),  # no two-way messages to this country
    110: (SendErrorCode.REFUSED, True),
    111: (SendErrorCode.REFUSED, True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(sms_callbacks.Settings):
    """Settings of a channel at Clickatell; its address is the two-way number, short code or name that messages come from."""

    two_way: bool = field(
        default=True, metadata={"doc": "Send with the channel's address as sender; false where the integration is one-way."}
    )
    api_base: str = field(default="https://platform.clickatell.com", metadata={"doc": "Base address of the API.", "pattern": sms.API_BASE})


class SmsClickatell(sms_callbacks.ByCallback):
    """The adapter of one number at Clickatell."""

    kind = "sms_clickatell"
    capabilities = replace(
        sms.capabilities(text_max_chars=TEXT_CHARS_MAX, provider_retries="several times, if it gets no 200", methods=sms.BY_GET),
        parts_wait_s=_PARTS_WAIT_S,
    )

    def __init__(self, our_address: Address, settings: Settings, default_region: str) -> None:
        events = sms.LastEvents(parse, default_region)
        super().__init__(our_address, events, sources=settings.sources, basic=settings.basic, timeout_s=settings.timeout_s)
        self._two_way = settings.two_way
        self._send_url = f"{settings.api_base.rstrip('/')}/v1/message"
        self._headers = {"Authorization": settings.api_key, "Accept": "application/json"}

    async def send(self, message: OutboundMessage) -> SendResult:
        """Hand one message to Clickatell; raises `SendError`."""
        one = {
            "channel": "sms",
            "to": sms.digits(message.recipient),
            "content": sms.outgoing(message, TEXT_CHARS_MAX),
            "clientMessageId": message.id,
        }
        if self._two_way:
            one["from"] = sms.digits(message.sender)
        return SendResult(_taken(await self._http.post(self._send_url, document={"messages": [one]}, headers=self._headers)))


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> SmsClickatell:
    """Build the adapter of a number at Clickatell."""
    del channel_id, public_url  # callbacks are set at the provider, for all messages
    return SmsClickatell(our_address, settings, default_region)


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    if clickatell_http.is_form(request):
        return [clickatell_http.event(fields.octets(request), default_region, _OLD_STATUS)]
    frame = frames.read_object(request.body)
    event = frame.get("event")
    if isinstance(frame.get("data"), dict):
        return [clickatell_http.event(clickatell_http.octets_of(frame["data"]), default_region, _OLD_STATUS)]
    if not isinstance(event, dict):
        return [_old(frame, default_region)]
    told = {"moText": partial(_message, region=default_region), "messageStatusUpdate": partial(_status, known=_STATUS)}
    items: list[tuple[str, Any]] = []
    for name, content in event.items():
        if not isinstance(content, list) or len(content) > ITEMS_MAX:
            raise UnreadableRequest("bad_member", name[:40])
        items += [(name, item) for item in content]
    return sms.each(items, lambda item: told[item[0]](_object(item[1])) if item[0] in told else Ignored("unknown_frame"))


def _message(item: dict[str, Any], region: str) -> InboundEvent:
    if frames.text_member(item, "channel", "sms").strip() != "sms":
        return Ignored("other_channel")
    return _said(item, region, sender="from", recipient="to", text="content")


def _old(frame: dict[str, Any], region: str) -> InboundEvent:
    if "statusCode" in frame and "text" not in frame:
        return _status(frame, known=_OLD_STATUS)
    return _said(frame, region, sender="fromNumber", recipient="toNumber", text="text")


def _said(item: dict[str, Any], region: str, *, sender: str, recipient: str, text: str) -> InboundEvent:
    who = numbers.sender(frames.text_member(item, sender, ""), region)
    ours = numbers.receiver(frames.text_member(item, recipient, ""), region)
    if who is None or ours is None:
        raise UnreadableRequest("bad_number", sender if who is None else recipient)
    said = _decoded(frames.text_member(item, text, ""), frames.text_member(item, "charset", "UTF-8"))
    return InboundMessage(_id(item), who, ours, texts.clean(said), sent_at=_time(item))


def _status(item: dict[str, Any], known: Mapping[int, DeliveryStatus]) -> InboundEvent:
    external_id, code = _id(item), str(item.get("statusCode", ""))
    reached = known.get(int(code)) if code.isdecimal() and len(code) < 6 else None
    if reached is None:
        return Ignored("unknown_status")
    ours = item.get("clientMessageId")
    bad = reached in {DeliveryStatus.FAILED, DeliveryStatus.UNDELIVERED}
    message_id = sms.our_id(ours) if isinstance(ours, str) else None
    return DeliveryReport(external_id, reached, message_id=message_id, code=code if bad else None, at=_time(item))


def _decoded(text: str, charset: str) -> str:
    """Return a text; the older integration writes others than UTF-8 as their escaped bytes."""
    encoding = clickatell_http.codec(charset, "utf-8")
    return text if encoding == "utf-8" else unquote_to_bytes(text.replace("+", " ").encode("utf-8", "replace")).decode(encoding, "replace")


def _id(item: dict[str, Any]) -> str:
    external_id = frames.text_member(item, "messageId")
    if not sms.is_id(external_id):
        raise UnreadableRequest("bad_id")
    return external_id


def _time(item: dict[str, Any]) -> int | None:
    value = item.get("timestamp")
    return value if type(value) is int and 0 < value < 10**14 else None


def _object(item: object) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise UnreadableRequest("bad_member")
    return item


def _taken(answer: HttpAnswer) -> str:
    """Return the id of the message; raises its error, that of the whole, or of HTTP."""
    document, first = answer.json_object(), answer.first("messages")
    for error in (first.get("error"), document.get("error"), document):
        code = error.get("code", error.get("errorCode")) if isinstance(error, dict) else None
        if isinstance(code, str) and code.isdecimal() and len(code) < 5:
            code = int(code)
        if type(code) is int and code:
            raise refused(code, answer, _REFUSED)
    if not 200 <= answer.status < 300:
        raise refusal(answer)
    return sms.taken(first.get("apiMessageId") if first.get("accepted") is not False else None)
