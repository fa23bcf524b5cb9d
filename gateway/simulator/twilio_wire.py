"""Twilio's side of the wire as plain values: accounts, the message resource, errors, webhook forms, and exchanges as text.

Must not send anything or hold state; that is `gateway.simulator.twilio`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from xml.etree import ElementTree as ET

from core.text.segments import measure

API_VERSION = "2010-04-01"
WHATSAPP = "whatsapp:"
_HIDDEN = {"authorization"}  # the only header whose value is a password rather than a signature


@dataclass(frozen=True, slots=True)
class Content:
    """A content template: how many quick replies it has, and whether WhatsApp has approved it for use outside of the 24 hours."""

    buttons: int
    approved: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """What Twilio knows of its customer: the account, one number or WhatsApp sender, where its messages go, and its templates."""

    sid: str
    auth_token: str = field(repr=False)
    number: str
    webhook_url: str
    contents: Mapping[str, Content] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PhoneMessage:
    """A message as the person with the phone sees it. `direction`: inbound, outbound-api or outbound-reply.

    `media` are addresses of attachments, `buttons` quick replies as title and payload. `extra` are fields of the webhook that only this
    message has, such as those of a pressed button or a place.
    """

    sid: str
    direction: str
    from_: str
    to: str
    body: str
    status: str
    at: int
    callback: str = ""
    media: tuple[str, ...] = ()
    buttons: tuple[tuple[str, str], ...] = ()
    error: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer as text. `what` says which kind of request; `phone` is the number of the person it concerns."""

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


def bare(address: str) -> str:
    """Return the number in an address of whichever channel."""
    return address.removeprefix(WHATSAPP)


def resource(account: Account, message: PhoneMessage) -> dict[str, Any]:
    """Return the message as the API describes it."""
    uri = f"/{API_VERSION}/Accounts/{account.sid}/Messages/{message.sid}"
    date = _date(message.at)
    return {
        "account_sid": account.sid,
        "api_version": API_VERSION,
        "body": message.body,
        "date_created": date,
        "date_sent": date if message.status not in {"queued", "failed"} else None,
        "date_updated": date,
        "direction": message.direction,
        "error_code": int(message.error) if message.status == "failed" else None,
        "error_message": None,
        "from": message.from_,
        "messaging_service_sid": None,
        "num_media": str(len(message.media)),
        "num_segments": str(measure(message.body).parts),
        "price": None,
        "price_unit": "USD",
        "sid": message.sid,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.to,
        "uri": f"{uri}.json",
    }


def _date(at: int) -> str:
    return format_datetime(datetime.fromtimestamp(at / 1000, UTC))


def inbound_form(account: Account, message: PhoneMessage) -> dict[str, str]:
    """Return the fields that Twilio posts to the webhook for a message to our number."""
    media = {name: value for index, url in enumerate(message.media) for name, value in _media(index, url)}
    common = {
        "SmsMessageSid": message.sid,
        "NumMedia": str(len(message.media)),
        "SmsSid": message.sid,
        "SmsStatus": "received",
        "Body": message.body,
        "To": message.to,
        "NumSegments": str(measure(message.body).parts),
        "MessageSid": message.sid,
        "AccountSid": account.sid,
        "From": message.from_,
        "ApiVersion": API_VERSION,
        **media,
        **message.extra,
    }
    if message.from_.startswith(WHATSAPP):
        number = bare(message.from_)
        told = {"ProfileName": f"Customer {number[-3:]}", "WaId": number.removeprefix("+"), "ReferralNumMedia": "0"}
        return {"MessageType": "image" if media else "text", **told, **common, "NumSegments": "1"}
    places = {f"{end}{what}": "" for end in ("To", "From") for what in ("Country", "State", "City", "Zip")}
    return {**places, **common}


def _media(index: int, url: str) -> list[tuple[str, str]]:
    return [(f"MediaContentType{index}", "image/png"), (f"MediaUrl{index}", url)]


def status_form(account: Account, message: PhoneMessage) -> dict[str, str]:
    """Return the fields that Twilio posts to a message's status callback."""
    form = {
        "SmsSid": message.sid,
        "SmsStatus": message.status,
        "MessageStatus": message.status,
        "To": message.to,
        "MessageSid": message.sid,
        "AccountSid": account.sid,
        "From": message.from_,
        "ApiVersion": API_VERSION,
    }
    if message.status == "failed":
        form["ErrorCode"] = message.error
    if message.to.startswith(WHATSAPP):
        form |= {"ChannelToAddress": message.to, "ChannelPrefix": "whatsapp"}
        if message.status in {"delivered", "read"}:
            form["EventType"] = message.status.upper()
    return form


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
