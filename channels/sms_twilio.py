"""SMS and MMS through Twilio: signed webhooks in, TwiML or REST out, status callbacks that carry our own message id in their URL.

Checks, parses and renders; what is sent by REST goes through `twilio_rest`. Must not believe a field before the signature holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape, quoteattr

from channels import forms, numbers, signatures, texts
from channels.http import Http
from core.model.address import Address, AddressKind
from core.model.capabilities import Capabilities, Family
from core.model.ids import ChannelId
from core.model.inbound import (
    AuthenticationFailed,
    ContactSignal,
    DeliveryReport,
    Ignored,
    InboundEvent,
    InboundMessage,
    Media,
    RawRequest,
    UnreadableRequest,
)
from core.model.outbound import Answer, DeliveryStatus, OutboundMessage, SendError, SendErrorCode, SendResult
from core.text.segments import transliterate
from core.text.split import split

if TYPE_CHECKING:
    from channels.twilio_rest import TwilioRest

TEXT_CHARS_MAX = 1_600
_MEDIA_MAX = 10
_URL_CHARS_MAX = 2_048
_SIGNATURE = "x-twilio-signature"
_SID = re.compile(r"(SM|MM)[0-9A-Za-z]{1,32}")  # no room for a neighbouring field that a forger lets run into it
_MESSAGE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NOT_XML = re.compile("[\ufffe\uffff\ud800-\udfff]")
_ONCE = ("AccountSid", "Body", "ErrorCode", "From", "MessageSid", "MessageStatus", "NumMedia", "OptOutType", "SmsSid", "SmsStatus", "To")
_STATUS: Mapping[str, DeliveryStatus] = {
    "accepted": DeliveryStatus.ACCEPTED,
    "scheduled": DeliveryStatus.ACCEPTED,
    "queued": DeliveryStatus.ACCEPTED,
    "sending": DeliveryStatus.ACCEPTED,
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "undelivered": DeliveryStatus.UNDELIVERED,
    "failed": DeliveryStatus.FAILED,
    "canceled": DeliveryStatus.FAILED,
    "read": DeliveryStatus.READ,
}
_CONSENT = {"STOP": "opted_out", "START": "opted_in"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a channel at Twilio; its address is the phone number or short code that customers write to."""

    account_sid: str = field(repr=False, metadata={"doc": "SID of the Twilio account, by reference."})
    auth_token: tuple[str, ...] = field(
        repr=False, metadata={"doc": "Auth token of the account, by reference; two while it is being changed, the one for sending first."}
    )
    replies: Literal["twiml", "rest"] = field(
        default="twiml", metadata={"doc": "How the bot's answers leave: twiml in the answer to the webhook, rest as calls of the API."}
    )
    api_base: str = field(
        default="https://api.twilio.com",
        metadata={"doc": "Base address of the API; simulator for the built-in stand-in.", "pattern": r"simulator|https?://[^\s?#@]+"},
    )
    timeout_s: float = field(default=15.0, metadata={"doc": "Seconds that one call of the API may take.", "least": 1, "most": 60})

    def __post_init__(self) -> None:
        if not self.account_sid or not self.auth_token or not all(self.auth_token):
            raise ValueError("account_sid and auth_token must not be empty")


