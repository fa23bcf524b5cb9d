"""A real SMTP server on a free port: takes mails, refuses them, or breaks off, as a test says."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

PASSWORD = "relay-password-canary-4711"


@dataclass
class Relay:
    """What the server does and what it got. `answers` are its words at a stage: MAIL, RCPT, DATA; `cut` names one to break off at."""

    port: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    cut: str = ""
    connections: int = 0
    got: list[Envelope] = field(default_factory=list)
    transports: list[Any] = field(default_factory=list)
    over: bool = False

    async def handle_MAIL(self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802 - the library's name
        envelope.mail_from, envelope.mail_options = address, options
        return self._said(server, "MAIL")

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802 - the library's name
        envelope.rcpt_tos.append(address)
        return self._said(server, "RCPT")

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        self.got.append(envelope)
        return self._said(server, "DATA")

    def _said(self, server: Any, stage: str) -> str:
        if self.cut == stage:
            server.transport.abort()
        return self.answers.get(stage, "250 2.0.0 Ok: queued as 4XyZ12")

    def hang_up(self) -> None:
        """Break off every connection, as a relay that starts again does."""
        for transport in self.transports:
            transport.abort()
        self.transports.clear()


@asynccontextmanager
async def relay(**how: Any) -> AsyncIterator[Relay]:
    """Run a server; `how` are aiosmtpd's options."""
    running, over_tls = Relay(), how.pop("over_tls", None)
    loop = asyncio.get_running_loop()

    def accept() -> SMTP:
        running.connections += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library warns of passwords without STARTTLS, also where all is encrypted
            return _Noted(running, **{"hostname": "relay.example", **how})

    server = await loop.create_server(accept, "127.0.0.1", 0, ssl=over_tls)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        running.over = True
        server.close()
        running.hang_up()


class _Noted(SMTP):
    def connection_made(self, transport: Any) -> None:
        self.event_handler.transports.append(transport)
        super().connection_made(transport)
        if self.event_handler.over:  # it was just being accepted
            transport.abort()


def lets_in(server: Any, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
    """Let in whoever knows the password."""
    return AuthResult(success=given.password == PASSWORD.encode(), handled=False)


def certificate(folder: Path) -> tuple[ssl.SSLContext, str]:
    """Return the server's side of a certificate for 127.0.0.1 made now, and the file by which a client checks it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay.example")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    return context, str(public)
