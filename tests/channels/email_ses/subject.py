"""Amazon SES for the conformance suite: messages signed by SNS for our topic, in both versions of the signature."""

from __future__ import annotations

import datetime as dt
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from channels.email_ses import EmailSes, Settings, make
from channels.registry import load
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from tests.channels.email.sending import check_by_relay
from tests.channels.mail.posted import AT, HEAD, HERE, MESSAGE, RELAY_PASSWORD, relay_settings, request
from tests.conformance.subject import PUBLIC_URL, Change, Subject

TOPIC, REPORTS = "arn:aws:sns:us-east-1:012345678912:example-topic", "arn:aws:sns:us-east-1:123456789012:reports"
HOST = "https://sns.us-east-1.amazonaws.com"
PATH, BEFORE_PATH = (f"/SimpleNotificationService-{end * 16}.pem" for end in ("0a", "0b"))
KEY, BEFORE, OTHER = (generate_private_key(65537, 2048) for _ in range(3))
SIGNED = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def certificate(key: RSAPrivateKey, *, from_day: int = -3_650, to_day: int = 3_650) -> bytes:
    """Return a certificate of a key, valid for days around the time of the samples."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    at = dt.datetime.fromtimestamp(AT / 1_000, dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(at + dt.timedelta(days=from_day)).not_valid_after(at + dt.timedelta(days=to_day))
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM)


CERTIFICATES = {PATH: certificate(KEY), BEFORE_PATH: certificate(BEFORE)}


def settings(**changed: object) -> Settings:
    return Settings(**relay_settings(**{"topic_arns": (TOPIC, REPORTS), **changed}))


def adapter(**changed: object) -> EmailSes:
    """Return the adapter when it has fetched the certificates."""
    made = make(ChannelId("mail"), HERE, settings(**changed), PUBLIC_URL, "KE")
    for path, content in CERTIFICATES.items():
        made.trust(path, content, AT)
    return made


def moment(ms: int) -> str:
    return dt.datetime.fromtimestamp(ms / 1_000, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def notification(message: object, **changed: str) -> dict[str, str]:
    """Return what SNS posts for a message."""
    known = {"Type": "Notification", "MessageId": "8f6dee70-c885-558a-be7d-bd48bbf5335e", "TopicArn": TOPIC, "Timestamp": moment(AT)}
    return {**known, "Message": message if isinstance(message, str) else json.dumps(message), **changed}


def posted(document: Mapping[str, Any]) -> RawRequest:
    return request(json.dumps(document).encode(), "text/plain; charset=UTF-8")


def received(raw: str | bytes, encoding: str = "UTF8") -> dict[str, Any]:
    """Return what SES tells of a mail."""
    content = b64encode(raw.encode() if isinstance(raw, str) else raw).decode() if encoding == "BASE64" else raw
    mail = {"source": "jo@customer.example", "messageId": "d6iitobk75ur44p8kdnnp7g2n800", "destination": [HERE.value]}
    receipt = {"recipients": [HERE.value], "action": {"type": "SNS", "topicArn": TOPIC, "encoding": encoding}}
    return {"notificationType": "Received", "receipt": receipt, "mail": mail, "content": content}


def by(key: RSAPrivateKey, path: str = PATH, *, version: str = "2", url: str = "", **wrong: str) -> Change:
    """Return what signs a message; `wrong` is changed afterwards."""

    def change(what: RawRequest) -> RawRequest:
        try:
            document = json.loads(what.body)
        except (ValueError, RecursionError):
            return what
        if not isinstance(document, dict):
            return what
        if document.get("Timestamp") == moment(AT):
            document["Timestamp"] = moment(what.received_at)
        text = "".join(f"{name}\n{document[name]}\n" for name in SIGNED if name in document)
        made = key.sign(text.encode("utf-8", "surrogatepass"), PKCS1v15(), SHA256() if version == "2" else SHA1())
        proof = {"SignatureVersion": version, "Signature": b64encode(made).decode(), "SigningCertURL": url or f"{HOST}{path}"}
        return replace(what, body=json.dumps({**document, **proof, **wrong}).encode())

    return change


def _says(text: str, unknown: Mapping[str, str]) -> RawRequest:
    head = "".join(f"{name}: {value}\r\n" for name, value in HEAD.items())
    raw = f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n".encode() + text.encode("utf-8", "replace")
    return posted({**notification(received(raw, "BASE64")), **unknown})


def _changed(**fields: str) -> Change:
    return lambda what: by(KEY)(replace(what, body=json.dumps({**json.loads(what.body), **fields}).encode()))


async def _check_sending() -> None:
    await check_by_relay(lambda port: adapter(smtp_port=port, smtp_user="", smtp_password=""), MESSAGE, (RELAY_PASSWORD,))


SUBJECT = Subject(
    kind="email_ses",
    settings=settings(),
    make=lambda _: adapter(),
    says=_says,
    authentic=by(KEY),
    authentic_before=by(BEFORE, BEFORE_PATH, version="1"),
    forgeries={
        "no signature": lambda what: what,
        "another key": by(OTHER),
        "another content": by(KEY, Message="{}"),
        "another version": by(KEY, SignatureVersion="3"),
        "no base64": by(KEY, Signature="ü"),
        "another topic": _changed(TopicArn=TOPIC.replace("example", "other")),
        "another account": _changed(TopicArn=TOPIC.replace("0123", "9123")),
        "a certificate elsewhere": by(OTHER, url=f"https://sns.us-east-1.amazonaws.com.evil.example{PATH}"),
        "a certificate in another region": by(KEY, url=f"https://sns.eu-west-1.amazonaws.com{PATH}"),
        "a certificate in a bucket": by(OTHER, url="https://evil.s3.amazonaws.com/SimpleNotificationService-0a0a0a0a.pem"),
        "a certificate without encryption": by(KEY, url=f"http://sns.us-east-1.amazonaws.com{PATH}"),
        "a certificate behind a user": by(KEY, url=f"https://sns.us-east-1.amazonaws.com@evil.example{PATH}"),
        "a certificate that nobody fetched": by(KEY, f"/SimpleNotificationService-{'0c' * 16}.pem"),
        "a year old": _changed(Timestamp=moment(AT - 365 * 86_400_000)),
        "no time": _changed(Timestamp="soon"),
        "another type": by(KEY, Type="UnsubscribeConfirmation"),
    },
    secrets=(RELAY_PASSWORD, "path-secret-canary-9f86d081884c7d65"),
    samples=Path(__file__).parent / "samples",
    message=MESSAGE,
    heard=str.strip,
    sending=_check_sending,
    offline_parse=load("email_ses").parse,
)
