"""SMS through Vonage (once Nexmo): what its SMS API and its Messages API call us with, and the SMS API for sending.

The SMS API calls by GET, by form or by JSON, signed in a field; the Messages API by JSON, signed by a token. Delivery receipts give
our own id back. Each part of a long message that a customer wrote arrives as a call of its own, with its number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from channels import admission, attachments, fields, numbers, sms, texts, vonage_signatures
from channels.forms import Form
from channels.http import Http, HttpAnswer, Refusals, refusal, refused
from channels.once import Once
from channels.vonage_reports import VonageReports
from core.model.address import Address
from core.model.ids import ChannelId
from core.model.inbound import (
    AuthenticationFailed,
    DeliveryReport,
    Ignored,
    InboundEvent,
    InboundMessage,
    Media,
    Part,
    RawRequest,
    UnreadableRequest,
)
from core.model.outbound import Answer, DeliveryStatus, OutboundMessage, SendErrorCode, SendResult
from core.text.segments import is_gsm7

TEXT_CHARS_MAX = 1_530  # ten parts; the API itself takes 3,200 characters
_STATUS: Mapping[str, DeliveryStatus] = {
    "accepted": DeliveryStatus.SENT,  # by the carrier
    "buffered": DeliveryStatus.SENT,
    "submitted": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.READ,
    "expired": DeliveryStatus.UNDELIVERED,
    "undelivered": DeliveryStatus.UNDELIVERED,
    "undeliverable": DeliveryStatus.UNDELIVERED,
    "failed": DeliveryStatus.FAILED,
    "rejected": DeliveryStatus.FAILED,
}
_REFUSED: Refusals = {
    "1": (SendErrorCode.THROTTLED, False),
    "2": (SendErrorCode.REFUSED, True),  # parameter missing
    "3": (SendErrorCode.REFUSED, True),  # parameter invalid
    "4": (SendErrorCode.BAD_CREDENTIALS, True),
    "5": (SendErrorCode.PROVIDER_DOWN, False),
    "6": (SendErrorCode.BAD_ADDRESS, False),  # unknown prefix
    "7": (SendErrorCode.BAD_ADDRESS, False),  # barred number
    "8": (SendErrorCode.BAD_CREDENTIALS, True),  # account barred
    "9": (SendErrorCode.REFUSED, True),  # no credit
    "10": (SendErrorCode.THROTTLED, False),  # binds of the account
    "11": (SendErrorCode.BAD_CREDENTIALS, True),  # account not enabled
    "12": (SendErrorCode.TOO_LONG, False),
    "14": (SendErrorCode.BAD_CREDENTIALS, True),  # signature
    "15": (SendErrorCode.REFUSED, True),  # sender
    "22": (SendErrorCode.REFUSED, True),  # network code
    "23": (SendErrorCode.REFUSED, True),  # callback URL
    "29": (SendErrorCode.REFUSED, True),  # trial account: number not on its list
    "32": (SendErrorCode.BAD_CREDENTIALS, True),  # signature and secret together
    "33": (SendErrorCode.BAD_ADDRESS, False),  # number no longer active
}
_FILES, _FILES_MAX, _CAPTION_CHARS_MAX = ("image", "audio", "video", "vcard", "file"), 10, 2_000
_COUNT = re.compile(r"[0-9]{1,3}")
_PARTS_WAIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a channel at Vonage; its address is the number or short code that customers write to."""

    api_key: str = field(metadata={"doc": "API key of the account."})
    api_secret: str = field(repr=False, metadata={"doc": "API secret of the account, by reference."})
    signature_secret: tuple[str, ...] = field(
        default=(),
        repr=False,
        metadata={"doc": "Secret that signs requests to us; two while it is being changed. None: they are unsigned."},
    )
    signature_method: Literal["sha256", "sha512", "sha1", "md5", "md5hash"] = field(
        default="sha256", metadata={"doc": "How the SMS API signs, as chosen in their dashboard; md5hash is their MD5 hash without key."}
    )
    sources: tuple[str, ...] = field(default=(), metadata={"doc": "Networks that Vonage calls from; empty: from anywhere."})
    api_base: str = field(default="https://rest.nexmo.com", metadata={"doc": "Base address of the SMS API.", "pattern": sms.API_BASE})
    reports_base: str = field(
        default="https://api.nexmo.com",
        metadata={"doc": "Base address of the Reports API, which is asked for messages of unknown outcome.", "pattern": sms.API_BASE},
    )
    timeout_s: float = field(default=sms.TIMEOUT_S, metadata={"doc": "Seconds that one call of the API may take.", "least": 1, "most": 60})

    def __post_init__(self) -> None:
        if not self.api_key or not self.api_secret or not all(self.signature_secret):
            raise ValueError("api_key, api_secret and signature_secret must not be empty")
        admission.networks(self.sources)


