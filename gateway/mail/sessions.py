"""The sessions of a mail server, by the library, with the limits that it leaves open: how many, how long, how often, how large.

Must not decide about recipients or mails.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, TLSSetupException

from gateway.mail.server import COMMAND_TIMEOUT_S, COMMANDS_MAX, RECIPIENTS_MAX, Mailbox

LINE_BYTES_MAX = 65_536  # headers are folded by some senders only; commands have a limit of their own
_COMMANDS = {"*": COMMANDS_MAX, "RCPT": COMMANDS_MAX * RECIPIENTS_MAX}


class Door:
    """Makes a session for each connection, up to `most` at once; one more is told to come back."""

    def __init__(
        self,
        mailbox: Mailbox,
        *,
        lmtp: bool,
        hostname: str,
        tls: ssl.SSLContext | None,
        most: int,
        session_max_s: float,
        mail_max_bytes: int,
    ) -> None:
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # the library writes down who writes to whom
        self._mailbox = mailbox
        self._kind = _Lmtp if lmtp else _Smtp
        self._most = most
        self._session_max_s = session_max_s
        self._options: dict[str, Any] = {
            "hostname": hostname,
            "ident": "ready",
            "tls_context": tls,
            "timeout": min(COMMAND_TIMEOUT_S, session_max_s),
            "data_size_limit": mail_max_bytes,
            "enable_SMTPUTF8": True,
            "command_call_limit": _COMMANDS,
            "auth_exclude_mechanism": ("LOGIN", "PLAIN"),
        }
        self._open: set[asyncio.BaseTransport] = set()

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""
        if len(self._open) >= self._most:
            return _Full()
        return self._kind(self._mailbox, self._open, self._session_max_s, **self._options)

    def close(self) -> None:
        """End all sessions, and let nobody in who is just coming; a mail that got no answer comes again."""
        self._most = 0
        for transport in tuple(self._open):
            transport.close()


class _Full(asyncio.Protocol):
    """Says that there is no room."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            transport.write(b"421 4.3.2 Too many connections, please try again later\r\n")
        transport.close()


class _Smtp(SMTP):
    """A session that ends after a time, whatever it does."""

    line_length_limit = LINE_BYTES_MAX

    def __init__(self, mailbox: Mailbox, opened: set[asyncio.BaseTransport], session_max_s: float, **options: Any) -> None:
        super().__init__(mailbox, loop=asyncio.get_running_loop(), **options)
        self._mailbox = mailbox
        self._opened = opened
        self._session_max_s = session_max_s
        self._first: asyncio.BaseTransport | None = None
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._first is None:  # with STARTTLS it is made twice
            self._first = transport
            self._opened.add(transport)
            self._end = self.loop.call_later(self._session_max_s, transport.close)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._end is not None:
            self._end.cancel()
        if self._first is not None:
            self._opened.discard(self._first)
        super().connection_lost(error)

    async def handle_exception(self, error: Exception) -> str:
        if isinstance(error, TLSSetupException):  # the other side's affair, which it may repeat: nothing for the log
            self._mailbox.gateway.counters.add("refused", channel=self._mailbox.id, code="tls")
            return ""
        return await super().handle_exception(error)


class _Lmtp(_Smtp, LMTP):
    """The same by LMTP, where the end of a mail is answered for each recipient."""

    _answers = 1

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - the name is the command's
        self._answers = len(self.envelope.rcpt_tos) if self.envelope else 1
        await super().smtp_DATA(arg)
        self._answers = 1

    async def push(self, status: str | bytes) -> None:
        line = status if isinstance(status, bytes) else status.encode()
        repeats = 1 if line.startswith((b"354", b"501", b"503")) else self._answers  # those come before the mail
        await super().push(b"\r\n".join([line] * repeats))
