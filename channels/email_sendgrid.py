"""E-mail through Twilio SendGrid: Inbound Parse, raw or taken apart, and the Event Webhook.

A request is proved by SendGrid's signature where a verification key is set, by user and password, and by the list of source networks.
Must not believe what SendGrid says of spam or of the sender.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from channels import admission, frames, multipart, signatures
from channels.email_webhooks import ByWebhook, capabilities, header, raw_mail, report
from channels.forms import NotAForm
from channels.frames import table, text
from channels.mail import charsets
from channels.mail.mime import Budget, read
from channels.mail.outgoing import Outgoing
from channels.mail.rebuilt import Piece, rebuilt
from channels.multipart import FormPart
from core.model.address import Address
from core.model.ids import ChannelId
from core.model.inbound import AuthenticationFailed, Ignored, InboundEvent, RawRequest, UnreadableRequest
from core.model.outbound import DeliveryStatus, OutboundMessage

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

EVENTS_MAX = 10_000
REPLAY_MS = 4 * 86_400_000  # SendGrid tries again for three days
_SIGNATURE, _TIMESTAMP = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"
_STATUS: Mapping[str, tuple[DeliveryStatus, str]] = {  # their event: our status, and what it says of the address
    "delivered": (DeliveryStatus.DELIVERED, ""),
    "bounce": (DeliveryStatus.UNDELIVERED, "unreachable"),
    "blocked": (DeliveryStatus.UNDELIVERED, ""),
    "dropped": (DeliveryStatus.FAILED, ""),
    "spamreport": (DeliveryStatus.DELIVERED, "opted_out"),
    "unsubscribe": (DeliveryStatus.DELIVERED, "opted_out"),
    "group_unsubscribe": (DeliveryStatus.DELIVERED, "opted_out"),
}
_OF_A_MAIL = {"email", "from", "headers", "envelope"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Outgoing):
    """Settings of a mailbox at SendGrid; its address is the one that customers write to."""

    verification_keys: tuple[str, ...] = field(
        default=(), metadata={"doc": "Public keys that SendGrid's requests are signed with; all must be signed then."}
    )
    basic: tuple[str, ...] = field(
        default=(), repr=False, metadata={"doc": "user:password in the URLs that SendGrid is given; two while it is being changed."}
    )
    sources: tuple[str, ...] = field(default=(), metadata={"doc": "Networks that SendGrid calls from; empty: from anywhere."})

    def __post_init__(self) -> None:
        Outgoing.__post_init__(self)
        if not all(":" in pair for pair in self.basic):
            raise ValueError("basic has the form user:password")
        admission.networks(self.sources)
        for key in self.verification_keys:
            _public_key(key)


class EmailSendgrid(ByWebhook):
    """The adapter of one mailbox at SendGrid."""

    kind = "email_sendgrid"
    capabilities = capabilities("for three days, after any answer but a 2xx or 4xx")

    def __init__(self, our_address: Address, settings: Settings) -> None:
        super().__init__(our_address, settings)
        self._keys = [_public_key(key) for key in settings.verification_keys]
        self._basic = settings.basic
        self._sources = admission.networks(settings.sources)

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` unless signature, password and source are right, as far as they are configured."""
        admission.check_source(self._sources, request.remote)
        admission.check_basic(self._basic, header(request, "authorization"))
        if self._keys:
            self._check_signature(request)

    def _check_signature(self, request: RawRequest) -> None:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - the library is for channels with a key
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - as above

        given, at = header(request, _SIGNATURE), header(request, _TIMESTAMP)
        if not given or not at:
            raise AuthenticationFailed("missing_signature")
        signatures.check_time(at, request.received_at, REPLAY_MS)
        try:
            signature = base64.b64decode(given, validate=True)
        except ValueError:
            raise AuthenticationFailed("bad_signature") from None
        for key in self._keys:
            try:
                key.verify(signature, at.encode() + request.body, ECDSA(SHA256()))
            except InvalidSignature:
                continue
            return
        raise AuthenticationFailed("bad_signature")

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Return what a mail or a list of events means."""
        return parse(request, "")

    def headers(self, message: OutboundMessage) -> Mapping[str, str]:
        """Return the header by which SendGrid repeats our id in its events."""
        return {"X-SMTPAPI": json.dumps({"unique_args": {"parley": message.id}})}


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> EmailSendgrid:
    """Build the adapter of a mailbox at SendGrid; raises ValueError for a channel whose address is no mail address."""
    del channel_id, public_url, default_region  # SendGrid knows the channel by its URL
    return EmailSendgrid(our_address, settings)


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    del default_region  # addresses of mails have no country
    if frames.looks_like_json(request.body):
        told = frames.read_value(request.body)
        if not isinstance(told, dict) or "event" in told or not _OF_A_MAIL & told.keys():
            return _reports(told)
        parts = [FormPart(name, None, "", value.encode("utf-8", "replace")) for name, value in told.items() if isinstance(value, str)]
    else:
        try:
            parts = multipart.read_either(request.body, header(request, "content-type"))
        except NotAForm as error:
            raise UnreadableRequest(error.code) from None
    fields = _texts(parts)
    if not _OF_A_MAIL & fields.keys():
        raise UnreadableRequest("bad_member", "from")
    envelope = _object(fields, "envelope")
    to, sender = envelope.get("to"), envelope.get("from")
    recipients = [one for one in to if isinstance(one, str)] if isinstance(to, list) else []
    sender = sender if isinstance(sender, str) else None
    raw = next((part.content for part in parts if part.name == "email" and b"\n" in part.content), None)
    return raw_mail(raw if raw is not None else _rebuilt(parts, fields), sender=sender, recipients=recipients)


def _texts(parts: Sequence[FormPart]) -> dict[str, str]:
    """Return the fields as text, each in the character set that SendGrid says it has."""
    contents = {part.name: part.content for part in parts if part.file is None}
    try:
        sets = frames.read_object(contents.get("charsets", b"{}"))
    except UnreadableRequest:
        sets = {}
    return {name: charsets.decode(content, text(sets, name) or "utf-8") for name, content in contents.items()}


def _rebuilt(parts: Sequence[FormPart], fields: Mapping[str, str]) -> bytes:
    root = read(fields.get("headers", "").encode("utf-8", "replace") + b"\r\n\r\n", Budget())
    headers = [(name, value.decode("utf-8", "replace")) for name, value in root.fields]
    known = {name for name, _ in headers}
    # What is only in the field stands in for a header that is not there.
    headers += [(name, fields[name]) for name in ("from", "to", "cc", "subject") if name not in known and fields.get(name)]
    about = _object(fields, "attachment-info")
    ids = {name: content_id for content_id, name in _object(fields, "content-ids").items() if isinstance(name, str)}
    files = [
        Piece(
            text(table(about, part.name), "filename") or part.file,
            text(table(about, part.name), "type") or part.content_type,
            part.content,
            text(table(about, part.name), "content-id") or ids.get(part.name, ""),
        )
        for part in parts
        if part.file is not None
    ]
    return rebuilt(headers, fields.get("text"), fields.get("html"), files)


def _object(fields: Mapping[str, str], name: str) -> Mapping[str, Any]:
    """Return the object that a field holds as JSON, an empty one for anything else."""
    try:
        return frames.read_object(fields.get(name, "{}").encode("utf-8", "replace"))
    except UnreadableRequest:
        return {}


def _reports(events: object) -> list[InboundEvent]:
    events = [events] if isinstance(events, dict) and "event" in events else events
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise UnreadableRequest("json", "not a list of objects")
    if len(events) > EVENTS_MAX:
        raise UnreadableRequest("too_many_fields")
    return [_report(event) for event in events]


def _report(event: Mapping[str, Any]) -> InboundEvent:
    name = text(event, "event")
    if name == "bounce" and text(event, "type") == "blocked":
        name = "blocked"
    if name not in _STATUS:
        return Ignored("other_event")
    status, verdict = _STATUS[name]
    code = "complaint" if name == "spamreport" else text(event, "status")
    return report(
        status,
        external_id="",
        ours=event.get("parley"),
        mail_id=event.get("smtp-id") or event.get("sg_message_id"),
        recipient=event.get("email"),
        code=code,
        verdict=verdict,
    )


def _public_key(given: str) -> EllipticCurvePublicKey:
    """Return a key as SendGrid shows it, base64 of its DER form; raises ValueError."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import load_der_public_key  # noqa: PLC0415 - as above

    try:
        key = load_der_public_key(base64.b64decode(given, validate=True))
    except ValueError:
        raise ValueError("verification_keys must be keys as SendGrid shows them") from None
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("verification_keys must be elliptic curve keys")  # noqa: TRY004 - it is a mistake in the settings
    return key
