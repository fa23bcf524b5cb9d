"""SMS and MMS through Plivo: signed forms in, JSON out, delivery reports that carry our own message id in their URL.

Plivo's third signature covers URL and fields, its second the address alone; which of them a number's callbacks have, the account
decides. Must not believe a field before the signature holds.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal
from urllib.parse import urlsplit

from channels import attachments, fields, numbers, signatures, sms, texts
from channels.forms import Form
from channels.http import Http, HttpAnswer, basic, refusal
from channels.once import Once
from channels.plivo_lists import PlivoLists
from core.model.adapter import MediaSource
from core.model.address import Address
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
from core.text.segments import is_gsm7
from core.text.split import ucs2_length

TEXT_CHARS_MAX = 1_600
UCS2_UNITS_MAX = 737
_MEDIA = tuple(f"Media{index}" for index in range(11))  # counted from 0, or from 1
_MEDIA_HOSTS = ("media.plivo.com", "aps1.media.plivo.com", "api.plivo.com")
_ID = re.compile(r"[0-9A-Za-z-]{1,36}")  # a UUID, and no room for a neighbouring field that a forger lets run into it
_ONCE = ("Body", "ErrorCode", "From", "MessageIntent", "MessageUUID", "ParentMessageUUID", "Status", "Text", "To", "Type", "status")
_CONSENT = {"optout": "opted_out", "optin": "opted_in"}
_STATUS: Mapping[str, DeliveryStatus] = {
    "queued": DeliveryStatus.ACCEPTED,
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.READ,
    "undelivered": DeliveryStatus.UNDELIVERED,
    "failed": DeliveryStatus.FAILED,
    "rejected": DeliveryStatus.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a channel at Plivo; its address is the phone number or short code that customers write to."""

    auth_id: str = field(repr=False, metadata={"doc": "Auth ID of the account or subaccount, by reference."})
    auth_token: tuple[str, ...] = field(
        repr=False, metadata={"doc": "Auth token, by reference; two while it is being changed, the one for sending first."}
    )
    signature: Literal["v3", "v2"] = field(
        default="v3", metadata={"doc": "Signature that callbacks must have. v2 covers the address only: take it just if v3 never comes."}
    )
    api_base: str = field(default="https://api.plivo.com", metadata={"doc": "Base address of the API.", "pattern": sms.API_BASE})
    timeout_s: float = field(default=sms.TIMEOUT_S, metadata={"doc": "Seconds that one call of the API may take.", "least": 1, "most": 60})

    def __post_init__(self) -> None:
        if not self.auth_id or not self.auth_token or not all(self.auth_token):
            raise ValueError("auth_id and auth_token must not be empty")


