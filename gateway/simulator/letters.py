"""Mails as people's programs write them: a new one, answers with and without what they answer, automatic ones, and those that come back.

Must not send anything; a mail is bytes with the envelope that it travels in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

DOMAIN = "post.example"
STRANGER = "stranger@elsewhere.example"
_DAEMON = f"mailer-daemon@{DOMAIN}"


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, when (ms UTC), and a word of chance that makes the mail's id unlike any other."""

    address: str
    name: str
    at: int
    chance: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail and its envelope; `sender` is empty for what must never be answered."""

    raw: bytes = field(repr=False)
    sender: str
    recipient: str


def address_of(msisdn: str) -> str:
    """Return the mail address of a phone's owner."""
    return f"{msisdn.removeprefix('+')}@{DOMAIN}"


def owner_of(address: str) -> str:
    """Return the phone number whose owner has a mail address, empty for one that is not ours."""
    local, _, domain = address.lower().rpartition("@")
    return f"+{local}" if domain == DOMAIN and local.isdecimal() and local.isascii() else ""


def new(writer: Writer, to: str, subject: str, text: str, picture: bytes = b"") -> Sent:
    """Return a mail that answers none, perhaps with a picture."""
    mail = _begun(writer, to, subject)
    mail.set_content(text + "\n")
    if picture:
        mail.add_attachment(picture, maintype="image", subtype="png", filename="mast.png")
    return Sent(mail.as_bytes(), writer.address, to)


def answer(writer: Writer, answered: EmailMessage, text: str, *, referring: bool) -> Sent:
    """Return an answer to a mail: with its text quoted and its ids, or with nothing of it, as some programs do."""
    to = _reply_address(answered)
    subject = str(answered["Subject"])
    mail = _begun(writer, to, subject if subject.lower().startswith("re:") else f"Re: {subject}")
    if referring:
        mail["In-Reply-To"] = str(answered["Message-ID"])
        mail["References"] = " ".join(f"{answered.get('References', '')} {answered['Message-ID']}".split())
        quoted = "\n".join(f"> {line}".rstrip() for line in text_of(answered).splitlines())
        text = f"{text}\n\nOn {answered['Date']}, {answered['From']} wrote:\n{quoted}"
    mail.set_content(text + "\n")
    return Sent(mail.as_bytes(), writer.address, to)


def automatic(writer: Writer, answered: EmailMessage) -> Sent:
    """Return what a mailbox says by itself while its owner is away."""
    to = _reply_address(answered)
    mail = _begun(writer, to, f"Automatic reply: {answered['Subject']}")
    mail["Auto-Submitted"] = "auto-replied"
    mail["In-Reply-To"] = str(answered["Message-ID"])
    mail.set_content("I am out of the office until Monday and will answer then.\n")
    return Sent(mail.as_bytes(), "", to)


def bounce(writer: Writer, returned: EmailMessage) -> Sent:
    """Return what a server says of a mail that it could not deliver."""
    to = _addresses(returned, "From")
    mail = _begun(Writer(_DAEMON, "Mail Delivery System", writer.at, writer.chance), to, "Undelivered Mail Returned to Sender")
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_content(f"I'm sorry to have to inform you that your message could not be delivered.\n\n<{writer.address}>: mailbox unknown\n")
    mail.make_mixed()
    mail.set_type("multipart/report")
    mail.set_param("report-type", "delivery-status")
    status, about, failed = EmailMessage(policy=SMTP), EmailMessage(policy=SMTP), EmailMessage(policy=SMTP)
    about["Reporting-MTA"] = f"dns; mx.{DOMAIN}"
    failed["Final-Recipient"] = f"rfc822; {writer.address}"
    failed["Action"], failed["Status"] = "failed", "5.1.1"
    failed["Diagnostic-Code"] = "smtp; 550 5.1.1 mailbox unknown"
    status["Content-Type"] = "message/delivery-status"
    status.set_payload([about, failed])
    headers = EmailMessage(policy=SMTP)
    headers["Content-Type"] = "text/rfc822-headers"
    headers.set_payload("".join(f"{name}: {returned[name]}\n" for name in ("From", "To", "Subject", "Date", "Message-ID")))
    mail.attach(status)
    mail.attach(headers)
    return Sent(mail.as_bytes(), "", to)


def text_of(mail: EmailMessage) -> str:
    """Return the plain text of a mail."""
    body = mail.get_body(("plain",))
    return "\n".join(str(body.get_content()).strip().splitlines()) if body is not None else ""


def _begun(writer: Writer, to: str, subject: str) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    local, _, domain = writer.address.rpartition("@")
    mail["From"] = HeaderAddress(writer.name, local, domain)
    mail["To"] = to
    mail["Subject"] = " ".join(subject.split())
    mail["Date"] = format_datetime(datetime.fromtimestamp(writer.at / 1000, UTC))
    mail["Message-ID"] = f"<{writer.chance}@{domain}>"
    return mail


def _reply_address(mail: EmailMessage) -> str:
    return _addresses(mail, "Reply-To" if "Reply-To" in mail else "From")


def _addresses(mail: EmailMessage, name: str) -> str:
    return str(mail[name].addresses[0].addr_spec)
