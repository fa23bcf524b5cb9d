"""The settings of every kind that sends mails: the relay that takes them, who they are from, and the key that signs them.

Must not connect to anything, and must import neither library of mail nor of keys before a channel needs it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from channels import email_addresses

TIMEOUT_S = 30.0
_NAME = r"[^\x00-\x1f\x7f]{0,100}"
_LABELS = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,200}[A-Za-z0-9])?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What a kind of mailbox has for sending; its own settings are a class made of this one."""

    smtp_host: str = field(metadata={"doc": "The relay that takes our mails; simulator for the built-in stand-in."})
    smtp_port: int = field(default=587, metadata={"doc": "Its port: 587 with starttls, 465 with tls.", "least": 1, "most": 65_535})
    smtp_tls: Literal["starttls", "tls", "none"] = field(
        default="starttls", metadata={"doc": "How the connection is encrypted; a relay that does not offer it gets no mail."}
    )
    smtp_ca: str = field(default="", metadata={"doc": "File with the certificates that the relay's is checked by; empty: the system's."})
    smtp_user: str = field(default="", metadata={"doc": "User name at the relay; empty: none is given."})
    smtp_password: str = field(default="", repr=False, metadata={"doc": "Password at the relay, by reference."})
    smtp_timeout_s: float = field(
        default=TIMEOUT_S, metadata={"doc": "Seconds that one answer of the relay may take.", "least": 0.1, "most": 60}
    )
    aliases: tuple[str, ...] = field(
        default=(),
        metadata={
            "doc": "Further addresses whose mails are taken as if sent to the channel's, groups and lists that hand mails on among them."
        },
    )
    from_name: str = field(default="", metadata={"doc": "Name that mails are from, beside the address.", "pattern": _NAME})
    default_subject: str = field(
        default="Your request", metadata={"doc": "Subject of a mail that answers none.", "pattern": r"[^\x00-\x1f\x7f]{1,200}"}
    )
    dkim_selector: str = field(default="", metadata={"doc": "DKIM selector; empty: mails are not signed.", "pattern": rf"({_LABELS})?"})
    dkim_domain: str = field(
        default="", metadata={"doc": "Domain that signs; empty: that of the channel's address.", "pattern": rf"({_LABELS})?"}
    )
    dkim_key: str = field(default="", repr=False, metadata={"doc": "RSA key that signs, as PEM, by reference."})

    def __post_init__(self) -> None:
        if not self.smtp_host or self.smtp_host.strip() != self.smtp_host:
            raise ValueError("smtp_host must be the name or address of a relay")
        if bool(self.smtp_user) != bool(self.smtp_password):
            raise ValueError("smtp_user and smtp_password belong together")
        if self.smtp_user and self.smtp_tls == "none" and self.smtp_host not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError("smtp_password would be sent without encryption: set smtp_tls")
        if self.smtp_ca and not Path(self.smtp_ca).is_file():
            raise ValueError(f"smtp_ca is no file: {self.smtp_ca}")
        if bool(self.dkim_selector) != bool(self.dkim_key):
            raise ValueError("dkim_selector and dkim_key belong together")
        if any(email_addresses.mailbox(alias) is None for alias in self.aliases):
            raise ValueError("aliases must be mail addresses")
        if self.dkim_domain and email_addresses.domain(self.dkim_domain) is None:
            raise ValueError("dkim_domain is no domain")
