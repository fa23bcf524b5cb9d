"""What a deliver_sm or data_sm says: a message, a delivery receipt, or a step of a USSD session.

Reads the fields as the session wrote them down, so it needs neither the protocol's library nor a connection. Must not guess a receipt
from the text alone: anybody can write one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from channels import frames, numbers, smpp_parts, smpp_text, sms, texts
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
from core.model.outbound import DeliveryStatus

ALPHABETS = ("gsm7", "latin-1", "ascii")
_TYPE, _RECEIPTS, _ABORT = 0x3C, {0x04, 0x20}, 0x18
_TON_INTERNATIONAL, _TON_NATIONAL, _TON_ALPHANUMERIC = 1, 2, 5
_BEGIN, _ANSWER = 1, 18  # ussd_service_op: PSSR indication, USSR confirm
STATES: Mapping[str, DeliveryStatus] = {
    "ENROUTE": DeliveryStatus.SENT,
    "BUFFERED": DeliveryStatus.SENT,
    "ACCEPTD": DeliveryStatus.SENT,
    "DELIVRD": DeliveryStatus.DELIVERED,
    "EXPIRED": DeliveryStatus.UNDELIVERED,
    "UNDELIV": DeliveryStatus.UNDELIVERED,
    "DELETED": DeliveryStatus.FAILED,
    "REJECTD": DeliveryStatus.FAILED,
}
_BY_NUMBER = {1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 8: "REJECTD"}
_RECEIPT_ID = re.compile(r"\bid:\s*([!-~]{1,65})", re.IGNORECASE)
_RECEIPT_STATE = re.compile(r"\bstat:\s*([A-Za-z]{3,10})", re.IGNORECASE)
_RECEIPT_ERROR = re.compile(r"\berr:\s*([0-9A-Za-z]{1,8})", re.IGNORECASE)
_ID = re.compile(r"[!-~]{1,100}")


def events(request: RawRequest, region: str) -> list[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    fields = frames.read_object(request.body)
    if "pdu" in fields:
        raise UnreadableRequest("pdu")
    optional = fields.setdefault("optional", {})
    if not isinstance(optional, dict) or not all(isinstance(value, str) for value in optional.values()):
        raise UnreadableRequest("bad_member", "optional")
    kind = _number(fields, "esm_class") & _TYPE
    if is_receipt(fields):
        return [_report(fields)]
    if kind not in {0, _ABORT}:
        return [Ignored("other_message_type")]
    return [_said(fields, region, aborted=kind == _ABORT)]


def is_receipt(fields: Mapping[str, Any]) -> bool:
    """Tell whether this is a delivery receipt: its type says so, or it has both parameters that only a receipt has."""
    kind = fields.get("esm_class", 0) & _TYPE
    return kind in _RECEIPTS or (kind == 0 and {"receipted_message_id", "message_state"} <= fields.get("optional", {}).keys())


def receipt_ids(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids under which we may know the message of a receipt, as told first: centres write one number now so, now so."""
    try:
        told = _report(fields)
    except UnreadableRequest:
        return ()
    return same_ids(told.external_id) if isinstance(told, DeliveryReport) else ()


def same_ids(told: str) -> tuple[str, ...]:
    """Return an id with the other ways to write it: as a decimal number in hexadecimal, and the reverse, with and without leading zeros."""
    read_as = [int(told)] if re.fullmatch(r"[0-9]{1,24}", told) else []
    read_as += [int(told, 16)] if re.fullmatch(r"[0-9A-Fa-f]{1,20}", told) else []
    written = [f"{number:{form}}" for number in read_as for form in ("d", "010d", "x", "X", "08x", "08X")]
    return tuple(dict.fromkeys([told, *written]))


def sender_of(fields: Mapping[str, Any], region: str) -> Address | None:
    """Return who sent a message; the type of number decides how it is read."""
    text, ton = frames.text_member(fields, "source_addr").strip(), _number(fields, "source_addr_ton")
    if ton == _TON_INTERNATIONAL:
        return numbers.msisdn(f"+{text.removeprefix('+')}", region)
    if ton == _TON_NATIONAL:
        return numbers.msisdn(text, region)
    if ton == _TON_ALPHANUMERIC:
        return numbers.sender(text, region)
    return numbers.sender(text, region)


def _said(fields: dict[str, Any], region: str, *, aborted: bool) -> InboundEvent:
    operation = fields["optional"].get("ussd_service_op")
    sender = sender_of(fields, region)
    recipient = _recipient(fields, region)
    if sender is None or recipient is None:
        raise UnreadableRequest("bad_number")
    external_id = frames.text_member(fields, "id", "") or smpp_parts.digest_of(fields)
    if not _ID.fullmatch(external_id):
        raise UnreadableRequest("bad_id")
    text = _text(fields)
    if operation is not None or aborted:
        return _ussd(fields, external_id, sender, recipient, text, aborted=aborted)
    if text is None:
        return Ignored("binary_message")
    return InboundMessage(external_id, sender, recipient, text)


