"""How each provider would post a message to its channel: one builder a kind, for the load generator.

It runs in the load generator's process, so it signs with what channels have and imports nothing of a provider's own library.
"""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from channels.signatures import twilio_signature
from channels.vonage_signatures import signature

NONCE = "12345678901234567890"
AT = "2026-01-01T00:00:00.000+0000"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
Made = tuple[str, str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Line:
    """A channel as its provider sees it: the address that it calls, the secret between them, our address."""

    url: str
    secret: str
    to: str
    account: str = ""


def _twilio(line: Line, fields: dict[str, str]) -> Made:
    fields = {"AccountSid": line.account, "ApiVersion": "2010-04-01", **fields}
    signed = twilio_signature(line.secret, line.url, {name: (value,) for name, value in fields.items()})
    return FORM, urlencode(fields), {"X-Twilio-Signature": signed}


def _whatsapp(line: Line, number: str, msisdn: str, text: str) -> Made:
    fields = {"Body": text, "From": f"whatsapp:{msisdn}", "MessageSid": f"SM{number:0>32}", "NumMedia": "0", "To": f"whatsapp:{line.to}"}
    return _twilio(line, fields)


def _voice(line: Line, number: str, msisdn: str, _text: str) -> Made:
    fields = {"CallSid": f"CA{number:0>32}", "CallStatus": "ringing", "Direction": "inbound", "From": msisdn, "To": line.to}
    return _twilio(line, fields)


def _africastalking(line: Line, number: str, msisdn: str, text: str) -> Made:
    return FORM, urlencode({"date": AT, "from": msisdn, "id": number, "linkId": number, "text": text, "to": line.to}), {}


def _vonage(line: Line, number: str, msisdn: str, text: str) -> Made:
    fields = {"api-key": line.account, "msisdn": msisdn[1:], "to": line.to[1:], "messageId": number, "text": text, "type": "text"}
    signed = signature(line.secret, "sha256", {name: (value,) for name, value in fields.items()})
    return FORM, urlencode({**fields, "sig": signed}), {}


def _plivo(line: Line, number: str, msisdn: str, text: str) -> Made:
    uuid = f"00000000-0000-4000-8000-{number:0>12}"
    fields = {"From": msisdn[1:], "MessageUUID": uuid, "Text": text, "To": line.to[1:], "Type": "sms"}
    signed = line.url + "?" + "".join(name + fields[name] for name in sorted(fields)) + "." + NONCE
    mac = b64encode(hmac.digest(line.secret.encode(), signed.encode(), "sha256")).decode()
    return FORM, urlencode(fields), {"X-Plivo-Signature-V3": mac, "X-Plivo-Signature-V3-Nonce": NONCE}


def _infobip(line: Line, number: str, msisdn: str, text: str) -> Made:
    said = {"messageId": number, "from": msisdn[1:], "to": line.to[1:], "text": text, "cleanText": text, "receivedAt": AT, "smsCount": 1}
    return JSON, json.dumps({"results": [said], "messageCount": 1, "pendingMessageCount": 0}), _basic(line)


def _clickatell(line: Line, number: str, msisdn: str, text: str) -> Made:
    said = {"channel": "sms", "messageId": number, "from": msisdn[1:], "to": line.to[1:], "content": text, "charset": "UTF-8"}
    return JSON, json.dumps({"integrationId": "0", "event": {"moText": [said]}}), _basic(line)


def _generic(line: Line, number: str, msisdn: str, text: str) -> Made:
    body = json.dumps({"id": number, "from": msisdn, "to": line.to, "text": text})
    return JSON, body, {"X-Signature": hmac.digest(line.secret.encode(), body.encode(), "sha256").hex()}


def _telegram(line: Line, number: str, msisdn: str, text: str) -> Made:
    person = {"id": int(msisdn[1:]), "first_name": "Asha"}
    message = {"message_id": int(number), "date": 1_767_225_600, "chat": {**person, "type": "private"}, "text": text}
    update = {"update_id": int(number), "message": {**message, "from": {**person, "is_bot": False}}}
    return JSON, json.dumps(update), {"X-Telegram-Bot-Api-Secret-Token": line.secret}


def _mail(line: Line, number: str, msisdn: str, text: str) -> Made:
    person, to = f"p{msisdn[1:]}@customer.example", {"Email": line.to, "Name": "", "MailboxHash": ""}
    headers = [{"Name": "Message-ID", "Value": f"<{number}@customer.example>"}]
    known = {"From": person, "FromFull": {"Email": person, "Name": ""}, "To": line.to, "ToFull": [to], "CcFull": [], "Headers": headers}
    said = {"Subject": text, "MessageID": number, "Date": "Thu, 01 Jan 2026 00:00:00 +0000", "TextBody": f"{text}\n", "HtmlBody": ""}
    return JSON, json.dumps({**known, **said, "OriginalRecipient": line.to, "Attachments": []}), _basic(line)


def _basic(line: Line) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(line.secret.encode()).decode()}"}


POSTS: Mapping[str, Callable[[Line, str, str, str], Made]] = {
    "voice_twilio": _voice,
    "telegram": _telegram,
    "whatsapp_twilio": _whatsapp,
    "sms_africastalking": _africastalking,
    "sms_vonage": _vonage,
    "sms_plivo": _plivo,
    "sms_infobip": _infobip,
    "sms_clickatell": _clickatell,
    "http_generic": _generic,
    "email_postmark": _mail,
}
