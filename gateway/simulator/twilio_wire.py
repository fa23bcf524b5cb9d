"""Twilio's side of the wire as plain values: the message resource, errors, webhook forms, TwiML, and exchanges as text.

Must not send anything or hold state; that is `gateway.simulator.twilio`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from xml.etree import ElementTree as ET

from core.text.segments import measure

API_VERSION = "2010-04-01"
BODY_CHARS_MAX = 1_600
_HIDDEN = {"authorization"}  # the only header whose value is a password rather than a signature


@dataclass(frozen=True, slots=True)
class Account:
    """What Twilio knows of its customer: the account, one number, and where that number's messages go."""

    sid: str
    auth_token: str
    number: str
    webhook_url: str


@dataclass(frozen=True, slots=True)
class PhoneMessage:
    """A message as the person with the phone sees it. `direction`: inbound, outbound-api or outbound-reply."""

    sid: str
    direction: str
    from_: str
    to: str
    body: str
    status: str
    at: int
    callback: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer as text. `what`: webhook, api or callback; `phone` is the number of the person it concerns."""

    what: str
    phone: str
    at: int
    request: str
    answer: str


class Refusal(Exception):
    """An answer of the API that is an error: HTTP status, Twilio's code, and its sentence."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def document(self) -> dict[str, Any]:
        """Return the error as the API writes it."""
        more = f"https://www.twilio.com/docs/errors/{self.code}"
        return {"code": self.code, "message": str(self), "more_info": more, "status": self.status}


def check_message(account: Account, form: Mapping[str, str]) -> None:
    """Raise `Refusal` for what Twilio would not take."""
    to, from_, body, callback = (form.get(name, "") for name in ("To", "From", "Body", "StatusCallback"))
    if not to:
        raise Refusal(400, 21604, "A 'To' phone number is required.")
    if not from_:
        raise Refusal(400, 21603, "A 'From' phone number is required.")
    if not _is_number(to):
        raise Refusal(400, 21211, "Invalid 'To' Phone Number")
    if from_ != account.number:
        raise Refusal(400, 21606, "The 'From' phone number provided is not a valid message-capable Twilio phone number.")
    if not body:
        raise Refusal(400, 21602, "Message body is required.")
    if len(body) > BODY_CHARS_MAX:
        raise Refusal(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
    if callback and not callback.startswith(("http://", "https://")):
        raise Refusal(400, 21609, "The 'StatusCallback' URL is not a valid URL.")


def _is_number(text: str) -> bool:
    return text.startswith("+") and text[1:].isascii() and text[1:].isdecimal() and 8 <= len(text) <= 16


def resource(account: Account, message: PhoneMessage) -> dict[str, Any]:
    """Return the message as the API describes it."""
    uri = f"/{API_VERSION}/Accounts/{account.sid}/Messages/{message.sid}"
    date = format_datetime(datetime.fromtimestamp(message.at / 1000, UTC))
    return {
        "account_sid": account.sid,
        "api_version": API_VERSION,
        "body": message.body,
        "date_created": date,
        "date_sent": None,
        "date_updated": date,
        "direction": message.direction,
        "error_code": None,
        "error_message": None,
        "from": message.from_,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": str(measure(message.body).parts),
        "price": None,
        "price_unit": "USD",
        "sid": message.sid,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.to,
        "uri": f"{uri}.json",
    }


def inbound_form(account: Account, message: PhoneMessage) -> dict[str, str]:
    """Return the fields that Twilio posts to the webhook for a message to our number."""
    return {
        "ToCountry": "",
        "ToState": "",
        "SmsMessageSid": message.sid,
        "NumMedia": "0",
        "ToCity": "",
        "FromZip": "",
        "SmsSid": message.sid,
        "FromState": "",
        "SmsStatus": "received",
        "FromCity": "",
        "Body": message.body,
        "FromCountry": "",
        "To": message.to,
        "ToZip": "",
        "NumSegments": str(measure(message.body).parts),
        "MessageSid": message.sid,
        "AccountSid": account.sid,
        "From": message.from_,
        "ApiVersion": API_VERSION,
    }


def status_form(account: Account, message: PhoneMessage) -> dict[str, str]:
    """Return the fields that Twilio posts to a message's status callback."""
    return {
        "SmsSid": message.sid,
        "SmsStatus": message.status,
        "MessageStatus": message.status,
        "To": message.to,
        "MessageSid": message.sid,
        "AccountSid": account.sid,
        "From": message.from_,
        "ApiVersion": API_VERSION,
    }


def replies(twiml: str) -> list[tuple[str, str]]:
    """Return the text and status callback of each message in TwiML; empty for what is no TwiML."""
    try:
        root = ET.fromstring(twiml)  # noqa: S314 - the gateway's own answer, read in the demo only
    except ET.ParseError:
        return []
    if root.tag != "Response":
        return []
    return [("".join(message.itertext()), message.get("statusCallback", "")) for message in root.findall("Message")]


def as_text(first_line: str, headers: Mapping[str, str], body: str) -> str:
    """Return a request or answer as it looks on the wire, without passwords."""
    lines = [f"{name}: {'(hidden)' if name.lower() in _HIDDEN else value}" for name, value in headers.items()]
    return "\n".join([first_line, *lines, "", body])
