"""A mail of the collection with what should be understood of it, and how the everyday shapes of mail are put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import blake2b


@dataclass(frozen=True)
class Case:
    """One mail; what is None is not judged."""

    name: str
    raw: bytes
    text: str | None = None
    body: str | None = None
    headers: dict[str, object] = field(default_factory=dict)
    attachments: list[tuple[str, str, int]] | None = None  # name, type, size
    kind: str = "person"

    @property
    def held_out(self) -> bool:
        """Tell whether the mail is kept out of sight while the rules are made."""
        return blake2b(self.name.encode(), digest_size=1).digest()[0] % 2 == 0


def message(subject: str = "Re: Your question", sender: str = "Anna Example <anna@customer.example>") -> EmailMessage:
    """Return a mail from a customer without a body."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = "Support <support@operator.example>"
    mail["Subject"] = subject
    mail["Date"] = "Mon, 03 Mar 2025 10:02:00 +0100"
    mail["Message-ID"] = "<reply-1@customer.example>"
    mail["In-Reply-To"] = "<question-1@operator.example>"
    mail["References"] = "<first-0@operator.example> <question-1@operator.example>"
    return mail


HEADERS: dict[str, object] = {
    "from": "anna@customer.example",
    "to": ["support@operator.example"],
    "message_id": "<reply-1@customer.example>",
    "references": ["<first-0@operator.example>", "<question-1@operator.example>"],
    "date": "2025-03-03T10:02:00+01:00",
}
QUOTED = "Dear customer,\n\nwhat can we do for you?\n\nYour support team"
