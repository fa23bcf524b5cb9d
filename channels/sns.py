"""Reads and proves messages of Amazon SNS: their signature, the topic that they come from, and the certificate that they name.

A certificate is taken from one host only, which follows from the topic and never from the message. Must not fetch anything itself, and
must not know what a message is about.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from channels import frames
from core.model.inbound import AuthenticationFailed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

BYTES_MAX = 1_048_576  # a message of SNS has at most 256 kB, written as JSON within JSON
_ARN = re.compile(r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z]{2}(?:-[a-z]{1,12}){1,3}-\d{1,2}):\d{12}:[A-Za-z0-9_.-]{1,256}")
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-f]{8,64}\.pem")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
ABOUT_SUBSCRIPTIONS = frozenset(_SIGNED) - {"Notification"}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What SNS posts: its fields that are text."""

    fields: Mapping[str, str]

    @property
    def type(self) -> str:
        """Notification, SubscriptionConfirmation or UnsubscribeConfirmation."""
        return self.fields["Type"]


def host_of(topic_arn: str) -> str:
    """Return the host that speaks for a topic; raises ValueError for what is no topic."""
    found = _ARN.fullmatch(topic_arn)
    if found is None:
        raise ValueError("topic_arn has the form arn:aws:sns:REGION:ACCOUNT:NAME")
    return f"sns.{found[2]}.amazonaws.com{'.cn' if found[1] == 'aws-cn' else ''}"


def read(body: bytes) -> Envelope:
    """Return what SNS posted; raises `UnreadableRequest`, and `AuthenticationFailed` for what SNS would not write."""
    fields = {name: value for name, value in frames.read_object(body, BYTES_MAX).items() if isinstance(value, str)}
    needed = _SIGNED.get(fields.get("Type", ""))
    if needed is None or any(name not in fields for name in needed if name != "Subject"):
        raise AuthenticationFailed("missing_signature")
    return Envelope(fields)


def check_topic(envelope: Envelope, topic_arns: frozenset[str]) -> None:
    """Raise `AuthenticationFailed` for a message of another topic."""
    if envelope.fields["TopicArn"] not in topic_arns:
        raise AuthenticationFailed("other_topic")


def certificate_path(envelope: Envelope, host: str) -> str:
    """Return the path of the certificate on the topic's host; raises `AuthenticationFailed` for any other place."""
    parts = _split(envelope.fields.get("SigningCertURL", ""))
    if (parts[0], parts[1], parts[3]) != ("https", host, "") or not _CERTIFICATE.fullmatch(parts[2]):
        raise AuthenticationFailed("bad_certificate_url")
    return parts[2]


def confirm_path(envelope: Envelope, host: str) -> str:
    """Return path and query by which a subscription to the topic is confirmed; raises `AuthenticationFailed` for any other place."""
    scheme, netloc, path, query = _split(envelope.fields.get("SubscribeURL", ""))
    asked = parse_qs(query, max_num_fields=20)
    wanted = {"Action": ["ConfirmSubscription"], "TopicArn": [envelope.fields["TopicArn"]], "Token": [envelope.fields["Token"]]}
    if (scheme, netloc, path) != ("https", host, "/") or asked != wanted:
        raise AuthenticationFailed("bad_subscribe_url")
    return f"/?{query}"


def _split(url: str) -> tuple[str, str, str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", "", "", ""
    return parts.scheme, parts.netloc, parts.path, parts.query


def public_key(certificate_pem: bytes, now_ms: int) -> RSAPublicKey:
    """Return the key of a certificate that is valid now; raises ValueError."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415 - the library is for configured channels only
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415 - as above

    certificate = load_pem_x509_certificate(certificate_pem)
    key = certificate.public_key()
    begins, ends = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    if not isinstance(key, RSAPublicKey) or not begins <= now_ms / 1_000 <= ends:
        raise ValueError("no certificate of SNS")
    return key


def check_signature(envelope: Envelope, key: RSAPublicKey) -> None:
    """Raise `AuthenticationFailed` unless the message was signed with this key."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256  # noqa: PLC0415 - as above

    fields = envelope.fields
    hashes = {"1": SHA1, "2": SHA256}
    made = hashes.get(fields.get("SignatureVersion", ""))
    if made is None:
        raise AuthenticationFailed("bad_signature", "unknown version")
    signed = "".join(f"{name}\n{fields[name]}\n" for name in _SIGNED[envelope.type] if name in fields)
    try:
        key.verify(base64.b64decode(fields.get("Signature", ""), validate=True), signed.encode(), PKCS1v15(), made())
    except (InvalidSignature, ValueError):  # not base64, or no text
        raise AuthenticationFailed("bad_signature") from None
