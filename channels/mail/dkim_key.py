"""Signs mails with the operator's key (DKIM, RFC 6376), so that who gets them sees which domain answers for them.

Must not decide when to sign, and must not be imported before a channel has a key.
"""

from __future__ import annotations

import dkim  # type: ignore[import-untyped]  # ships no types; met here only
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

KEY_BITS_MIN = 1_024
_SIGNED = ("from", "to", "subject", "date", "message-id", "in-reply-to", "references", "reply-to", "auto-submitted", "mime-version")
_SIGNED_CONTENT = ("content-type", "content-transfer-encoding")


class Signer:
    """One key with the place where its public half is found; raises ValueError for a key that is none or too short."""

    def __init__(self, selector: str, domain: str, pem: str) -> None:
        try:
            key = load_pem_private_key(pem.encode(), None)
        except (ValueError, TypeError):
            raise ValueError("dkim_key is no private key in PEM without a password") from None
        if not isinstance(key, RSAPrivateKey) or key.key_size < KEY_BITS_MIN:
            raise ValueError(f"dkim_key must be an RSA key of at least {KEY_BITS_MIN} bits")
        self._selector, self._domain = selector.encode(), domain.encode()
        self._pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())

    def signed(self, raw: bytes) -> bytes:
        """Return a mail with its signature in front; takes some milliseconds of processor time."""
        head = raw.partition(b"\r\n\r\n")[0].lower()
        present = [name for name in (*_SIGNED, *_SIGNED_CONTENT) if b"\r\n" + name.encode() + b":" in b"\r\n" + head]
        # Named twice, the field cannot be added a second time on the way (RFC 6376 section 8.15).
        again = [name for name in ("from", "to", "subject") if name in present]
        return bytes(
            dkim.sign(
                raw,
                self._selector,
                self._domain,
                self._pem,
                canonicalize=(b"relaxed", b"relaxed"),
                include_headers=[name.encode() for name in (*present, *again)],
            )
            + raw
        )
