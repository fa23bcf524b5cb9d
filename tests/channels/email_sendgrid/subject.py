"""SendGrid for the conformance suite: its signature, user and password, from the listed network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from channels.email_sendgrid import EmailSendgrid, Settings, make
from channels.registry import load
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from tests.channels.email.sending import check_by_relay
from tests.channels.mail.posted import HEAD, HERE, MESSAGE, RELAY_PASSWORD, multipart, relay_settings
from tests.conformance.subject import PUBLIC_URL, Change, Subject, with_header

NEW, OLD = "user:new-password-canary-11", "user:old-password-canary-22"
KEY, BEFORE, OTHER = (generate_private_key(SECP256R1()) for _ in range(3))
SIGNATURE, TIMESTAMP = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"


def shown(key: EllipticCurvePrivateKey) -> str:
    """Return the public half of a key as SendGrid shows it."""
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def settings(**changed: object) -> Settings:
    known = {"verification_keys": (shown(KEY), shown(BEFORE)), "basic": (NEW, OLD), "sources": ("127.0.0.0/8",)}
    return Settings(**relay_settings(**{**known, **changed}))


def adapter(**changed: object) -> EmailSendgrid:
    return make(ChannelId("mail"), HERE, settings(**changed), PUBLIC_URL, "KE")


def parsed_form(text: str, **more: str) -> dict[str, str]:
    """Return the fields of a mail that SendGrid took apart."""
    headers = "".join(f"{name}: {value}\n" for name, value in HEAD.items())
    known = {"headers": headers, "from": HEAD["From"], "to": HEAD["To"], "subject": "", "text": text, "attachments": "0"}
    known["charsets"] = '{"to":"UTF-8","subject":"UTF-8","from":"UTF-8","text":"UTF-8"}'
    known["envelope"] = '{"to":["support@operator.example"],"from":"jo@customer.example"}'
    return {**known, "sender_ip": "192.0.2.10", "dkim": "{@customer.example : pass}", "SPF": "pass", **more}


def by(pair: str, key: EllipticCurvePrivateKey = KEY, age_s: int = 0) -> Change:
    """Return what adds user, password and signature."""

    def change(what: RawRequest) -> RawRequest:
        at = str(what.received_at // 1_000 - age_s)
        signature = b64encode(key.sign(at.encode() + what.body, ECDSA(SHA256()))).decode()
        signed = with_header(with_header(what, SIGNATURE, signature), TIMESTAMP, at)
        return with_header(signed, "authorization", f"Basic {b64encode(pair.encode()).decode()}")

    return change


def _says(text: str, unknown: Mapping[str, str]) -> RawRequest:
    return multipart(parsed_form(text, **{quote(name): value for name, value in unknown.items()}))


async def _check_sending() -> None:
    await check_by_relay(lambda port: adapter(smtp_port=port, smtp_user="", smtp_password=""), MESSAGE, (RELAY_PASSWORD, NEW, OLD))


SUBJECT = Subject(
    kind="email_sendgrid",
    settings=settings(),
    make=lambda _: adapter(),
    says=_says,
    authentic=by(NEW),
    authentic_before=by(OLD, BEFORE),
    forgeries={
        "nothing": lambda what: what,
        "another password": by("user:other"),
        "another key": by(NEW, OTHER),
        "no signature": lambda what: replace(by(NEW)(what), headers={"authorization": by(NEW)(what).headers["authorization"]}),
        "no base64": lambda what: with_header(by(NEW)(what), SIGNATURE, "ü"),
        "another time": lambda what: with_header(by(NEW)(what), TIMESTAMP, "1600112503"),
        "no time": lambda what: with_header(by(NEW)(what), TIMESTAMP, "soon"),
        "a year old": by(NEW, age_s=365 * 86_400),
        "another content": lambda what: replace(by(NEW)(what), body=what.body.replace(b"customer", b"somebody")),
        "another network": lambda what: replace(by(NEW)(what), remote="192.0.2.7"),
    },
    secrets=(NEW, OLD, RELAY_PASSWORD, "path-secret-canary-9f86d081884c7d65"),
    samples=Path(__file__).parent / "samples",
    message=MESSAGE,
    heard=str.strip,
    sending=_check_sending,
    offline_parse=load("email_sendgrid").parse,
)
