"""E-mail through Mailgun: routes that forward mails, raw or taken apart, and the webhooks that tell of deliveries.

Mailgun signs a time and a token but not what it sends with them, so a token is good for one content only. Must not believe what Mailgun
says of spam or of the sender.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from email.utils import parseaddr
from hashlib import blake2b
from typing import Any

from channels import admission, forms, frames, multipart, signatures
from channels.email_webhooks import ByWebhook, capabilities, header, raw_mail, report
from channels.forms import NotAForm
from channels.frames import objects, table, text
from channels.mail.model import PARTS_MAX
from channels.mail.outgoing import Outgoing
from channels.mail.rebuilt import Piece, rebuilt
from core.model.address import Address
from core.model.ids import ChannelId
from core.model.inbound import AuthenticationFailed, Ignored, InboundEvent, InboundMessage, Media, RawRequest, UnreadableRequest
from core.model.outbound import DeliveryStatus, OutboundMessage

REPLAY_MS = 12 * 3_600_000  # Mailgun tries again for eight hours
TOKENS_MAX = 50_000
_SIGNATURE = {"timestamp", "token", "signature"}
_AT_MAILGUN = re.compile(r"https://[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,3}\.mailgun\.net/[!-~]{1,2000}")
_MAP_CHARS_MAX = 100_000
_BRIEF_BYTES = 1_000
_BOUNCED_BEFORE = "605"  # Mailgun's own code
_OF_A_MAIL = {"from", "From", "sender", "message-headers", "body-plain", "body-html", "stripped-text"}
_OF_A_MAIL_ONLY = {"from", "sender", "body-plain"}  # a mail's own headers become fields, too, and one may be called `event`
_REPEATED = ("From", "To", "Cc", "Subject", "Date", "Message-Id", "In-Reply-To", "References", "Reply-To")  # headers that are fields, too
_VERDICTS = {"complained": "opted_out", "unsubscribed": "opted_out"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Outgoing):
    """Settings of a mailbox at Mailgun; its address is the one that customers write to."""

    signing_keys: tuple[str, ...] = field(
        repr=False, metadata={"doc": "HTTP webhook signing key of the account, by reference; two while it is being changed."}
    )
    sources: tuple[str, ...] = field(default=(), metadata={"doc": "Networks that Mailgun calls from; empty: from anywhere."})

    def __post_init__(self) -> None:
        Outgoing.__post_init__(self)
        if not self.signing_keys or not all(self.signing_keys):
            raise ValueError("signing_keys must not be empty")
        admission.networks(self.sources)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request with its fields: `texts`, and `files` with the name of their field first; `events` is what a webhook tells."""

    texts: Mapping[str, str]
    files: Sequence[tuple[str, Piece]]
    events: Mapping[str, Any] | None = None
    raw: bytes | None = None


