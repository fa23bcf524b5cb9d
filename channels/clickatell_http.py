"""What Clickatell's older APIs call with: messages and statuses as fields of a query or a form, or as JSON under `data`.

Texts are escaped octets of the character set that another field names, and parts of long ones come one by one, with their header.
Must not know the present API.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qsl, urlsplit

from channels import forms, numbers, smpp_parts, sms, texts
from core.model.inbound import DeliveryReport, Ignored, InboundEvent, InboundMessage, Part, RawRequest, UnreadableRequest
from core.model.outbound import DeliveryStatus

Fields = Mapping[str, str]
_FORM = "application/x-www-form-urlencoded"
_CHARSETS = {"utf-8": "utf-8", "utf-16be": "utf-16-be", "ucs-2be": "utf-16-be", "iso-8859-1": "latin-1", "windows-1252": "cp1252"}
_STATUS = re.compile(r"[0-9]{1,3}")
_SECONDS = re.compile(r"[0-9]{9,10}")
_THEIR_ZONE = timezone(timedelta(hours=2))
_UDHI = 0x40


def is_form(request: RawRequest) -> bool:
    """Tell whether a request has its fields in a query or a form."""
    content_type = request.headers.get("content-type", "")
    return request.method == "GET" or content_type.partition(";")[0].strip().lower() == _FORM


def read(request: RawRequest) -> Fields:
    """Return the fields of a query or a form, a character for each octet; raises `UnreadableRequest`."""
    try:
        body = urlsplit(request.url).query.encode() if request.method == "GET" else request.body
    except ValueError:
        raise UnreadableRequest("encoding", "the query") from None
    if len(body) > forms.BODY_BYTES_MAX:
        raise UnreadableRequest("too_large")
    try:
        pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True, encoding="latin-1", max_num_fields=forms.FIELDS_MAX)
    except ValueError:
        raise UnreadableRequest("too_many_fields") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise UnreadableRequest("repeated_field")
    return fields


def event(given: Fields, region: str, status_of: Callable[[int], DeliveryStatus | None]) -> InboundEvent:
    """Return the message or status that some fields hold; raises `UnreadableRequest`."""

    def first(*names: str) -> str:
        return next((given[name] for name in names if given.get(name)), "")

    status = first("status", "messageStatus")
    external_id = first("apiMsgId", "apiMessageId") if status else first("moMsgId", "moMessageId")
    if not sms.is_id(external_id):
        raise UnreadableRequest("bad_id")
    at = _moment(first("timestamp"))
    if status:
        reached = status_of(int(status)) if _STATUS.fullmatch(status) else None
        if reached is None:
            return Ignored("unknown_status")
        code = status if reached in {DeliveryStatus.FAILED, DeliveryStatus.UNDELIVERED} else None
        return DeliveryReport(external_id, reached, sms.our_id(first("cliMsgId", "clientMessageId")), code, at)
    sender, recipient = numbers.sender(first("from"), region), numbers.receiver(first("to"), region)
    if sender is None or recipient is None:
        raise UnreadableRequest("bad_number", "from" if sender is None else "to")
    text = texts.clean(decoded(first("text"), first("charset")))
    return InboundMessage(external_id, sender, recipient, text, sent_at=at, part=_part(given))


def decoded(octets: str, charset: str) -> str:
    """Return a text that was read a character for each octet; without a known character set it is UTF-8, else Latin-1."""
    known = _CHARSETS.get(charset.strip().lower())
    try:
        content = octets.encode("latin-1")
    except UnicodeEncodeError:
        return octets  # it was never octets
    try:
        return content.decode(known or "utf-8", "strict" if known is None else "replace")
    except UnicodeDecodeError:
        return octets


def _part(given: Fields) -> Part | None:
    ends = {"source_addr": given.get("from", ""), "destination_addr": given.get("to", "")}
    found = smpp_parts.part_of({"esm_class": _UDHI, "short_message": given.get("udh", ""), **ends})
    return None if found is None else Part(found.series, found.number, found.total)


def _moment(text: str) -> int | None:
    """Return the time of a message, which is local to Clickatell, or of a status, which is in seconds."""
    if _SECONDS.fullmatch(text):
        return int(text) * 1_000
    try:
        return round(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_THEIR_ZONE).astimezone(UTC).timestamp() * 1_000)
    except ValueError:
        return None
