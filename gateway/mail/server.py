"""The servers that take mails over by SMTP and LMTP: for our own mailboxes only, and answered with 250 only when a mail is kept.

A mail with line ends of any other kind than CRLF is refused, because two servers may see different mails in it. Must not read a mail
any further than that.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from channels.email import Email, Listen, listen_of
from core.store.api import StoreUnavailable
from gateway.mail.kept import keep, mail_request
from gateway.runtime import ConfiguredChannel, Gateway

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

_LOG = logging.getLogger(__name__)
RECIPIENTS_MAX = 100
COMMANDS_MAX = 100  # of one kind in a session
RECEIVED_MAX = 100
COMMAND_TIMEOUT_S = 300.0
_FULL = "452 4.3.1 There is no room now, please try again later"
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_RECEIVED = re.compile(rb"^received:", re.IGNORECASE | re.MULTILINE)


async def start(gateway: Gateway, stack: AsyncExitStack) -> None:
    """Open the servers of all mailboxes that listen; leaving `stack` closes them. Raises OSError for an address that is not free."""
    for configured in gateway.channels.values():
        if isinstance(configured.adapter, Email):
            listen = listen_of(configured.settings.listen)
            if listen is not None:
                await _open(gateway, configured, configured.adapter, listen, stack)


async def _open(gateway: Gateway, configured: ConfiguredChannel, adapter: Email, listen: Listen, stack: AsyncExitStack) -> None:
    from gateway.mail import sessions  # noqa: PLC0415 - the library is for configured channels only

    settings = configured.settings
    door = sessions.Door(
        Mailbox(gateway, configured, adapter),
        lmtp=listen.lmtp,
        hostname=settings.hostname,
        tls=_tls(settings.tls_certificate, settings.tls_key),
        most=settings.connections_max,
        session_max_s=settings.session_max_s,
        mail_max_bytes=settings.mail_max_bytes,
    )
    server = await asyncio.get_running_loop().create_server(door, listen.host, listen.port)
    gateway.mail_ports[configured.channel.id] = server.sockets[0].getsockname()[1]
    stack.callback(door.close)
    stack.callback(server.close)


def _tls(certificate: str, key: str) -> ssl.SSLContext | None:
    if not certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


@dataclass(slots=True)
class Mailbox:
    """What the sessions of one channel do with recipients and mails; its methods have the names and arguments that the library calls."""

    gateway: Gateway
    configured: ConfiguredChannel
    adapter: Email
    id: str = field(init=False)

    def __post_init__(self) -> None:
        self.id = self.configured.channel.id

    async def handle_RCPT(self, _: SMTP, session: Session, envelope: Envelope, address: str, options: list[Any]) -> str:  # noqa: N802
        """Take a recipient if it is ours."""
        del session, options
        if not self.adapter.takes(address):
            self.gateway.counters.add("refused", channel=self.id, code="other_mailbox")
            return "550 5.1.1 There is no such mailbox here"
        if len(envelope.rcpt_tos) >= RECIPIENTS_MAX:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a mail; what is answered is true when it is said."""
        raw = envelope.original_content or b""
        if _BARE.search(raw):
            self.gateway.counters.add("refused", channel=self.id, code="bare_line_end")
            return "554 5.6.0 Lines must end with CRLF"
        head = raw.partition(b"\r\n\r\n")[0]
        if len(_RECEIVED.findall(head)) > RECEIVED_MAX:
            self.gateway.counters.add("refused", channel=self.id, code="loop")
            return "554 5.4.6 This mail goes round in circles"
        sender, recipients = (envelope.mail_from or "").strip("<>"), tuple(envelope.rcpt_tos)
        peer = str(session.peer[0]) if session.peer else ""
        at = self.gateway.clock.now_ms()
        try:
            await keep(
                self.gateway,
                self.configured,
                mail_request(raw, sender=sender, recipients=recipients, at=at, remote=peer),
            )
        except StoreUnavailable as unavailable:
            self.gateway.counters.add("refused", channel=self.id, code=unavailable.code)
            return _FULL if unavailable.code == "disk_full" else "451 4.3.0 Not now, please try again later"
        return "250 2.6.0 Kept"

    async def handle_exception(self, error: Exception) -> str:
        """Answer to what went wrong on our side: nothing was kept, so the other side must keep it."""
        _LOG.error("a session of the mail server of %s failed", self.id, exc_info=error)
        self.gateway.counters.add("refused", channel=self.id, code="failed")
        return "451 4.3.0 Something went wrong here, please try again later"
