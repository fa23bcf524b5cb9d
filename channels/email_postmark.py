"""E-mail through Postmark: the inbound webhook, with or without the raw mail, and those that tell of deliveries.

Postmark signs nothing: what arrives is proved by the user and password in the URL that it is given, and by the list of source networks.
Must not believe what Postmark says of spam or of the sender.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from channels import admission, frames
from channels.email_webhooks import BODY_BYTES_MAX, ByWebhook, capabilities, header, raw_mail, report
from channels.frames import objects, table, text
from channels.mail.fields import unbase64
from channels.mail.outgoing import Outgoing
from channels.mail.rebuilt import Piece, rebuilt
from core.model.address import Address
from core.model.ids import ChannelId
from core.model.inbound import Ignored, InboundEvent, RawRequest, UnreadableRequest
from core.model.outbound import DeliveryStatus, OutboundMessage

_PERMANENT = {"HardBounce", "BadEmailAddress", "ManuallyDeactivated"}
_TOLD_BY = {"BouncedAt": "Bounce", "DeliveredAt": "Delivery", "FirstOpen": "Open", "OriginalLink": "Click"}  # before there was RecordType
_OF_A_MAIL = {"FromFull", "From", "RawEmail", "Headers", "TextBody", "HtmlBody", "Attachments"}
_ZONE = re.compile(r"([+-]\d\d):(\d\d)$")
_ON_THE_WAY = {"Transient", "AutoResponder", "DnsError", "AddressChange", "Subscribe", "OpenRelayTest", "VirusNotification"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Outgoing):
    """Settings of a mailbox at Postmark; its address is the one that customers write to."""

    basic: tuple[str, ...] = field(
        repr=False, metadata={"doc": "user:password in the URLs that Postmark is given, by reference; two while it is being changed."}
    )
    sources: tuple[str, ...] = field(default=(), metadata={"doc": "Networks that Postmark calls from; empty: from anywhere."})

    def __post_init__(self) -> None:
        Outgoing.__post_init__(self)
        if not self.basic or not all(":" in pair for pair in self.basic):
            raise ValueError("basic has the form user:password")
        admission.networks(self.sources)


class EmailPostmark(ByWebhook):
    """The adapter of one mailbox at Postmark."""

    kind = "email_postmark"
    capabilities = capabilities("ten times at growing intervals, after any answer but 200 or 403")

    def __init__(self, our_address: Address, settings: Settings) -> None:
        super().__init__(our_address, settings)
        self._basic = settings.basic
        self._sources = admission.networks(settings.sources)

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` unless user, password and source are right."""
        admission.check_source(self._sources, request.remote)
        admission.check_basic(self._basic, header(request, "authorization"))

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Return what a mail or an event means."""
        return parse(request, "")

    def headers(self, message: OutboundMessage) -> Mapping[str, str]:
        """Return the headers that make Postmark keep our Message-ID and repeat our id in its events."""
        return {"X-PM-KeepID": "true", "X-PM-Metadata-parley": message.id}


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> EmailPostmark:
    """Build the adapter of a mailbox at Postmark; raises ValueError for a channel whose address is no mail address."""
    del channel_id, public_url, default_region  # Postmark knows the channel by its URL
    return EmailPostmark(our_address, settings)


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    del default_region  # addresses of mails have no country
    document = frames.read_object(request.body, BODY_BYTES_MAX)
    kind = text(document, "RecordType") or next((kind for name, kind in _TOLD_BY.items() if name in document), "Inbound")
    if kind != "Inbound":
        return [_report(kind, document)]
    if not _OF_A_MAIL & document.keys():
        raise UnreadableRequest("bad_member", "From")
    raw = text(document, "RawEmail").encode("utf-8", "replace") or _rebuilt(document)
    addressed = [text(document, "OriginalRecipient")] if document.get("OriginalRecipient") else _addresses(document, "ToFull")
    return raw_mail(raw, sender=None, recipients=addressed)


def _rebuilt(document: Mapping[str, Any]) -> bytes:
    headers = [(text(one, "Name"), text(one, "Value")) for one in objects(document, "Headers")]
    known = {name.lower() for name, _ in headers}
    given = {
        "From": _mailboxes([table(document, "FromFull")]) or text(document, "From"),
        "To": _mailboxes(objects(document, "ToFull")) or text(document, "To"),
        "Cc": _mailboxes(objects(document, "CcFull")) or text(document, "Cc"),
        "Reply-To": text(document, "ReplyTo"),
        "Subject": text(document, "Subject"),
        "Date": _ZONE.sub(r"\1\2", text(document, "Date")),
        "Message-ID": f"<{text(document, 'MessageID')}@inbound.postmarkapp.com>" if document.get("MessageID") else "",  # of a mail without
    }
    headers += [(name, value) for name, value in given.items() if value and name.lower() not in known]
    files = [
        Piece(text(one, "Name"), text(one, "ContentType"), unbase64(text(one, "Content").encode("ascii", "ignore")), text(one, "ContentID"))
        for one in objects(document, "Attachments")
    ]
    return rebuilt(headers, text(document, "TextBody") or None, text(document, "HtmlBody") or None, files)


def _addresses(document: Mapping[str, Any], name: str) -> list[str]:
    return [text(one, "Email") for one in objects(document, name)]


def _mailboxes(listed: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{_name(text(one, 'Name'))}<{text(one, 'Email')}>" for one in listed if text(one, "Email"))


def _name(name: str) -> str:
    """Return a name so that nothing in it is read as an address."""
    return f"=?utf-8?b?{base64.b64encode(name.encode('utf-8', 'replace')).decode()}?= " if name else ""


def _report(kind: str, event: Mapping[str, Any]) -> InboundEvent:
    bounced = text(event, "Type")
    status, verdict, code = DeliveryStatus.DELIVERED, "", None
    if kind == "SpamComplaint" or bounced == "SpamComplaint":
        verdict, code = "opted_out", "complaint"
    elif kind == "Bounce":
        if bounced in _ON_THE_WAY:
            return Ignored("other_event")
        status, code = DeliveryStatus.UNDELIVERED, bounced
        verdict = "unreachable" if bounced in _PERMANENT else "opted_out" if bounced == "Unsubscribe" else ""
    elif kind == "SubscriptionChange" and event.get("SuppressSending") is True:
        verdict = "opted_out" if text(event, "SuppressionReason") != "HardBounce" else "unreachable"
    elif kind != "Delivery":
        return Ignored("other_event")
    return report(
        status,
        external_id=text(event, "MessageID"),
        ours=table(event, "Metadata").get("parley"),
        mail_id=None,
        recipient=event.get("Email") or event.get("Recipient"),
        code=code,
        verdict=verdict,
    )
