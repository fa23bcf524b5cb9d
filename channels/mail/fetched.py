"""The settings of a mailbox elsewhere that is read by IMAP, on top of those for sending.

Must not connect to anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from channels.mail.model import RAW_BYTES_MAX
from channels.mail.outgoing import Outgoing


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched(Outgoing):
    """What a mailbox has for fetching; without a host nothing is fetched."""

    mail_max_bytes: int = field(
        default=RAW_BYTES_MAX,
        metadata={"doc": "A longer mail is refused, or left in a mailbox that is fetched.", "least": 10_000, "most": 50 * 1024 * 1024},
    )
    imap_host: str = field(default="", metadata={"doc": "Server with the mailbox; empty: nothing is fetched."})
    imap_port: int = field(default=993, metadata={"doc": "Its port: 993 with tls, 143 with starttls.", "least": 1, "most": 65_535})
    imap_tls: Literal["tls", "starttls", "none"] = field(default="tls", metadata={"doc": "How the connection is encrypted."})
    imap_ca: str = field(default="", metadata={"doc": "File with the certificates that the server's is checked by; empty: the system's."})
    imap_user: str = field(default="", metadata={"doc": "User name of the mailbox."})
    imap_password: str = field(default="", repr=False, metadata={"doc": "Password of the mailbox, by reference."})
    imap_folder: str = field(default="INBOX", metadata={"doc": "Folder that is read.", "pattern": r"[ -~]{1,200}"})
    imap_poll_s: float = field(
        default=60.0,
        metadata={"doc": "Seconds between two looks; a server with IDLE tells of a new mail at once.", "least": 0.05, "most": 1_500},
    )
    imap_begin: Literal["now", "beginning"] = field(
        default="now", metadata={"doc": "From where a mailbox is read at first: what comes from now on, or all that it holds."}
    )
    imap_mark_seen: bool = field(default=False, metadata={"doc": "Mails that were fetched are marked as seen."})

    @property
    def fetched_from(self) -> str:
        """The mailbox that is fetched, empty if none is."""
        return f"imap://{self.imap_host}:{self.imap_port}/{self.imap_folder}" if self.imap_host else ""

    def __post_init__(self) -> None:
        Outgoing.__post_init__(self)  # the short form of super() does not know a class with slots
        if not self.imap_host:
            return
        if not self.imap_user or not self.imap_password:
            raise ValueError("imap_host needs imap_user and imap_password")
        if not f"{self.imap_user}{self.imap_password}".isascii():
            raise ValueError("imap_user and imap_password must be ASCII: the protocol has no others")
        if self.imap_tls == "none" and self.imap_host not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError("imap_password would be sent without encryption: set imap_tls")
        if self.imap_ca and not Path(self.imap_ca).is_file():
            raise ValueError(f"imap_ca is no file: {self.imap_ca}")
