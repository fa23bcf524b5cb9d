"""WhatsApp through Twilio: signed webhooks in, REST out, buttons by content templates, read receipts as status callbacks.

WhatsApp takes free text only for 24 hours after the customer's last message. The adapter does not know that time: it sends text, and
once a first attempt has failed, the approved template, which is allowed at any time. Must not cut a text to fit a button.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from channels import forms, twilio_hooks, twilio_media, twilio_messages
from core.clock import Clock
from core.model.adapter import MediaSource, Missed
from core.model.address import Address, AddressKind
from core.model.capabilities import Capabilities, ChoiceStyle, Family, FileLimits
from core.model.ids import ChannelId
from core.model.inbound import DeliveryReport, InboundEvent, Media, RawRequest
from core.model.outbound import Answer, Choice, OutboundMessage, Reply, SendError, SendErrorCode, SendResult

if TYPE_CHECKING:
    from channels.twilio_rest import TwilioRest

TEXT_CHARS_MAX = 1_600
BUTTONS_MAX = 3
_BUTTON_CHARS_MAX = 20
_CONTENT_CHARS_MAX = 1_024
_PREFIX = "whatsapp:"
_PERSON = re.compile(r"\+[0-9]{6,15}|[A-Z]{2}\.[0-9A-Za-z]{1,128}")  # WhatsApp's own id of a person: not always a number to dial
_SPACES = re.compile(r"\s+")
_MEDIA = frozenset({"image", "audio", "video", "document"})
_TYPES = frozenset(
    {"image/jpeg", "image/png", "image/webp", "audio/ogg", "audio/amr", "audio/aac", "audio/mpeg", "video/mp4", "application/pdf"}
)
_FILE_BYTES_MAX = 5_000_000  # what WhatsApp takes of pictures; other files may be larger, which is not worth a rule of its own
_WINDOW_CLOSED = "63016"
_WINDOW_MS = 86_400_000
_SID = r"HX[0-9a-fA-F]{32}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(twilio_hooks.ApiAccount):
    """Settings of a WhatsApp sender at Twilio; its address is the phone number of the sender."""

    button_sids: tuple[str, ...] = field(
        default=(),
        metadata={
            "doc": "ContentSids of quick replies with one, two and three buttons: {{1}} is the text, then title and id of each button."
            " Without them options are numbered lines.",
            "pattern": _SID,
        },
    )
    template_sid: str = field(
        default="",
        metadata={
            "doc": "ContentSid of an approved template whose {{1}} is the text; used once free text has been refused or has failed.",
            "pattern": f"({_SID})?",
        },
    )

    def __post_init__(self) -> None:
        twilio_hooks.Account.__post_init__(self)
        if len(self.button_sids) > BUTTONS_MAX:
            raise ValueError(f"WhatsApp shows at most {BUTTONS_MAX} buttons")


class WhatsAppTwilio:
    """The adapter of one WhatsApp sender."""

    kind = "whatsapp_twilio"

    def __init__(self, our_address: Address, settings: Settings, public_url: str, *, rest: TwilioRest, clock: Clock | None = None) -> None:
        self.capabilities = Capabilities(
            family=Family.WHATSAPP,
            text_max_chars=TEXT_CHARS_MAX,
            text_budget_chars=1_000,
            choices=ChoiceStyle.BUTTONS if settings.button_sids else ChoiceStyle.NUMBERED,
            choices_max=len(settings.button_sids) or 10,
            media=_MEDIA if twilio_media.can_fetch(settings, public_url) else frozenset(),
            file_limits=FileLimits(
                _TYPES, _FILE_BYTES_MAX, captioned=frozenset({"image", "video"}), heard_within_ms=_WINDOW_MS, by_address=True
            ),
            merge_replies=True,
            delivery_reports=True,
            sends_per_s=80.0,
            resend_codes=frozenset({_WINDOW_CLOSED}) if settings.template_sid else frozenset(),
            methods=twilio_hooks.METHODS,
            provider_retries="once, and only if it could not connect; more with #rc=5&rp=all at the end of the webhook URL",
        )
        self._ours = f"{_PREFIX}{our_address.value}"
        self._button_sids = settings.button_sids
        self._template_sid = settings.template_sid
        self._clock = clock or Clock()
        self._account = settings
        self._callback = public_url
        self._rest = rest
        self._forms = forms.LastForm()
        self._signed = twilio_hooks.Signed(settings, twilio_messages.ONCE, self._forms)

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` unless Twilio signed the request, for our account and our sender."""
        form = self._signed.form_of(request)
        if form is not None:
            twilio_hooks.check_parties(form, "From" if twilio_messages.is_report(form) else "To", self._ours)

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Return the message, choice, consent signal or delivery report of a webhook call."""
        return _events(request, self._forms)

    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        """Return an empty answer; replies are sent, since TwiML has no buttons."""
        del replies
        return Answer(content_type="text/xml; charset=utf-8", body=b'<?xml version="1.0" encoding="UTF-8"?><Response/>')

    async def send(self, message: OutboundMessage) -> SendResult:
        """Hand one message to Twilio; raises `SendError`."""
        template = self._template(message.reply)
        content = template if template is not None and not self._is_open(message.heard_at) else self._content(message.reply)
        sid = await self._rest.create(
            to=f"{_PREFIX}{message.recipient.value}",
            from_=self._ours,
            status_callback=twilio_hooks.url_about(self._callback, message),
            **content,
        )
        return SendResult(external_id=sid)

    async def media_source(self, media: Media) -> MediaSource:
        """Say from where an attachment is fetched."""
        return twilio_media.source(self._account, media)

    async def look_up(self, message_id: str, external_id: str, recipient: str, sent_at: int) -> DeliveryReport | None:
        """Return what Twilio knows of a message; raises `SendError`."""
        del message_id  # it is in no list of theirs
        return await self._rest.lists.look_up(external_id, to=f"{_PREFIX}{recipient}", from_=self._ours, sent_at=sent_at)

    async def missed(self, since_ms: int, mark: str) -> Missed:
        """Return what came in since then, from Twilio's list; raises `SendError`."""
        del mark  # their list goes by time
        return await self._rest.lists.missed(self._ours, since_ms)

    async def close(self) -> None:
        """End the connections to Twilio."""
        await self._rest.close()

    def _is_open(self, heard_at: int | None) -> bool:
        """Tell whether text of our own is taken: for 24 hours after the person wrote."""
        return heard_at is not None and self._clock.now_ms() - heard_at < _WINDOW_MS

    def _content(self, reply: Reply) -> dict[str, Any]:
        """Return a reply as quick replies where its buttons fit, else as text with its options as lines, and with its one attachment."""
        media = twilio_media.link(reply.media)
        buttons = None if media else self._buttons(reply)
        if buttons is not None:
            return buttons
        lines = [f"{choice.key} {choice.label}" for choice in reply.choices]
        text = twilio_hooks.printable("\n".join(([reply.text] if reply.text else []) + lines))
        if len(text) > TEXT_CHARS_MAX:
            raise SendError(SendErrorCode.TOO_LONG, retryable=False, detail=f"{len(text)} characters, at most {TEXT_CHARS_MAX}")
        return {"body": text} | ({"media_url": [media]} if media else {})

    def _buttons(self, reply: Reply) -> dict[str, Any] | None:
        if not 1 <= len(reply.choices) <= len(self._button_sids) or not 1 <= len(reply.text) <= _CONTENT_CHARS_MAX:
            return None
        if any(not _fits(choice) for choice in reply.choices):
            return None
        values = [reply.text, *(value for choice in reply.choices for value in (choice.label, choice.token))]
        return _by_content(self._button_sids[len(reply.choices) - 1], values)

    def _template(self, reply: Reply) -> dict[str, Any] | None:
        """Return a reply as the approved template, None where that cannot hold it; line ends are not allowed in its values."""
        lines = [f"{choice.key} {choice.label}" for choice in reply.choices]
        text = _SPACES.sub(" ", " ".join([reply.text, *lines])).strip()
        if not self._template_sid or reply.media or not 1 <= len(text) <= _CONTENT_CHARS_MAX:
            return None
        return _by_content(self._template_sid, [text])


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> WhatsAppTwilio:
    """Build the adapter of a WhatsApp sender; raises ValueError for an address or API that cannot be."""
    from channels.twilio_rest import connect  # noqa: PLC0415 - the library is for configured channels only

    del channel_id, default_region  # WhatsApp writes every number with its country code
    if our_address.kind is not AddressKind.MSISDN:
        raise ValueError(f"the address of a WhatsApp sender is a phone number, not {our_address}")
    return WhatsAppTwilio(our_address, settings, public_url, rest=connect(settings))


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    del default_region
    return _events(request, forms.LastForm())


def _events(request: RawRequest, last_form: forms.LastForm) -> Sequence[InboundEvent]:
    return twilio_messages.events(twilio_hooks.read(request, last_form), request.url, _person)


def _person(text: str) -> Address | None:
    """Return the address in `whatsapp:<id>`, which is kept as WhatsApp writes it, because that is what answers must go to.

    A plus sign that was not encoded has become a space. Twilio has also been seen to leave the prefix out.
    """
    own = text.strip().removeprefix(_PREFIX)
    own = f"+{own[1:]}" if own.startswith(" ") else own
    return Address(AddressKind.WHATSAPP, own) if _PERSON.fullmatch(own) else None


def _fits(choice: Choice) -> bool:
    return 1 <= len(choice.label) <= _BUTTON_CHARS_MAX and "\n" not in choice.label


def _by_content(sid: str, values: Sequence[str]) -> dict[str, Any]:
    variables: Mapping[str, str] = {str(place): twilio_hooks.printable(value) for place, value in enumerate(values, 1)}
    return {"content_sid": sid, "content_variables": json.dumps(variables, ensure_ascii=False)}
