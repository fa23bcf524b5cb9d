"""E-mail through Amazon SES: mails and reports that come as notifications of SNS topics.

Every notification bears a signature of SNS for one of our topics. The certificate is fetched once from the host that the topic itself
names, and a subscription is confirmed there when its confirmation bears such a signature. Must not follow an address in a message.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from channels import frames, sms, sns
from channels.email_events import incomplete
from channels.email_webhooks import ByWebhook, capabilities, raw_mail, report
from channels.frames import objects, table, text
from channels.http import Http
from channels.mail.outgoing import Outgoing
from channels.mail.rebuilt import rebuilt
from channels.sns import Envelope
from core.model.address import Address
from core.model.ids import ChannelId
from core.model.inbound import AuthenticationFailed, Ignored, InboundEvent, RawRequest, UnreadableRequest
from core.model.outbound import DeliveryStatus, OutboundMessage, SendError, SendErrorCode

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

REPLAY_MS = 24 * 3_600_000  # SNS tries again for less than an hour, or as long as the topic's policy says
CERTIFICATES_MAX = 8
WITHHELD = "Amazon did not pass on the text of this mail: its rule needs an SNS action."
_FINAL = {"MailboxFull", "MessageTooLarge", "ContentRejected", "AttachmentRejected"}  # other passing ones may be notes of absence
_NOT_A_FAILURE = {"delayed", "delivered", "relayed", "expanded"}
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_TAKEN = re.compile(r"Ok\s+([0-9A-Za-z-]{10,100})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Outgoing):
    """Settings of a mailbox at Amazon SES; its address is the one that customers write to."""

    topic_arns: tuple[str, ...] = field(
        metadata={"doc": "Topics whose notifications are taken: that of the receipt rule, those of reports."}
    )
    configuration_set: str = field(
        default="", metadata={"doc": "Configuration set that mails are sent with; empty: none.", "pattern": r"[A-Za-z0-9_-]{0,64}"}
    )
    api_base: str = field(
        default="",
        metadata={
            "doc": "Where certificates and confirmations are asked for; empty: the host of the topic.",
            "pattern": r"(https?://[^\s?#@]+)?",
        },
    )

    def __post_init__(self) -> None:
        Outgoing.__post_init__(self)
        if not self.topic_arns:
            raise ValueError("topic_arns must name a topic")
        for arn in self.topic_arns:
            sns.host_of(arn)


class EmailSes(ByWebhook):
    """The adapter of one mailbox at Amazon SES."""

    kind = "email_ses"
    capabilities = capabilities("by the delivery policy of the topic, after 5xx and 429 only")

    def __init__(self, our_address: Address, settings: Settings) -> None:
        super().__init__(our_address, settings)
        self._topics = frozenset(settings.topic_arns)
        self._configuration_set = settings.configuration_set
        self._api_base = settings.api_base.rstrip("/")
        self._keys: dict[str, RSAPublicKey] = {}
        self._confirmed: set[str] = set()
        self._http = Http(timeout_s=10.0)

    async def prepare(self, request: RawRequest) -> None:
        """Fetch the certificate that a notification names, and confirm a subscription of ours; raises `SendError`."""
        try:
            envelope, host = self._ours(request)
            path = sns.certificate_path(envelope, host)
            if path not in self._keys:
                self.trust(path, await self._get(host, path), request.received_at)
            sns.check_signature(envelope, self._keys[path])
            if envelope.type == "SubscriptionConfirmation" and envelope.fields["Token"] not in self._confirmed:
                await self._get(host, sns.confirm_path(envelope, host))
                self._confirmed = {envelope.fields["Token"]}
        except (AuthenticationFailed, UnreadableRequest):
            return  # `authenticate` says so

    def trust(self, path: str, certificate_pem: bytes, now_ms: int) -> None:
        """Take a certificate for the one that the topics' host has at `path`; one that is none is not taken."""
        try:
            key = sns.public_key(certificate_pem, now_ms)
        except ValueError:
            raise AuthenticationFailed("bad_certificate") from None
        while len(self._keys) >= CERTIFICATES_MAX:
            del self._keys[next(iter(self._keys))]
        self._keys[path] = key

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` unless SNS has signed the message, lately, for one of our topics."""
        try:
            envelope, host = self._ours(request)
        except UnreadableRequest:
            raise AuthenticationFailed("missing_signature") from None
        key = self._keys.get(sns.certificate_path(envelope, host))
        if key is None:
            raise AuthenticationFailed("unknown_certificate")
        sns.check_signature(envelope, key)
        at = sms.moment(envelope.fields["Timestamp"])
        if at is None or abs(at - request.received_at) > REPLAY_MS:
            raise AuthenticationFailed("bad_timestamp")

    def _ours(self, request: RawRequest) -> tuple[Envelope, str]:
        envelope = sns.read(request.body)
        sns.check_topic(envelope, self._topics)
        return envelope, sns.host_of(envelope.fields["TopicArn"])

    async def _get(self, host: str, path: str) -> bytes:
        answer = await self._http.get(f"{self._api_base or f'https://{host}'}{path}")
        if answer.status != 200:
            raise SendError(SendErrorCode.PROVIDER_DOWN, retryable=True, provider_code=str(answer.status))
        return answer.body

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Return what a notification means."""
        return parse(request, "")

    def headers(self, message: OutboundMessage) -> Mapping[str, str]:
        """Return the header that has SES report on the mail."""
        del message
        return {"X-SES-CONFIGURATION-SET": self._configuration_set} if self._configuration_set else {}

    def external_id(self, mail_id: str, said: str) -> str:
        """Return the id that SES gave the mail, which it also makes its Message-ID."""
        found = _TAKEN.search(said)
        return found[1] if found else mail_id

    async def close(self) -> None:
        """End the connections to Amazon."""
        await super().close()
        await self._http.close()


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> EmailSes:
    """Build the adapter of a mailbox at Amazon SES; raises ValueError for a channel whose address is no mail address."""
    del channel_id, public_url, default_region  # SNS knows the channel by its URL
    return EmailSes(our_address, settings)


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    del default_region  # addresses of mails have no country
    document = frames.read_object(request.body, sns.BYTES_MAX)
    if "Type" in document:  # without it, it was posted by "raw message delivery", which nothing proves
        if text(document, "Type") in sns.ABOUT_SUBSCRIPTIONS:
            return [Ignored("subscription")]
        message = text(document, "Message")
        if message.startswith("Successfully validated SNS topic"):  # what SES publishes when a topic is connected
            return [Ignored("subscription")]
        document = dict(table(document, "Message")) or frames.read_object(message.encode("utf-8", "replace"), sns.BYTES_MAX)
    kind = text(document, "notificationType") or text(document, "eventType")
    if not kind:
        raise UnreadableRequest("bad_member", "notificationType")
    return _mail(document) if kind == "Received" else _reports(kind, document)


def _mail(document: Mapping[str, Any]) -> Sequence[InboundEvent]:
    receipt, about = table(document, "receipt"), table(document, "mail")
    sender = text(about, "source") if "source" in about else None
    recipients = _texts(receipt.get("recipients")) or _texts(about.get("destination"))
    content = document.get("content")
    if isinstance(content, str):
        return raw_mail(_raw(content, text(table(receipt, "action"), "encoding")), sender=sender, recipients=recipients)
    header = rebuilt([(text(one, "name"), text(one, "value")) for one in objects(about, "headers")], None, None)
    return incomplete(raw_mail(header, sender=sender, recipients=recipients), WITHHELD)


def _raw(content: str, encoding: str) -> bytes:
    raw = content.encode("utf-8", "replace")
    if encoding.upper() != "BASE64" and (encoding or not _BASE64.fullmatch(content)):
        return raw
    try:
        return base64.b64decode(b"".join(raw.split()), validate=True)
    except ValueError:
        raise UnreadableRequest("encoding", "content") from None


def _reports(kind: str, document: Mapping[str, Any]) -> Sequence[InboundEvent]:
    mail, about = table(document, "mail"), table(document, kind.lower())
    told: list[tuple[str, DeliveryStatus, str, str]]
    if kind == "Delivery":
        told = [(recipient, DeliveryStatus.DELIVERED, "", "") for recipient in _texts(about.get("recipients"))]
    elif kind == "Bounce":
        verdict = "unreachable" if text(about, "bounceType") == "Permanent" else ""
        told = [
            (text(one, "emailAddress"), DeliveryStatus.UNDELIVERED, verdict, text(one, "status"))
            for one in objects(about, "bouncedRecipients")
            if _came_back(about, text(one, "action"))
        ]
    elif kind == "Complaint" and text(about, "complaintFeedbackType") != "not-spam":
        told = [
            (text(one, "emailAddress"), DeliveryStatus.DELIVERED, "opted_out", "complaint")
            for one in objects(about, "complainedRecipients")
        ]
    elif kind in {"Reject", "Rendering Failure"}:
        reason = text(about, "reason") or "rendering_failure"
        told = [(recipient, DeliveryStatus.FAILED, "", reason) for recipient in _texts(mail.get("destination"))]
    else:
        return [Ignored("other_event")]
    ours = next((text(one, "value") for one in objects(mail, "headers") if text(one, "name").lower() == "message-id"), "")
    given = ours or text(table(mail, "commonHeaders"), "messageId")
    return [
        report(status, external_id=text(mail, "messageId"), ours=None, mail_id=given, recipient=recipient, code=code, verdict=verdict)
        for recipient, status, verdict, code in told
    ] or [Ignored("other_event")]


def _came_back(bounce: Mapping[str, Any], action: str) -> bool:
    """Tell whether a mail did not reach a recipient; of one that is absent Amazon tells as of a passing failure."""
    if action in _NOT_A_FAILURE:
        return False
    return text(bounce, "bounceType") != "Transient" or action == "failed" or text(bounce, "bounceSubType") in _FINAL


def _texts(values: object) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
