"""The ids that our mails bear, and how a thread is named in an address, so that what comes back finds what it answers.

Ids and threads are derived from random ones, so nobody can guess them; whoever claims to know one is still checked against the thread.
"""

from __future__ import annotations

import re

_OURS = re.compile(r"parley\.([0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12})@[^@\s]{1,253}", re.IGNORECASE)
_TOKEN = re.compile(r"[0-9a-f]{20}", re.IGNORECASE)
TOKEN_BYTES = 10


def message_id_of(message_id: str, domain: str) -> str:
    """Return the Message-ID, without angle brackets, of a message of ours: the same at every attempt."""
    return f"parley.{message_id}@{domain}"


def message_of(mail_id: str) -> str | None:
    """Return which message of ours has this Message-ID, None if it has not the form of ours."""
    found = _OURS.fullmatch(mail_id)
    return found[1].lower() if found else None


def thread_address(our_address: str, token: str) -> str:
    """Return our address with the thread that an answer to it belongs to."""
    local, _, domain = our_address.rpartition("@")
    return f"{local}+{token}@{domain}"


def token_of(address: str) -> str:
    """Return the thread that an address names, empty if it names none."""
    tag = address.rpartition("@")[0].rpartition("+")[2]
    return tag.lower() if _TOKEN.fullmatch(tag) else ""


def without_token(address: str) -> str:
    """Return an address as it is without the thread that it names."""
    local, _, domain = address.rpartition("@")
    return f"{local.rpartition('+')[0]}@{domain}" if token_of(address) else address
