"""Hands mails to the operator's relay by SMTP, one attempt each, and tells what a failure means.

A connection is kept for the next mail and proved before it carries one, so that what fails is never the connection of the mail before.
Must not try again, fall back to an unencrypted connection, or repeat a mail or a password in an error.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from channels import email_addresses
from channels.mail.compose import Composed, compose
from channels.mail.outgoing import Outgoing
from core.model.address import Address
from core.model.outbound import OutboundMessage, SendError, SendErrorCode

if TYPE_CHECKING:
    from aiosmtplib import SMTP

    from channels.mail.dkim_key import Signer

CONNECTIONS_MAX = 8
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\b")
_NO_MAILBOX = {550, 551, 553}


class Relay:
    """The connections of one channel to its relay, opened on first use; `close` ends them."""

    def __init__(self, our_address: Address, settings: Outgoing) -> None:
        """Raises ValueError for an address or a key that cannot be used."""
        host = email_addresses.domain(our_address.value.rpartition("@")[2])
        if host is None:
            raise ValueError(f"the channel's address must be a mailbox, not {our_address.value}")
        self._settings = settings
        self._host = host
        self._tls = _tls(settings)
        self._signer = _signer(settings, host)
        self._slots = asyncio.Semaphore(CONNECTIONS_MAX)
        self._idle: list[SMTP] = []

    async def send(self, message: OutboundMessage, headers: Mapping[str, str] | None = None) -> tuple[str, str]:
        """Hand one message over; return its Message-ID and what the relay said. Raises `SendError`."""
        settings = self._settings
        mail = compose(message, from_name=settings.from_name, default_subject=settings.default_subject, headers=headers)
        raw = mail.raw if self._signer is None else await asyncio.to_thread(self._signer.signed, mail.raw)
        async with self._slots:
            connection = await self._connected()
            try:
                said = await _transfer(connection, message, mail, raw)
            except SendError as error:
                if error.code in {SendErrorCode.TIMEOUT, SendErrorCode.NOT_CONNECTED}:
                    connection.close()
                else:
                    self._keep(connection)
                raise
            except BaseException:
                connection.close()
                raise
            self._keep(connection)
        return mail.mail_id, said

    async def close(self) -> None:
        """End all connections; a later `send` opens new ones."""
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _keep(self, connection: SMTP) -> None:
        if connection.is_connected:
            self._idle.append(connection)
        else:
            connection.close()

    async def _connected(self) -> SMTP:
        """Return a connection that the relay has just answered on."""
        from aiosmtplib import SMTPException  # noqa: PLC0415 - the library is for configured channels only

        while self._idle:
            known = self._idle.pop()
            try:
                await known.rset()
            except (SMTPException, OSError, TimeoutError):
                known.close()
                continue
            return known
        return await self._connect()

    async def _connect(self) -> SMTP:
        from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException, SMTPResponseException  # noqa: PLC0415 - as above

        settings = self._settings
        connection = SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user or None,
            password=settings.smtp_password or None,
            local_hostname=self._host,
            timeout=settings.smtp_timeout_s,
            use_tls=settings.smtp_tls == "tls",
            start_tls=settings.smtp_tls == "starttls",
            tls_context=self._tls,
        )
        try:
            await connection.connect()
            if connection.is_ehlo_or_helo_needed:
                await connection.ehlo()
        except SMTPAuthenticationError as error:
            connection.close()
            raise _credentials(error.code, error.message) from None
        except SMTPResponseException as error:
            connection.close()
            raise refusal(error.code, error.message, "connect") from None
        except (SMTPException, OSError, TimeoutError) as error:
            connection.close()
            cause = error.__cause__ or error
            # It answers, but its certificate is not accepted, or it does not offer what the settings ask for.
            ours = isinstance(cause, ssl.SSLError) or not isinstance(error, OSError | TimeoutError)
            raise _unreached(type(cause).__name__, ours=ours) from None
        return connection


def _tls(settings: Outgoing) -> ssl.SSLContext | None:
    if settings.smtp_tls == "none":
        return None
    try:
        return ssl.create_default_context(cafile=settings.smtp_ca or None)
    except OSError:
        raise ValueError(f"smtp_ca holds no certificates: {settings.smtp_ca}") from None


def _signer(settings: Outgoing, host: str) -> Signer | None:
    if not settings.dkim_selector:
        return None
    from channels.mail.dkim_key import Signer  # noqa: PLC0415 - as above

    return Signer(settings.dkim_selector, email_addresses.domain(settings.dkim_domain) or host, settings.dkim_key)


async def _transfer(connection: SMTP, message: OutboundMessage, mail: Composed, raw: bytes) -> str:
    from aiosmtplib import SMTPException, SMTPResponseException  # noqa: PLC0415 - as above

    if mail.international and not connection.supports_extension("smtputf8"):
        raise SendError(SendErrorCode.UNSUPPORTED, retryable=False, detail="the relay takes no international addresses")
    encoding = "utf-8" if mail.international else "ascii"
    steps = (
        ("sender", partial(connection.mail, mail.sender, options=_options(connection, message, mail, raw), encoding=encoding)),
        ("recipient", partial(connection.rcpt, mail.recipient, encoding=encoding)),
        ("content", partial(connection.data, raw)),
    )
    said = ""
    for stage, step in steps:
        try:
            said = (await step()).message
        except SMTPResponseException as error:
            raise refusal(error.code, error.message, stage) from None
        except (SMTPException, OSError, TimeoutError) as error:
            if stage != "content":
                raise _unreached(type(error).__name__) from None
            raise SendError(SendErrorCode.TIMEOUT, retryable=True, unknown=True, detail=type(error).__name__) from None
    return said


def _options(connection: SMTP, message: OutboundMessage, mail: Composed, raw: bytes) -> list[str]:
    options = []
    if connection.supports_extension("size"):
        options.append(f"SIZE={len(raw)}")
    if mail.international:
        options += ["SMTPUTF8", "BODY=8BITMIME"]
    if connection.supports_extension("dsn"):
        options += ["RET=HDRS", f"ENVID={message.id}"]
    return options


def refusal(status: int, said: str, stage: str) -> SendError:
    """Return the error for an answer that is not 2xx or 3xx at a stage: connect, sender, recipient, content."""
    found = _ENHANCED.match(said.lstrip())
    enhanced = found[1] if found else ""
    code, detail = enhanced or str(status), f"SMTP {status} to the {stage}"
    if status in {421, 450, 451, 452} or 400 <= status < 500:
        throttled = stage == "recipient" or enhanced.startswith("4.7.") or enhanced == "4.4.5"
        reason = SendErrorCode.THROTTLED if throttled else SendErrorCode.PROVIDER_DOWN
        return SendError(reason, retryable=True, provider_code=code, detail=detail)
    if status in {530, 534, 535, 538} or enhanced in {"5.7.8", "5.7.9"}:
        return _credentials(status, said)
    if stage == "connect":
        return SendError(SendErrorCode.PROVIDER_DOWN, retryable=True, ours=True, provider_code=code, detail=detail)
    if enhanced in {"5.3.4", "5.2.3"} or (status == 552 and not enhanced):
        return SendError(SendErrorCode.TOO_LONG, retryable=False, provider_code=code, detail=detail)
    if enhanced in {"5.1.7", "5.1.8"} or stage == "sender":
        return SendError(SendErrorCode.REFUSED, retryable=False, ours=True, provider_code=code, detail=detail)
    if enhanced.startswith("5.1.") or enhanced == "5.2.1" or (stage == "recipient" and status in _NO_MAILBOX and not enhanced):
        return SendError(SendErrorCode.BAD_ADDRESS, retryable=False, provider_code=code, detail=detail)
    if enhanced.startswith("5.") or status >= 500:
        return SendError(SendErrorCode.REFUSED, retryable=False, provider_code=code, detail=detail)
    return SendError(SendErrorCode.UNREADABLE_ANSWER, retryable=True, unknown=stage == "content", provider_code=code, detail=detail)


def _credentials(status: int, said: str) -> SendError:
    if 400 <= status < 500:
        return refusal(status, said, "connect")
    found = _ENHANCED.match(said.lstrip())
    code = found[1] if found else str(status)
    return SendError(SendErrorCode.BAD_CREDENTIALS, retryable=False, ours=True, provider_code=code, detail=f"SMTP {status} to the password")


def _unreached(detail: str, *, ours: bool = False) -> SendError:
    return SendError(SendErrorCode.NOT_CONNECTED, retryable=True, ours=ours, detail=detail)
