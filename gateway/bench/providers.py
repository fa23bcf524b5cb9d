"""How each provider would post a message to its channel: one builder a kind, for the load generator.

It runs in the load generator's process, so it signs with what channels have and imports nothing of a provider's own library.
"""

from __future__ import annotations

import hmac
import json
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from channels.signatures import twilio_signature
from channels.vonage_signatures import signature
from gateway.bench.certificates import CERTIFICATE_URL, TOPIC, sign

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
    person, to = author(msisdn), {"Email": line.to, "Name": "", "MailboxHash": ""}
    headers = [{"Name": "Message-ID", "Value": f"<{number}@customer.example>"}]
    known = {"From": person, "FromFull": {"Email": person, "Name": ""}, "To": line.to, "ToFull": [to], "CcFull": [], "Headers": headers}
    said = {"Subject": text, "MessageID": number, "Date": "Thu, 01 Jan 2026 00:00:00 +0000", "TextBody": f"{text}\n", "HtmlBody": ""}
    return JSON, json.dumps({**known, **said, "OriginalRecipient": line.to, "Attachments": []}), _basic(line)


def raw_mail(to: str, number: str, msisdn: str, text: str) -> str:
    """Return a mail as it is handed over."""
    head = f"From: {author(msisdn)}\r\nTo: {to}\r\nSubject: {text}\r\nMessage-ID: <{number}@customer.example>\r\n"
    return f"{head}MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"


def author(msisdn: str) -> str:
    """Return the mail address of a subscriber."""
    return f"p{msisdn[1:]}@customer.example"


def _sendgrid(line: Line, number: str, msisdn: str, text: str) -> Made:
    envelope = json.dumps({"to": [line.to], "from": author(msisdn)})
    fields = {"email": raw_mail(line.to, number, msisdn, text), "envelope": envelope, "to": line.to, "subject": text}
    parts = (f'--{NONCE}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
    return f"multipart/form-data; boundary={NONCE}", "".join(parts) + f"--{NONCE}--\r\n", _basic(line)


def _mailgun(line: Line, number: str, msisdn: str, text: str) -> Made:
    at, token = str(int(time.time())), f"{number:0>50}"
    proof = {"timestamp": at, "token": token, "signature": hmac.digest(line.secret.encode(), f"{at}{token}".encode(), "sha256").hex()}
    said = {"recipient": line.to, "sender": author(msisdn), "subject": text, "body-mime": raw_mail(line.to, number, msisdn, text)}
    return FORM, urlencode({**said, **proof}), {}


def _ses(line: Line, number: str, msisdn: str, text: str) -> Made:
    about = {"source": author(msisdn), "messageId": number, "destination": [line.to]}
    receipt = {"recipients": [line.to], "action": {"type": "SNS", "topicArn": TOPIC, "encoding": "UTF8"}}
    mail = {"notificationType": "Received", "receipt": receipt, "mail": about, "content": raw_mail(line.to, number, msisdn, text)}
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    known = {"Message": json.dumps(mail), "MessageId": number, "Timestamp": at, "TopicArn": TOPIC, "Type": "Notification"}
    signed = sign(line.secret, "".join(f"{name}\n{value}\n" for name, value in known.items()))
    return "text/plain", json.dumps({**known, "SignatureVersion": "2", "Signature": signed, "SigningCertURL": CERTIFICATE_URL}), {}


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
    "email_sendgrid": _sendgrid,
    "email_mailgun": _mailgun,
    "email_ses": _ses,
}
