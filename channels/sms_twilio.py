"""SMS and MMS through Twilio: signed webhooks in, TwiML or REST out, status callbacks that carry our own message id in their URL.

Checks, parses and renders; what is sent by REST goes through `twilio_rest`. Must not believe a field before the signature holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Literal
from xml.sax.saxutils import escape, quoteattr

from channels import forms, numbers, twilio_hooks, twilio_media, twilio_messages
from core.model.adapter import MediaSource, Missed
from core.model.address import Address, AddressKind
from core.model.capabilities import Capabilities, Family, FileLimits
from core.model.ids import ChannelId
from core.model.inbound import DeliveryReport, Ignored, InboundEvent, Media, RawRequest
from core.model.outbound import Answer, OutboundMessage, SendError, SendErrorCode, SendResult
from core.text.segments import transliterate
from core.text.split import split

if TYPE_CHECKING:
    from channels.twilio_rest import TwilioRest

TEXT_CHARS_MAX = 1_600
_MEDIA = frozenset({"image", "audio", "video", "document"})
_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "audio/mpeg", "audio/ogg", "video/mp4", "video/3gpp", "application/pdf"})
_FILE_BYTES_MAX = 5_000_000
_OTHER_CHANNELS = ("whatsapp:", "rcs:", "messenger:")  # of a messaging service that has several


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(twilio_hooks.ApiAccount):
    """Settings of a channel at Twilio; its address is the phone number or short code that customers write to."""

    mms: bool = field(
        default=False, metadata={"doc": "The number can send MMS, as numbers of the United States and Canada can: agents may attach files."}
    )
    replies: Literal["twiml", "rest"] = field(
        default="twiml", metadata={"doc": "How the bot's answers leave: twiml in the answer to the webhook, rest as calls of the API."}
    )


class SmsTwilio:
    """The adapter of one number at Twilio."""

    kind = "sms_twilio"

    def __init__(self, our_address: Address, settings: Settings, public_url: str, default_region: str, *, rest: TwilioRest) -> None:
        self.capabilities = Capabilities(
            family=Family.SMS,
            text_max_chars=TEXT_CHARS_MAX,
            text_budget_chars=459,  # three parts
            gsm7=True,
            media=_MEDIA if settings.mms and twilio_media.can_fetch(settings, public_url) else frozenset(),
            file_limits=FileLimits(_TYPES, _FILE_BYTES_MAX, by_address=True),
            inline_reply=settings.replies == "twiml",
            merge_replies=True,
            delivery_reports=True,
            throttles_recipient=frozenset({"14107"}),
            methods=twilio_hooks.METHODS,
            provider_retries="once, and only if it could not connect; more with #rc=5&rp=all at the end of the webhook URL",
        )
        self._address = our_address
        self._account = settings
        self._callback = public_url
        self._region = default_region
        self._rest = rest
        self._forms = forms.LastForm()
        self._signed = twilio_hooks.Signed(settings, twilio_messages.ONCE, self._forms)

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` unless Twilio signed the request, for our account and our number."""
        form = self._signed.form_of(request)
        if form is not None:
            twilio_hooks.check_parties(form, "From" if twilio_messages.is_report(form) else "To", self._address.value)

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
        if message.reply.media and not self.capabilities.media:
            raise SendError(SendErrorCode.UNSUPPORTED, retryable=False, detail="media cannot be sent")
        media = twilio_media.link(message.reply.media)
        text = _printable(message.reply.text)
        if len(text) > TEXT_CHARS_MAX:
            raise SendError(SendErrorCode.TOO_LONG, retryable=False, detail=f"{len(text)} characters, at most {TEXT_CHARS_MAX}")
        callback = twilio_hooks.url_about(self._callback, message)
        content = {"body": text} | ({"media_url": [media]} if media else {})
        sid = await self._rest.create(to=message.recipient.value, from_=message.sender.value, status_callback=callback, **content)
        return SendResult(external_id=sid)

    async def media_source(self, media: Media) -> MediaSource:
        """Say from where an attachment is fetched."""
        return twilio_media.source(self._account, media)

    async def look_up(self, message_id: str, external_id: str, recipient: str, sent_at: int) -> DeliveryReport | None:
        """Return what Twilio knows of a message; raises `SendError`."""
        del message_id  # it is in no list of theirs
        return await self._rest.lists.look_up(external_id, to=recipient, from_=self._address.value, sent_at=sent_at)

    async def missed(self, since_ms: int, mark: str) -> Missed:
        """Return what came in since then, from Twilio's list; raises `SendError`."""
        del mark  # their list goes by time
        return await self._rest.lists.missed(self._address.value, since_ms)

    async def close(self) -> None:
        """End the connections to Twilio."""
        await self._rest.close()

    def _message(self, message: OutboundMessage) -> str:
        """Return the TwiML of one reply; only the last part reports back, since all would report under one id."""
        *first, last = split(_printable(message.reply.text), TEXT_CHARS_MAX)
        parts = "".join(f"<Message>{escape(part)}</Message>" for part in first)
        callback = quoteattr(twilio_hooks.url_about(self._callback, message))
        return f"{parts}<Message statusCallback={callback}>{escape(last)}</Message>"


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> SmsTwilio:
    """Build the adapter of a number at Twilio; raises ValueError for an address or API that cannot be."""
    from channels.twilio_rest import connect  # noqa: PLC0415 - the library is for configured channels only

    del channel_id  # Twilio knows the channel by its URL and number
    if our_address.kind not in {AddressKind.MSISDN, AddressKind.SHORT_CODE}:
        raise ValueError(f"the address of a Twilio channel is a phone number or short code, not {our_address}")
    return SmsTwilio(our_address, settings, public_url, default_region, rest=connect(settings))


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    return _events(request, default_region, forms.LastForm())


def _events(request: RawRequest, region: str, last_form: forms.LastForm) -> Sequence[InboundEvent]:
    form = twilio_hooks.read(request, last_form)
    if twilio_hooks.one(form, "From").startswith(_OTHER_CHANNELS):
        return [Ignored("other_channel")]
    return twilio_messages.events(form, request.url, partial(numbers.sender, default_region=region))


@lru_cache(maxsize=1_024)  # most answers are menus
def _printable(text: str) -> str:
    """Return a text for a phone: plain typography, and no character that XML cannot hold."""
    return twilio_hooks.printable(transliterate(text))