class SmsPlivo:
    """The adapter of one number at Plivo."""

    kind = "sms_plivo"
    capabilities = sms.capabilities(text_max_chars=TEXT_CHARS_MAX, provider_retries="a few times, if it gets no 2xx")

    def __init__(self, our_address: Address, settings: Settings, public_url: str, default_region: str) -> None:
        self._address = our_address
        self._auth_tokens = settings.auth_token
        self._version = settings.signature
        self._callback = public_url
        self._region = default_region
        self._media_hosts = {urlsplit(settings.api_base).hostname or "", *_MEDIA_HOSTS}
        self._send_url = f"{settings.api_base.rstrip('/')}/v1/Account/{settings.auth_id}/Message/"
        self._headers = {"Authorization": basic(f"{settings.auth_id}:{settings.auth_token[0]}")}
        self._fields = Once(fields.read)
        self._http = Http(timeout_s=settings.timeout_s)
        self._lists = PlivoLists(self._http, self._send_url, self._headers, _STATUS)

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` unless Plivo signed the request, for our number."""
        try:
            form = self._fields.of(request)
        except UnreadableRequest as error:
            raise AuthenticationFailed("unsigned_body", error.code) from None
        check_signature(self._auth_tokens, request, form, self._version)
        for name in _ONCE:
            if len(form.get(name, ())) > 1:
                raise AuthenticationFailed("repeated_field", name)
        if not fields.only(form, "From") or not fields.only(
            form, "To"
        ):  # their place in the signed string keeps the text from running over
            raise AuthenticationFailed("missing_field")
        if numbers.sender(fields.only(form, "From" if _status(form) else "To"), self._region) != self._address:
            raise AuthenticationFailed("other_number")

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Return the message or delivery report of a callback."""
        return _events(self._fields.of(request), request, self._region)

    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        """Return the XML that asks for nothing; replies are sent."""
        del replies
        return Answer(content_type="text/xml; charset=utf-8", body=b"<Response></Response>")

    async def send(self, message: OutboundMessage) -> SendResult:
        """Hand one message to Plivo; raises `SendError`."""
        text = sms.outgoing(message, TEXT_CHARS_MAX)
        if not is_gsm7(text) and ucs2_length(text) > UCS2_UNITS_MAX:
            raise SendError(SendErrorCode.TOO_LONG, retryable=False, detail=f"at most {UCS2_UNITS_MAX} characters outside the GSM alphabet")
        document = {
            "src": sms.digits(message.sender),
            "dst": sms.digits(message.recipient),
            "text": text,
            "type": "sms",
            "url": f"{self._callback}?m={message.id}",
            "method": "POST",
        }
        return SendResult(_taken(await self._http.post(self._send_url, document=document, headers=self._headers)))

    async def look_up(self, message_id: str, external_id: str, recipient: str, sent_at: int) -> DeliveryReport | None:
        """Return what Plivo knows of a message of ours; raises `SendError`."""
        del message_id  # Plivo gives it back in reports only
        return await self._lists.look_up(external_id, to=recipient, from_=self._address.value, sent_at=sent_at)

    async def media_source(self, media: Media) -> MediaSource:
        """Say from where an attachment is fetched: Plivo asks for the account's password where the account wants that."""
        host = urlsplit(media.url).hostname
        return MediaSource(media.url, tuple(sorted(self._media_hosts, key=lambda name: name != host)), self._headers)

    async def close(self) -> None:
        """End the connections to Plivo."""
        await self._http.close()


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> SmsPlivo:
    """Build the adapter of a number at Plivo."""
    del channel_id  # Plivo knows the channel by its URL and number
    return SmsPlivo(our_address, settings, public_url, default_region)


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    return _events(fields.read(request), request, default_region)


def check_signature(auth_tokens: Iterable[str], request: RawRequest, form: Form, version: str) -> None:
    """Raise `AuthenticationFailed` unless one of the signatures in the headers is of this request under one of the tokens."""
    nonce = request.headers.get(f"x-plivo-signature-{version}-nonce", "")
    headers = [request.headers.get(f"x-plivo-signature-{name}", "") for name in (version, f"ma-{version}")]
    given = [value.strip() for header in headers for value in header.split(",") if value.strip()]
    if not given or not nonce:
        raise AuthenticationFailed("missing_signature")
    if not all(value.isascii() for value in given):
        raise AuthenticationFailed("bad_signature")
    try:
        signed = [signed_text(url, request.method, form, nonce, version) for url in signatures.url_forms(request.url)]
    except (UnreadableRequest, UnicodeEncodeError):
        raise AuthenticationFailed("bad_url") from None
    # Plivo's own libraries disagree on letters outside ASCII: one signs their UTF-8, another that read as Latin-1 and encoded again.
    signed += [text.decode("latin-1").encode() for text in signed if not text.isascii()]
    valid = False
    for token in auth_tokens:
        for text in signed:
            mac = b64encode(hmac.digest(token.encode(), text, "sha256")).decode()
            for value in given:
                valid |= hmac.compare_digest(mac, value)
    if not valid:
        raise AuthenticationFailed("bad_signature")


def signed_text(url: str, method: str, form: Form, nonce: str, version: str) -> bytes:
    """Return what Plivo signs: by v2 the address without query and the nonce, by v3 also query and fields; raises UnicodeEncodeError."""
    base = urlsplit(url)._replace(query="", fragment="").geturl()
    if version == "v2":
        return f"{base}{nonce}".encode()
    query = "&".join(f"{name}={value}" for name, value in _sorted(fields.query(url)))
    posted = "" if method == "GET" else "".join(f"{name}{value}" for name, value in _sorted(form))
    mark, dot = "?" if query or posted else "", "." if query and posted else ""
    return f"{base}{mark}{query}{dot}{posted}.{nonce}".encode()


def _sorted(form: Form) -> Iterable[tuple[str, str]]:
    return ((name, value) for name in sorted(form) for value in sorted(form[name]))


def _events(form: Form, request: RawRequest, region: str) -> Sequence[InboundEvent]:
    one = partial(fields.only, form)
    external_id = one("MessageUUID")
    if not _ID.fullmatch(external_id):
        raise UnreadableRequest("bad_id")
    if _status(form):
        return [_report(form, external_id, request.url)]
    if one("Type").lower() not in {"", "sms", "mms"}:
        return [Ignored("other_channel")]
    sender, recipient = numbers.sender(one("From"), region), numbers.receiver(one("To"), region)
    if sender is None or recipient is None:
        raise UnreadableRequest("bad_number", "From" if sender is None else "To")
    media = tuple(Media("document", one(name)) for name in _MEDIA if name in form and attachments.is_link(one(name)))
    text, signal = texts.clean(one("Text") or one("Body")), _CONSENT.get(one("MessageIntent").lower())
    if signal is not None:  # Plivo has acted on the word, so there is nothing left to answer
        return [ContactSignal(external_id, sender, recipient, signal, value=text)]
    return [InboundMessage(external_id, sender, recipient, text, media=media)]


def _status(form: Form) -> str:
    """Return the status that a report tells, empty for a message."""
    return (fields.only(form, "Status") or fields.only(form, "status")).lower()


def _report(form: Form, external_id: str, url: str) -> InboundEvent:
    one = partial(fields.only, form)
    status, parent, code = _STATUS.get(_status(form)), one("ParentMessageUUID"), one("ErrorCode")
    if status is None:
        return Ignored("unknown_status")
    whole = parent if _ID.fullmatch(parent) else external_id  # each part of a long message reports under an id of its own
    return DeliveryReport(whole, status, message_id=sms.our_id(fields.asked(url, "m")), code=code[:20] if code not in {"", "000"} else None)


def _taken(answer: HttpAnswer) -> str:
    """Return the id of the message; raises what the answer means."""
    document = answer.json_object()
    if not 200 <= answer.status < 300:
        raise _refused(answer, document.get("error"))
    ids = document.get("message_uuid")
    if ids == [] and document.get("invalid_number"):
        raise SendError(SendErrorCode.BAD_ADDRESS, retryable=False, provider_code="invalid_number")
    return sms.taken(ids[0] if isinstance(ids, list) and ids else None)


def _refused(answer: HttpAnswer, error: object) -> SendError:
    """Return the error for a status that is no 2xx; Plivo gives no codes there, but words for an empty account."""
    if isinstance(error, str) and "insufficient credit" in error.lower():
        return SendError(SendErrorCode.REFUSED, retryable=False, ours=True, provider_code="insufficient_credit")
    return refusal(answer, certain=isinstance(error, str))