class SmsTwilio:
    """The adapter of one number at Twilio."""

    kind = "sms_twilio"

    def __init__(
        self, our_address: Address, settings: Settings, public_url: str, default_region: str, *, rest: TwilioRest, http: Http
    ) -> None:
        self.capabilities = Capabilities(
            family=Family.SMS,
            text_max_chars=TEXT_CHARS_MAX,
            text_budget_chars=459,  # three parts
            gsm7=True,
            inline_reply=settings.replies == "twiml",
            merge_replies=True,
            delivery_reports=True,
            provider_retries="once, and only if it could not connect; more with #rc=5&rp=all at the end of the webhook URL",
        )
        self._address = our_address
        self._account_sid = settings.account_sid
        self._auth_tokens = settings.auth_token
        self._callback = public_url
        self._region = default_region
        self._rest = rest
        self._http = http
        self._forms = forms.LastForm()

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` unless Twilio signed the request, for our account and our number."""
        given = request.headers.get(_SIGNATURE, "")
        content_type = request.headers.get("content-type", "")
        if content_type.partition(";")[0].strip().lower() == "application/json":
            signatures.check_twilio(self._auth_tokens, request.url, {}, given)
            signatures.check_body_hash(request.url, request.body)
            return
        try:
            form = self._forms.of(request)
        except forms.NotAForm as error:
            raise AuthenticationFailed("unsigned_body", error.code) from None
        signatures.check_twilio(self._auth_tokens, request.url, form, given)
        for name in _ONCE:
            if len(form.get(name, ())) > 1:
                raise AuthenticationFailed("repeated_field", name)
        if not _one(form, "From") or not _one(form, "To"):  # their place in the signed string keeps the text from running into them
            raise AuthenticationFailed("missing_field")
        if _one(form, "AccountSid") != self._account_sid:
            raise AuthenticationFailed("other_account")
        if _one(form, "From" if "MessageStatus" in form else "To") != self._address.value:
            raise AuthenticationFailed("other_number")

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Return the message, consent signal or delivery report of a webhook call."""
        return _events(request, self._region, self._forms)

    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        """Return TwiML with the replies; a text above Twilio's limit becomes several messages."""
        messages = "".join(self._message(reply) for reply in replies)
        body = f"<Response>{messages}</Response>" if messages else "<Response/>"
        return Answer(content_type="text/xml; charset=utf-8", body=f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode())

    async def send(self, message: OutboundMessage) -> SendResult:
        """Hand one message to Twilio; raises `SendError`."""
        if message.reply.media:
            raise SendError(SendErrorCode.UNSUPPORTED, retryable=False, detail="media cannot be sent")
        text = _printable(message.reply.text)
        if len(text) > TEXT_CHARS_MAX:
            raise SendError(SendErrorCode.TOO_LONG, retryable=False, detail=f"{len(text)} characters, at most {TEXT_CHARS_MAX}")
        sid = await self._rest.create(
            to=message.recipient.value, from_=message.sender.value, body=text, status_callback=self._callback_url(message)
        )
        return SendResult(external_id=sid)

    async def close(self) -> None:
        """End the connections to Twilio."""
        await self._http.close()

    def _message(self, message: OutboundMessage) -> str:
        """Return the TwiML of one reply; only the last part reports back, since all would report under one id."""
        *first, last = split(_printable(message.reply.text), TEXT_CHARS_MAX)
        parts = "".join(f"<Message>{escape(part)}</Message>" for part in first)
        return f"{parts}<Message statusCallback={quoteattr(self._callback_url(message))}>{escape(last)}</Message>"

    def _callback_url(self, message: OutboundMessage) -> str:
        return f"{self._callback}?m={message.id}"


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> SmsTwilio:
    """Build the adapter of a number at Twilio; raises ValueError for an address or API that cannot be."""
    from channels.twilio_rest import TwilioRest  # noqa: PLC0415 - the library is for configured channels only

    del channel_id  # Twilio knows the channel by its URL and number
    if our_address.kind not in {AddressKind.MSISDN, AddressKind.SHORT_CODE}:
        raise ValueError(f"the address of a Twilio channel is a phone number or short code, not {our_address}")
    if not settings.api_base.startswith(("http://", "https://")):
        raise ValueError(f"api_base must be a web address, not {settings.api_base!r}")
    http = Http(timeout_s=settings.timeout_s)
    rest = TwilioRest(settings.account_sid, settings.auth_token[0], settings.api_base, http)
    return SmsTwilio(our_address, settings, public_url, default_region, rest=rest, http=http)


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    return _events(request, default_region, forms.LastForm())


def _events(request: RawRequest, region: str, last_form: forms.LastForm) -> Sequence[InboundEvent]:
    try:
        form = last_form.of(request)
    except forms.NotAForm as error:
        raise UnreadableRequest(error.code) from None
    sid = _one(form, "MessageSid") or _one(form, "SmsSid")
    if not _SID.fullmatch(sid):
        raise UnreadableRequest("bad_message_sid")
    if "MessageStatus" in form:
        return [_report(sid, form, request.url)]
    sender, recipient = numbers.sender(_one(form, "From"), region), numbers.sender(_one(form, "To"), region)
    if sender is None or recipient is None:
        raise UnreadableRequest("bad_number", "From" if sender is None else "To")
    text = texts.clean(_one(form, "Body"))
    signal = _CONSENT.get(_one(form, "OptOutType").upper())
    if signal is not None:  # Twilio has acted on the word and confirmed it, so there is nothing left to answer
        return [ContactSignal(external_id=sid, sender=sender, recipient=recipient, signal=signal, value=text)]
    return [
        InboundMessage(
            external_id=sid,
            sender=sender,
            recipient=recipient,
            text=text,
            media=_media(form),
            profile_name=texts.clean(_one(form, "ProfileName"))[:100] or None,
        )
    ]


def _report(sid: str, form: forms.Form, url: str) -> InboundEvent:
    status = _STATUS.get(_one(form, "MessageStatus").lower())
    if status is None:
        return Ignored("unknown_status")
    return DeliveryReport(external_id=sid, status=status, message_id=_our_id(url), code=_one(form, "ErrorCode")[:20] or None)


def _our_id(url: str) -> str | None:
    """Return our own id from the signed URL of a status callback."""
    try:
        given = parse_qs(urlsplit(url).query, max_num_fields=50).get("m", [])
    except ValueError:
        return None
    return given[0] if len(given) == 1 and _MESSAGE_ID.fullmatch(given[0]) else None


def _media(form: forms.Form) -> tuple[Media, ...]:
    """Return references to what came along; it stays at Twilio until a job with limits fetches it."""
    count = _one(form, "NumMedia")
    if not re.fullmatch(r"[0-9]{1,2}", count):
        return ()
    found = []
    for index in range(min(int(count), _MEDIA_MAX)):
        url, content_type = _one(form, f"MediaUrl{index}"), _one(form, f"MediaContentType{index}").lower()[:100]
        if url.startswith(("https://", "http://")) and len(url) <= _URL_CHARS_MAX:
            kind = content_type.partition("/")[0]
            found.append(Media(kind=kind if kind in {"image", "audio", "video"} else "document", url=url, content_type=content_type))
    return tuple(found)


def _one(form: forms.Form, name: str) -> str:
    values = form.get(name, ("",))
    if len(values) > 1:
        raise UnreadableRequest("repeated_field", name)
    return values[0]


def _printable(text: str) -> str:
    """Return a text for a phone: plain typography, and no character that XML cannot hold."""
    return _NOT_XML.sub("\ufffd", texts.clean(transliterate(text)))