class SmsVonage:
    """The adapter of one number at Vonage."""

    kind = "sms_vonage"
    capabilities = replace(
        sms.capabilities(text_max_chars=TEXT_CHARS_MAX, provider_retries="for 24 hours, until it gets 200 or 204", methods=sms.BY_GET),
        sends_per_s=30.0,
        parts_wait_s=_PARTS_WAIT_S,
    )

    def __init__(self, our_address: Address, settings: Settings, public_url: str, default_region: str) -> None:
        self._address = our_address
        self._api_key, self._api_secret = settings.api_key, settings.api_secret
        self._secrets, self._method = settings.signature_secret, settings.signature_method
        self._sources = admission.networks(settings.sources)
        self._callback = public_url
        self._send_url = f"{settings.api_base.rstrip('/')}/sms/json"
        self._region = default_region
        self._fields = Once(fields.read)
        self._http = Http(timeout_s=settings.timeout_s)
        self._reports = VonageReports(self._http, settings.reports_base, (settings.api_key, settings.api_secret), _STATUS)

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` unless Vonage signed the request, from a network of the list, for our account and number."""
        admission.check_source(self._sources, request.remote)
        by_token = self._check_token(request)
        try:
            form = self._fields.of(request)
        except UnreadableRequest as error:
            if self._secrets and not by_token:
                raise AuthenticationFailed("unsigned_body", error.code) from None
            return  # `parse` says what is wrong with it
        if self._secrets and not by_token:
            vonage_signatures.check_fields(self._secrets, self._method, form)
        self._check_account(form.get("api-key", (None,))[0])
        ours = _ours(form)
        if ours and numbers.sender(ours, self._region) != self._address:
            raise AuthenticationFailed("other_number")

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Return the message or delivery receipt of a webhook call."""
        return _events(self._fields.of(request), self._region)

    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        """Return an empty answer; replies are sent."""
        del replies
        return Answer()

    async def send(self, message: OutboundMessage) -> SendResult:
        """Hand one message to Vonage; raises `SendError`."""
        text = sms.outgoing(message, TEXT_CHARS_MAX)
        form = {
            "api_key": self._api_key,
            "api_secret": self._api_secret,
            "from": sms.digits(message.sender),
            "to": sms.digits(message.recipient),
            "text": text,
            "type": "text" if is_gsm7(text) else "unicode",
            "client-ref": message.id,
            "callback": self._callback,
        }
        return SendResult(_taken(await self._http.post(self._send_url, form=form)))

    async def look_up(self, message_id: str, external_id: str, recipient: str, sent_at: int) -> DeliveryReport | None:
        """Return what Vonage knows of a message, which has our own id there; raises `SendError`, also while it knows nothing."""
        del external_id
        return await self._reports.look_up(message_id, to=recipient.removeprefix("+"), sent_at=sent_at)

    async def close(self) -> None:
        """End the connections to Vonage."""
        await self._http.close()

    def _check_token(self, request: RawRequest) -> bool:
        """Tell whether the request is signed by a token, as the Messages API does; raises `AuthenticationFailed` for a wrong one."""
        authorization = request.headers.get("authorization", "")
        if not self._secrets or not authorization:
            return False
        claims = vonage_signatures.check_token(self._secrets, authorization, request.body)
        self._check_account(claims.get("api_key"))
        return True

    def _check_account(self, given: object) -> None:
        if given is not None and given != self._api_key:
            raise AuthenticationFailed("other_account")


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> SmsVonage:
    """Build the adapter of a number at Vonage."""
    del channel_id  # Vonage knows the channel by its URL and number
    return SmsVonage(our_address, settings, public_url, default_region)


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    return _events(fields.read(request), default_region)


def _ours(form: Form) -> str:
    """Return the number of a message's receiver, empty for a receipt, where that is the customer or our name."""
    if "status" in form:
        return ""
    return form.get("to", form.get("to.number", ("",)))[0]


def _events(form: Form, region: str) -> Sequence[InboundEvent]:
    one = partial(fields.only, form)
    if not form:
        return [Ignored("url_check")]  # they call so when the address is entered
    channel = one("channel") or one("from.type")
    if channel not in {"", "sms", "mms"}:
        return [Ignored("other_channel")]
    external_id = one("messageId") or one("message_uuid")
    if not sms.is_id(external_id):
        raise UnreadableRequest("bad_id")
    at = sms.moment(one("message-timestamp") or (one("timestamp") if "message_uuid" in form else ""))
    if "status" in form:
        return [_receipt(form, external_id, at)]
    sender = numbers.sender(one("msisdn") or one("from") or one("from.number"), region)
    recipient = numbers.receiver(one("to") or one("to.number"), region)
    if sender is None or recipient is None:
        raise UnreadableRequest("bad_number", "msisdn" if sender is None else "to")
    media = _binary(one("data")) if one("type") == "binary" else _attachments(form)
    text = one("text") or one("message.content.text") or next((item.caption for item in media), "")
    return [InboundMessage(external_id, sender, recipient, texts.clean(text), media=media, sent_at=at, part=None if media else _part(one))]


def _binary(data: str) -> tuple[Media, ...]:
    """Return the octets of a message that is no text, written as hexadecimal digits, as a file."""
    try:
        content = bytes.fromhex(data)
    except ValueError:
        raise UnreadableRequest("binary") from None
    return (Media("document", content_type="application/octet-stream", content=content),) if content else ()


def _attachments(form: Form) -> tuple[Media, ...]:
    """Return the files of an MMS, one by one or as a list; they stay at Vonage."""
    if not any(name.endswith(".url") for name in form):
        return ()
    kinds = [(kind, kind) for kind in _FILES]
    kinds += [(f"content.{index}", fields.only(form, f"content.{index}.type")) for index in range(_FILES_MAX)]
    found = []
    for place, kind in kinds:
        url = fields.only(form, f"{place}.url")
        if attachments.is_link(url):
            caption, name = (texts.clean(fields.only(form, f"{place}.{detail}"))[:_CAPTION_CHARS_MAX] for detail in ("caption", "name"))
            found.append(Media(attachments.kind_of(kind), url, caption=caption, name=name[:200]))
    return tuple(found)


def _part(one: Callable[[str], str]) -> Part | None:
    """Return which part of a long message this is; None for a whole one, and for numbers that make no sense."""
    series, total, number = one("concat-ref"), one("concat-total"), one("concat-part")
    if one("concat") != "true" or not sms.is_id(series) or not all(_COUNT.fullmatch(text) for text in (total, number)):
        return None
    return Part(series, int(number), int(total)) if 1 <= int(number) <= int(total) and int(total) > 1 else None


def _receipt(form: Form, external_id: str, at: int | None) -> InboundEvent:
    one = partial(fields.only, form)
    status = _STATUS.get(one("status").lower())
    if status is None:
        return Ignored("unknown_status")
    code = one("err-code") or one("error.title") or one("error.code")
    ours = sms.our_id(one("client-ref") or one("client_ref"))
    return DeliveryReport(external_id, status, message_id=ours, code=code[:40] if code not in {"", "0"} else None, at=at)


def _taken(answer: HttpAnswer) -> str:
    """Return the id of the message's first part; raises what its status means."""
    first = answer.first("messages")
    status = first.get("status")
    if isinstance(status, str) and status and status != "0":
        raise refused(status, answer, _REFUSED)
    if not 200 <= answer.status < 300:
        raise refusal(answer)
    return sms.taken(first.get("message-id") if status == "0" else None)
