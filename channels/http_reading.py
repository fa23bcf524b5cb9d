"""Reads the requests of any HTTP gateway by a table that says which field is what.

Must not know settings, secrets or answers, and must not run anything that a table holds: names are looked up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

from channels import fields, forms, frames, numbers, sms, texts
from channels.forms import Form
from core.model.address import Address, AddressKind
from core.model.inbound import (
    ContactSignal,
    DeliveryReport,
    Ignored,
    InboundEvent,
    InboundMessage,
    RawRequest,
    Session,
    UnreadableRequest,
)

ITEMS_MAX = 1_000
REPORTED = ("accepted", "sent", "delivered", "undelivered", "failed", "read")
STATUSES: Mapping[str, str] = MappingProxyType(
    {
        **{status: status for status in REPORTED},
        "queued": "accepted",
        "rejected": "failed",
        "expired": "undelivered",
        "deleted": "failed",
        "delivrd": "delivered",  # as SMS centres write them
        "acceptd": "sent",
        "enroute": "sent",
        "undeliv": "undelivered",
        "rejectd": "failed",
    }
)
_OLD_CHARSET = "cp1252"  # of gateways that do not write UTF-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Which field is what; an empty name is a field that the gateway does not have. `begins` and `ends` are `name=value`."""

    format: str = "auto"
    items: str = ""
    id: str = "id"
    sender: str = "from"
    recipient: str = "to"
    text: str = "text"
    time: str = ""
    status: str = "status"
    statuses: Mapping[str, str] = field(default_factory=lambda: STATUSES)
    report_id: str = ""
    reference: str = ""
    code: str = ""
    session: str = ""
    cumulative: bool = False
    begins: str = ""
    ends: str = ""


def events(request: RawRequest, region: str, known: Fields, ours: Address | None) -> Sequence[InboundEvent]:
    """Return the events of a request; `ours` is who is meant where no field says it. Raises `UnreadableRequest`."""
    event = partial(_event, request=request, region=region, known=known, ours=ours)
    if not known.items:
        return [event(form_of(request, known.format))]
    found: Any = frames.read_object(request.body)
    for name in known.items.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, list) or len(found) > ITEMS_MAX or not all(isinstance(item, dict) for item in found):
        raise UnreadableRequest("bad_member", known.items)
    return sms.each(found, lambda item: event(fields.flat(item)))


def form_of(request: RawRequest, kind: str) -> Form:
    """Return the fields of a request in a format of the settings; raises `UnreadableRequest`."""
    match kind:
        case "query":
            return fields.query(request.url, _OLD_CHARSET)
        case "json":
            return fields.flat(frames.read_object(request.body))
        case "form":
            return fields.form(request.body, forms.TYPE, _OLD_CHARSET)
    if request.body or request.method == "GET":
        return fields.read(request, _OLD_CHARSET)
    return fields.query(request.url, _OLD_CHARSET)


def _event(form: Form, request: RawRequest, region: str, known: Fields, ours: Address | None) -> InboundEvent:
    one = partial(fields.only, form)
    if known.status and known.status in form and known.text not in form:
        return _report(form, request, known)
    sender = numbers.sender(one(known.sender), region)
    recipient = _recipient(one(known.recipient), region, ours) if known.recipient else ours
    if sender is None or recipient is None:
        raise UnreadableRequest("bad_number", known.sender if sender is None else known.recipient)
    text = one(known.text)
    if known.session:
        return _step(form, request, known, sender, recipient, texts.clean(text))
    time = one(known.time) if known.time else ""
    external_id = one(known.id) if known.id else _digest(sender.value, text, time)
    if not sms.is_id(external_id):
        raise UnreadableRequest("bad_id")
    return InboundMessage(external_id, sender, recipient, texts.clean(text), sent_at=sms.moment(time))


def _recipient(text: str, region: str, ours: Address | None) -> Address | None:
    """Return whom a message was for; a service code may come without its last sign."""
    if not text:
        return ours or numbers.UNSAID
    if ours is not None and text.rstrip("#") == ours.value.rstrip("#"):
        return ours
    return Address(AddressKind.SHORT_CODE, text[:200]) if text.startswith("*") else numbers.sender(text, region)


def _step(form: Form, request: RawRequest, known: Fields, sender: Address, recipient: Address, text: str) -> InboundEvent:
    """Return one step of a USSD session; where neither an id nor the input so far tells steps apart, every request is one."""
    session_id = fields.only(form, known.session)
    if not sms.is_id(session_id):
        raise UnreadableRequest("bad_session")
    if _holds(form, known.ends):
        return ContactSignal(f"{session_id}:end", sender, recipient, "hung_up", session_id=session_id)
    step = fields.only(form, known.id) if known.id else _digest(text) if known.cumulative else str(request.received_at)
    if not sms.is_id(step):
        raise UnreadableRequest("bad_id")
    new = _holds(form, known.begins) if known.begins else not text
    return InboundMessage(
        f"{session_id}:{step}",
        sender,
        recipient,
        text if known.cumulative or not new else "",  # what begins a session is the code that was dialled
        session=Session.NEW if new else Session.RESUME,
        session_id=session_id,
        cumulative=known.cumulative,
    )


def _report(form: Form, request: RawRequest, known: Fields) -> InboundEvent:
    one = partial(fields.only, form)
    status = known.statuses.get(one(known.status).strip().lower())
    if status is None:
        return Ignored("unknown_status")
    name = known.report_id or known.id
    ours = sms.our_id(one(known.reference) if known.reference else fields.asked(request.url, "m"))
    external_id = (one(name) if name else "") or ours or ""
    if not sms.is_id(external_id):
        raise UnreadableRequest("bad_id")
    code = one(known.code)[:40] if known.code else ""
    at = sms.moment(one(known.time)) if known.time else None
    return DeliveryReport(external_id, status, message_id=ours, code=code or None, at=at)


def _holds(form: Form, condition: str) -> bool:
    name, _, value = condition.partition("=")
    return bool(condition) and form.get(name) == (value,)


def _digest(*parts: str) -> str:
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
