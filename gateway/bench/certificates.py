"""What stands in for the signing service behind Amazon SES: a key and its certificate, made for one run, and the server that has it.

The key must not be used for anything else, and nothing of it outlives the run.
"""

from __future__ import annotations

import datetime as dt
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

TOPIC = "arn:aws:sns:us-east-1:012345678912:bench"
CERTIFICATE_URL = f"https://sns.us-east-1.amazonaws.com/SimpleNotificationService-{'0a' * 16}.pem"


def make() -> tuple[str, bytes]:
    """Return a private key and its certificate, both as PEM, valid for a day."""
    from cryptography import x509  # noqa: PLC0415 - the library is for this one kind
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat  # noqa: PLC0415 - as above

    key, now = generate_private_key(65537, 2048), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return pem, made.sign(key, SHA256()).public_bytes(Encoding.PEM)


def sign(key_pem: str, text: str) -> str:
    """Return the signature of a text, in base64."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - as above

    return b64encode(_key(key_pem).sign(text.encode(), PKCS1v15(), SHA256())).decode()


@cache
def _key(key_pem: str) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - as above

    key = load_pem_private_key(key_pem.encode(), None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("not a key for RSA")
    return key


@contextmanager
def served(certificate: bytes) -> Iterator[str]:
    """Serve a certificate at every path; yields the base address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(certificate)))
            self.end_headers()
            self.wfile.write(certificate)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