class EmailMailgun(ByWebhook):
    """The adapter of one mailbox at Mailgun."""

    kind = "email_mailgun"
    capabilities = capabilities("for eight hours, after any answer but 200 or 406")

    def __init__(self, our_address: Address, settings: Settings) -> None:
        super().__init__(our_address, settings)
        self._keys = [key.encode() for key in settings.signing_keys]
        self._sources = admission.networks(settings.sources)
        self._used: dict[str, bytes] = {}

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` unless the signature is Mailgun's, not old, and was not used for another content."""
        admission.check_source(self._sources, request.remote)
        try:
            proof = _read(request, briefly=True)
        except UnreadableRequest:
            raise AuthenticationFailed("missing_signature") from None
        signed = proof.texts if proof.events is None else _plain(table(proof.events, "signature"))
        at, token, given = signed.get("timestamp", ""), signed.get("token", ""), signed.get("signature", "")
        signatures.check_hmac(self._keys, f"{at}{token}".encode("utf-8", "surrogatepass"), given)
        signatures.check_time(at, request.received_at, REPLAY_MS)
        sent = _read(request) if proof.events is None else proof
        if self._used.setdefault(token, digest := _digest(sent)) != digest:
            raise AuthenticationFailed("used_token")
        if len(self._used) > TOKENS_MAX:
            del self._used[next(iter(self._used))]

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Return what a mail or an event means."""
        return parse(request, "")

    def headers(self, message: OutboundMessage) -> Mapping[str, str]:
        """Return the header by which Mailgun repeats our id in its events."""
        return {"X-Mailgun-Variables": json.dumps({"parley": message.id})}


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> EmailMailgun:
    """Build the adapter of a mailbox at Mailgun; raises ValueError for a channel whose address is no mail address."""
    del channel_id, public_url, default_region  # Mailgun knows the channel by its URL
    return EmailMailgun(our_address, settings)


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    del default_region  # addresses of mails have no country
    sent = _read(request)
    if sent.events is not None:
        return [_report(table(sent.events, "event-data"))]
    texts = sent.texts
    if sent.raw is None and "event" in texts and not _OF_A_MAIL_ONLY & texts.keys():
        return [_report(_as_today(texts))]
    if sent.raw is None and not _OF_A_MAIL & texts.keys():
        raise UnreadableRequest("bad_member", "from")
    raw = sent.raw if sent.raw is not None else _rebuilt(texts, sent.files)
    events = raw_mail(raw, sender=texts.get("sender"), recipients=texts.get("recipient", "").split(","))
    left = _stored(texts.get("attachments", ""))
    return [replace(event, media=event.media + left) if isinstance(event, InboundMessage) else event for event in events]


def _read(request: RawRequest, *, briefly: bool = False) -> _Sent:
    """Return what was sent; `briefly`: of a form only the short fields, for the signature is among them, and the long ones cost time."""
    content_type, body = header(request, "content-type"), request.body
    if frames.looks_like_json(request.body):
        document = frames.read_object(request.body)
        if "event-data" in document or isinstance(document.get("signature"), dict):
            return _Sent({}, (), document)
        return _Sent({name: value if isinstance(value, str) else json.dumps(value) for name, value in document.items()}, ())
    try:
        if briefly and forms.is_form(content_type) and body.count(b"&") <= multipart.PARTS_MAX:  # more are refused below
            body = b"&".join(piece for piece in body.split(b"&") if len(piece) <= _BRIEF_BYTES)
        parts = multipart.read_either(body, content_type)
    except NotAForm as error:
        raise UnreadableRequest(error.code) from None
    raw = next((part.content for part in parts if part.name == "body-mime"), None)
    texts: dict[str, str] = {}
    for part in parts:
        if part.file is None and part.name != "body-mime" and (len(part.content) <= _BRIEF_BYTES or not briefly):
            texts.setdefault(part.name, part.content.decode("utf-8", "replace"))
    files = [(part.name, Piece(part.file, part.content_type, part.content)) for part in parts if part.file is not None]
    return _Sent(texts, [file for file in files if file[0] != "body-mime"], raw=raw)


def _digest(sent: _Sent) -> bytes:
    """Return what stands for the content of a request, however it is written and signed when it comes again."""
    texts = sorted((name, text) for name, text in sent.texts.items() if name not in _SIGNATURE)
    event = None if sent.events is None else sent.events.get("event-data")
    digest = blake2b(json.dumps([event, texts], sort_keys=True).encode(), digest_size=16)
    for content in (sent.raw or b"", *(piece.content for _, piece in sent.files)):
        digest.update(blake2b(content, digest_size=16).digest())
    return digest.digest()


def _rebuilt(texts: Mapping[str, str], files: Sequence[tuple[str, Piece]]) -> bytes:
    headers = _headers(texts.get("message-headers", "[]"))
    known = {name.lower() for name, _ in headers}
    fields = {name: texts.get(name) or texts.get(name.lower(), "") for name in _REPEATED if name.lower() not in known}
    headers += [(name, value) for name, value in fields.items() if value]
    ids = _content_ids(texts.get("content-id-map", "{}"))
    pieces = [Piece(piece.name, piece.content_type, piece.content, ids.get(name, "")) for name, piece in files]
    plain, html = texts.get("body-plain"), texts.get("body-html")
    if plain is None and html is None:
        plain, html = texts.get("stripped-text"), texts.get("stripped-html")
    return rebuilt(headers, plain, html, pieces)


def _headers(given: str) -> list[tuple[str, str]]:
    try:
        listed = frames.read_value(given.encode("utf-8", "replace"))
    except UnreadableRequest:
        return []
    pairs = [[name, value] for name, value in listed.items()] if isinstance(listed, dict) else listed if isinstance(listed, list) else []
    return [(str(pair[0]), str(pair[1])) for pair in pairs if isinstance(pair, list) and len(pair) == 2]


def _content_ids(given: str) -> dict[str, str]:
    """Return the ids of files by the names of their fields; Mailgun gives several files one id."""
    try:
        pairs = json.loads(given[:_MAP_CHARS_MAX], object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        return {}
    return {name: content_id for content_id, name in pairs if isinstance(name, str)} if isinstance(pairs, tuple) else {}


def _stored(given: str) -> tuple[Media, ...]:
    """Return the files that a route with store() left at Mailgun, from where only the account's API key fetches them."""
    try:
        listed = objects({"": frames.read_value(given.encode("utf-8", "replace"))}, "") if given else []
    except UnreadableRequest:
        return ()
    return tuple(
        Media("document", text(one, "url"), text(one, "content-type"), name=text(one, "name"))
        for one in listed[:PARTS_MAX]
        if _AT_MAILGUN.fullmatch(text(one, "url"))
    )


def _plain(fields: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in fields.items() if isinstance(value, str | int)}


def _as_today(texts: Mapping[str, str]) -> Mapping[str, Any]:
    """Return an event of the form that Mailgun had before 2018 in the form that it has now."""
    event, code = texts["event"], texts.get("code", "")
    return {
        "event": "failed" if event in {"bounced", "dropped"} else event,
        "severity": "permanent",
        "reason": "bounce" if event == "bounced" or code == _BOUNCED_BEFORE else "",
        "delivery-status": {"code": code},
        "user-variables": texts,
        "message": {"headers": {"message-id": texts.get("Message-Id") or texts.get("message-id")}},
        "recipient": texts.get("recipient"),
    }


def _report(event: Mapping[str, Any]) -> InboundEvent:
    name, status = text(event, "event"), table(event, "delivery-status")
    verdict = _VERDICTS.get(name, "")
    if name == "failed" and text(event, "severity") == "permanent":
        reached = DeliveryStatus.UNDELIVERED
        verdict = "unreachable" if text(event, "reason") in {"bounce", "suppress-bounce"} else ""
    elif name == "rejected":
        reached = DeliveryStatus.FAILED
    elif name == "delivered" or verdict:
        reached = DeliveryStatus.DELIVERED
    else:
        return Ignored("other_event")
    headers = table(table(event, "message"), "headers")
    code = "complaint" if name == "complained" else status.get("enhanced-code") or status.get("code")
    return report(
        reached,
        external_id="",
        ours=table(event, "user-variables").get("parley"),
        mail_id=headers.get("message-id"),
        recipient=event.get("recipient") or parseaddr(text(headers, "to"))[1],
        code=str(code) if isinstance(code, str | int) else None,
        verdict=verdict,
    )
