"""What Clickatell's older APIs call with: messages and statuses as fields of a query or a form, or as JSON under `data`.

Texts are escaped octets of the character set that another field names, and parts of long ones come one by one, with their header.
Must not know the present API.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

from channels import fields, forms, numbers, smpp_parts, sms, texts
from channels.forms import Form
from core.model.inbound import DeliveryReport, Ignored, InboundEvent, InboundMessage, Part, RawRequest, UnreadableRequest
from core.model.outbound import DeliveryStatus

_CHARSETS = {"utf-8": "utf-8", "utf-16be": "utf-16-be", "ucs-2be": "utf-16-be", "iso-8859-1": "latin-1", "windows-1252": "cp1252"}
_STATUS = re.compile(r"[0-9]{1,3}")
_SECONDS = re.compile(r"[0-9]{9,10}")
_THEIR_ZONE = timezone(timedelta(hours=2))
_UDHI = 0x40


def is_form(request: RawRequest) -> bool:
    """Tell whether a request has its fields in a query or a form."""
    return request.method == "GET" or forms.is_form(request.headers.get("content-type", ""))


def octets_of(data: dict[str, Any]) -> Form:
    """Return the members of an object as such a form; raises `UnreadableRequest`."""
    found = fields.flat(data).items()
    return {name: tuple(text.encode("utf-8", "surrogatepass").decode("latin-1") for text in values) for name, values in found}


def event(form: Form, region: str, statuses: Mapping[int, DeliveryStatus]) -> InboundEvent:
    """Return the message or status that a form holds, a character for each octet; raises `UnreadableRequest`."""
    one = partial(fields.only, form)

    def first(*names: str) -> str:
        return next(filter(None, map(one, names)), "")

    status = first("status", "messageStatus")
    external_id = first("apiMsgId", "apiMessageId") if status else first("moMsgId", "moMessageId")
    if not sms.is_id(external_id):
        raise UnreadableRequest("bad_id")
    at = _moment(one("timestamp"))
    if status:
        reached = statuses.get(int(status)) if _STATUS.fullmatch(status) else None
        if reached is None:
            return Ignored("unknown_status")
        code = status if reached in {DeliveryStatus.FAILED, DeliveryStatus.UNDELIVERED} else None
        return DeliveryReport(external_id, reached, sms.our_id(first("cliMsgId", "clientMessageId")), code, at)
    sender, recipient = numbers.sender(one("from"), region), numbers.receiver(one("to"), region)
    if sender is None or recipient is None:
        raise UnreadableRequest("bad_number", "from" if sender is None else "to")
    text = texts.clean(_decoded(one("text"), one("charset")))
    return InboundMessage(external_id, sender, recipient, text, sent_at=at, part=_part(one))


def codec(charset: str, otherwise: str) -> str:
    """Return the codec of a character set of theirs, `otherwise` for one that we do not know."""
    return _CHARSETS.get(charset.strip().lower(), otherwise)


def _decoded(octets: str, charset: str) -> str:
    """Return a text that was read a character for each octet; without a known character set it is UTF-8, else Latin-1."""
    known = codec(charset, "")
    try:
        return octets.encode("latin-1").decode(known or "utf-8", "replace" if known else "strict")
    except UnicodeDecodeError:
        return octets


def _part(one: Callable[[str], str]) -> Part | None:
    ends = {"source_addr": one("from"), "destination_addr": one("to")}
    return smpp_parts.part_of({"esm_class": _UDHI, "short_message": one("udh"), **ends})


def _moment(text: str) -> int | None:
    """Return the time of a message, which is local to Clickatell, or of a status, which is in seconds."""
    if _SECONDS.fullmatch(text):
        return int(text) * 1_000
    try:
        return round(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_THEIR_ZONE).timestamp() * 1_000)
    except ValueError:
        return None