def _ussd(fields: dict[str, Any], external_id: str, sender: Address, service: Address, text: str | None, *, aborted: bool) -> InboundEvent:
    session_id = frames.text_member(fields, "session", "") or f"{sender.value}:{fields['optional'].get('its_session_info', '')[:2]}"
    operation = _octets(fields["optional"].get("ussd_service_op", ""))
    if aborted or session_ends(fields):
        return ContactSignal(external_id, sender, service, "hung_up", session_id=session_id)
    if operation not in {_BEGIN, _ANSWER} or text is None:
        return Ignored("session_ended")
    if operation == _ANSWER:
        return InboundMessage(external_id, sender, service, text, session=Session.RESUME, session_id=session_id)
    entered = _behind_code(text, service.value)
    return InboundMessage(external_id, sender, service, entered, session=Session.NEW, session_id=session_id, cumulative=True)


def session_ends(fields: Mapping[str, Any]) -> bool:
    """Tell whether the network ends the USSD session with this: the last bit of its session information."""
    return bool(_octets(fields.get("optional", {}).get("its_session_info", "")) & 1)


def expects_screen(fields: Mapping[str, Any]) -> bool:
    """Tell whether a subscriber waits for a screen after this."""
    return _octets(fields.get("optional", {}).get("ussd_service_op", "")) in {_BEGIN, _ANSWER} and not session_ends(fields)


def begins_session(fields: Mapping[str, Any]) -> bool:
    """Tell whether a subscriber begins a USSD session with this."""
    return _octets(fields.get("optional", {}).get("ussd_service_op", "")) == _BEGIN


def _behind_code(dialled: str, code: str) -> str:
    """Return what was dialled behind the service code: `*384*100*1*50#` on `*384*100#` is `1*50`."""
    stem = code.rstrip("#")
    if stem.startswith("*") and dialled.startswith(f"{stem}*"):
        return dialled.removeprefix(f"{stem}*").rstrip("#")
    return "" if dialled.startswith(("*", "#")) else dialled.rstrip("#")


def _report(fields: Mapping[str, Any]) -> DeliveryReport | Ignored:
    optional = fields.get("optional", {})
    text = _text(fields) or ""
    named, state, error = (pattern.search(text) for pattern in (_RECEIPT_ID, _RECEIPT_STATE, _RECEIPT_ERROR))
    external_id = _cstring(optional.get("receipted_message_id", "")) or (named[1] if named else "")
    if not _ID.fullmatch(external_id):
        raise UnreadableRequest("bad_id")
    word = _BY_NUMBER.get(_octets(optional.get("message_state", "")), "") or (state[1].upper() if state else "")
    status = STATES.get(word)
    if status is None:
        return Ignored("unknown_status")
    network_error = optional.get("network_error_code", "")
    code = error[1] if error else str(int(network_error[2:6], 16)) if re.fullmatch(r"[0-9a-f]{6}", network_error) else None
    ours = frames.text_member(fields, "message_id", "")
    return DeliveryReport(external_id, status, message_id=sms.our_id(ours), code=code.lstrip("0") or None if code else None)


def _recipient(fields: Mapping[str, Any], region: str) -> Address | None:
    service = frames.text_member(fields, "service", "").strip()
    if service:
        return Address(AddressKind.SHORT_CODE, service)
    text = frames.text_member(fields, "destination_addr").strip()
    if re.fullmatch(r"[*#][0-9*#]{1,20}", text):
        return Address(AddressKind.SHORT_CODE, text)
    return numbers.msisdn(f"+{text}", region) if _number(fields, "dest_addr_ton") == _TON_INTERNATIONAL else numbers.sender(text, region)


def _text(fields: Mapping[str, Any]) -> str | None:
    """Return the text of a message, None for octets that are no text; raises `UnreadableRequest`."""
    alphabet = frames.text_member(fields, "alphabet", ALPHABETS[0])
    try:
        pieces = fields.get("parts", None) or [[_number(fields, "data_coding"), smpp_parts.payload(fields).hex()]]
        decoded = [smpp_text.decoded(bytes.fromhex(octets), int(coding), alphabet) for coding, octets in pieces]
    except (ValueError, TypeError, AttributeError, LookupError):
        raise UnreadableRequest("bad_member", "short_message") from None
    told = [text for text in decoded if text is not None]
    return texts.clean("".join(told)) if told else None


def _number(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name, 0)
    if type(value) is not int or not 0 <= value <= 0xFF:
        raise UnreadableRequest("bad_member", name)
    return value


def _octets(value: str) -> int:
    """Return a parameter as a number, -1 if it is none."""
    try:
        return int(value, 16)
    except ValueError:
        return -1


def _cstring(value: str) -> str:
    try:
        return bytes.fromhex(value).partition(b"\0")[0].decode("latin-1").strip()
    except ValueError:
        return ""
