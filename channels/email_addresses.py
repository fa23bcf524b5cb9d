"""Makes addresses of what mails and servers call a mailbox, in the one form in which two of them can be compared.

The domain is in lower case and in the ASCII form of international names, so a look-alike in another script shows. The local part is in
lower case too: a server may tell `Jo` from `jo`, but none in use does, and two persons for one mailbox would be worse. Must not decide
whom an address belongs to.
"""

from __future__ import annotations

import re
import unicodedata

import idna

from core.model.address import Address, AddressKind

_LOCAL = re.compile(r"[^\s@<>()\[\]:;,\\\"\x00-\x1f\x7f]+")
_LOCAL_CHARS_MAX = 64
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp"})
_QUOTED = re.compile(r'"(?:[^\\"\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])+"')
_PAIR, _TO_QUOTE, _ESCAPED = re.compile(r"\\(.)"), re.compile(r'([\\"])'), r"\\\1"
_ASCII_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


def mailbox(text: str) -> Address | None:
    """Return the address in `text`, None where it is none that could be written to; quotes stay where they are needed."""
    local, at, host = unicodedata.normalize("NFC", text.strip()).rpartition("@")
    known = domain(host)
    local = unquoted(local)
    if not at or known is None or not 1 <= len(local) <= _LOCAL_CHARS_MAX or any(unicodedata.category(sign) in _UNSEEN for sign in local):
        return None
    if not _LOCAL.fullmatch(local):
        if not _QUOTED.fullmatch(text.strip().rpartition("@")[0]):
            return None
        local = f'"{_TO_QUOTE.sub(_ESCAPED, local)}"'
    return Address(AddressKind.EMAIL, f"{local.lower()}@{known}")


def unquoted(local: str) -> str:
    """Return a local part without the quotes that some need."""
    return _PAIR.sub(r"\1", local[1:-1]) if _QUOTED.fullmatch(local) else local


def domain(text: str) -> str | None:
    """Return a domain in lower case and ASCII, None where it is none."""
    plain = text.strip().rstrip(".").lower()
    if not plain.isascii():
        try:
            plain = idna.encode(plain[:253], uts46=True).decode()
        except (idna.IDNAError, UnicodeError):
            return None
    return plain if _ASCII_DOMAIN.fullmatch(plain) else None
