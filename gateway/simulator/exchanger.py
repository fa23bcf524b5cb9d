"""Plays the mail servers of other people: takes the gateway's mails by SMTP and checks them, and hands people's mails to the gateway.

What a careful server refuses is refused: recipients that it does not have, headers that are missing or malformed. Must not read more
of a mail than that.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, MutableSequence
from contextlib import AsyncExitStack
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from core.clock import Clock
from gateway.simulator.letters import Sent, owner_of
from gateway.simulator.twilio_wire import Exchange

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

HOSTNAME = "mx.post.example"
_ID = r"<[^<>@\s]+@[^<>@\s]+>"
_IDS = re.compile(rf"{_ID}(\s+{_ID})*")
_AUTOMATIC = re.compile(r"no|auto-generated|auto-replied")
_TIMEOUT_S = 15.0
Listener = Callable[[str, EmailMessage], Awaitable[None]]


def wrong_with(mail: EmailMessage) -> str:
    """Return what is wrong with the headers of a mail as a sentence, empty for nothing."""
    for name in ("From", "To", "Subject", "Date", "Message-ID"):
        if len(mail.get_all(name, [])) != 1:
            return f"there must be one {name}"
        if mail[name].defects:
            return f"{name} is malformed"
    if len(mail["From"].addresses) != 1 or len(mail["To"].addresses) != 1:
        return "From and To must name one mailbox each"
    if mail["Date"].datetime is None:
        return "Date is no date"
    for name in ("Message-ID", "In-Reply-To", "References"):
        if name in mail and not _IDS.fullmatch(str(mail[name]).strip()):
            return f"{name} is no list of ids"
    if not _AUTOMATIC.fullmatch(str(mail.get("Auto-Submitted", "no"))):
        return "Auto-Submitted has no such value"
    return ""


class Exchanger:
    """The servers of everybody who is not the gateway. `exchanges` gets each mail with what was answered."""

    def __init__(self, clock: Clock) -> None:
        self.port = 0
        self.exchanges: MutableSequence[Exchange] = []
        self._clock = clock
        self._listeners: list[Listener] = []
        self._sessions: WeakSet[SMTP] = WeakSet()
        self._over = False

    def listen(self, listener: Listener) -> None:
        """Have `listener` called with each mail that is taken, and the phone number of its recipient."""
        self._listeners.append(listener)

    async def start(self, stack: AsyncExitStack) -> None:
        """Take mails on a free port of this machine, until `stack` is left."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        server = await asyncio.get_running_loop().create_server(self._session, sock=listener)
        stack.callback(self._end_sessions)
        stack.callback(server.close)

    def _end_sessions(self) -> None:
        """Break off what closing the server leaves open: its connections, and those that are just being accepted."""
        self._over = True
        for session in tuple(self._sessions):
            if session.transport is not None:
                session.transport.close()

    def _session(self) -> asyncio.Protocol:
        if self._over:
            return _TooLate()
        from aiosmtpd.smtp import SMTP  # noqa: PLC0415 - slow to import, and the first mail may take its time

        session = SMTP(self, hostname=HOSTNAME, ident="ESMTP", enable_SMTPUTF8=True, loop=asyncio.get_running_loop())
        self._sessions.add(session)
        return session

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[Any]) -> str:  # noqa: N802
        """Take a recipient whose mailbox is here."""
        del server, session, options
        if not owner_of(address):
            return "550 5.1.1 There is no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail whose headers are as they should be."""
        del server, session
        raw = envelope.original_content or b""
        mail = message_from_bytes(raw, policy=POLICY)
        wrong = wrong_with(mail)
        said = f"554 5.6.0 {wrong}" if wrong else "250 2.0.0 OK"
        phone = owner_of(envelope.rcpt_tos[0])
        self._note("mail-out", phone, Sent(raw, envelope.mail_from or "", envelope.rcpt_tos[0]), said)
        if not wrong:
            for listener in self._listeners:
                await listener(phone, mail)
        return said

    async def deliver(self, phone: str, sent: Sent, port: int) -> int:
        """Hand a person's mail to the gateway's server and return the status of its answer, 0 where nobody answers."""
        from aiosmtplib import SMTP, SMTPException, SMTPRecipientsRefused, SMTPResponseException  # noqa: PLC0415 - as above

        client = SMTP(hostname="127.0.0.1", port=port, timeout=_TIMEOUT_S, start_tls=False, local_hostname=HOSTNAME)
        try:
            async with client:
                _, said = await client.sendmail(sent.sender, [sent.recipient], sent.raw)
            status, answer = 250, f"250 {said}"
        except SMTPRecipientsRefused as refused:
            first = refused.recipients[0]
            status, answer = first.code, f"{first.code} {first.message}"
        except SMTPResponseException as refused:
            status, answer = refused.code, f"{refused.code} {refused.message}"
        except (SMTPException, OSError, TimeoutError) as error:
            status, answer = 0, f"no answer: {type(error).__name__}"
        self._note("mail-in", phone, sent, answer)
        return status

    def _note(self, what: str, phone: str, sent: Sent, answer: str) -> None:
        envelope = f"MAIL FROM:<{sent.sender}>\nRCPT TO:<{sent.recipient}>\nDATA"
        text = sent.raw.decode("utf-8", "replace").replace("\r\n", "\n")
        self.exchanges.append(Exchange(what, phone, self._clock.now_ms(), f"{envelope}\n\n{text}", answer))


class _TooLate(asyncio.Protocol):
    """Breaks a connection off at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            transport.abort()
