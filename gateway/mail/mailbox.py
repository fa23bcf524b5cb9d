"""One connection to a mailbox by IMAP, as a thread uses it: lists what is new, fetches it, waits for more.

It changes nothing in the mailbox but the mark of having been seen, and that only if it is asked to. Must not know what a mail says, and
must not be used by two threads, but for `abort`.
"""

from __future__ import annotations

import imaplib
import re
import select
import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from channels.mail.fetched import Fetched

TIMEOUT_S = 30.0
_UID = re.compile(rb"\bUID (\d{1,10})\b")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d{1,12})\b")


class MailboxLost(Exception):
    """The connection cannot be used. `code`: not_connected, refused, no_folder, lost."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Listed:
    """A mail in the mailbox: its number, its size in bytes, and when it came there, ms UTC."""

    uid: int
    size: int
    at: int


class Mailbox:
    """A folder that is open; `uid_validity` tells whether numbers known from before still count, `uid_next` what the next will be."""

    def __init__(self, settings: Fetched) -> None:
        """Connect and open the folder; raises `MailboxLost`."""
        self._settings = settings
        self._wait_s = 0.0
        try:
            self._imap = _connected(settings)
        except (OSError, imaplib.IMAP4.error):
            raise MailboxLost("not_connected") from None
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        settings, imap = self._settings, self._imap
        try:
            imap.login(settings.imap_user, settings.imap_password)
            _, known = imap.capability()
        except imaplib.IMAP4.abort:
            raise MailboxLost("lost") from None
        except imaplib.IMAP4.error:
            raise MailboxLost("refused") from None
        except OSError:
            raise MailboxLost("lost") from None
        self.idles = b"IDLE" in b" ".join(part for part in known if isinstance(part, bytes)).upper().split()
        folder = '"' + settings.imap_folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
        status, _ = self._command(imap.select, folder, not settings.imap_mark_seen)
        if status != "OK":
            raise MailboxLost("no_folder")
        self.uid_validity, self.uid_next = self._number("UIDVALIDITY"), self._number("UIDNEXT")

    def after(self, uid: int) -> list[Listed]:
        """Return the mails beyond a number, in order; raises `MailboxLost`."""
        _, lines = self._command(self._imap.uid, "FETCH", f"{uid + 1}:*", "(UID RFC822.SIZE INTERNALDATE)")
        found = {}
        for line in lines:
            if isinstance(line, bytes) and (number := _UID.search(line)) and (size := _SIZE.search(line)):
                found[int(number[1])] = Listed(int(number[1]), int(size[1]), _moment(line))
        return [found[number] for number in sorted(found) if number > uid]  # `n:*` names the last one also where it is below n

    def fetch(self, uid: int, size_max: int) -> bytes | None:
        """Return a mail as far as `size_max` bytes, None if it is gone; raises `MailboxLost`."""
        return self._section(uid, f"BODY.PEEK[]<0.{size_max}>")

    def head(self, uid: int, size_max: int) -> bytes | None:
        """Return the header of a mail as far as `size_max` bytes, None if it is gone; raises `MailboxLost`."""
        return self._section(uid, f"BODY.PEEK[HEADER]<0.{size_max}>")

    def mark_seen(self, uids: Sequence[int]) -> None:
        """Mark mails as seen; raises `MailboxLost`."""
        self._command(self._imap.uid, "STORE", ",".join(map(str, uids)), "+FLAGS.SILENT", r"(\Seen)")

    def wait(self, seconds: float) -> None:
        """Wait until the server has something to say, at most so long; only where it `idles`. Raises `MailboxLost`."""
        self._wait_s = seconds
        self._imap.literal = self._told  # type: ignore[assignment]  # the library asks for what to send when the server is ready for more
        self._command(self._imap.xatom, "IDLE")

    def _told(self, _: bytes) -> bytes:
        """Return the word that ends the wait, when the server has said something or the time is up."""
        sock = self._imap.sock
        if not (isinstance(sock, ssl.SSLSocket) and sock.pending()):
            readable = select.poll()
            readable.register(sock, select.POLLIN)
            readable.poll(self._wait_s * 1_000)
        return b"DONE"

    def look(self) -> None:
        """Let the server tell what is new; raises `MailboxLost`."""
        self._command(self._imap.noop)

    def abort(self) -> None:
        """End the connection at once, also from another thread; what waits on it raises."""
        with suppress(OSError):
            self._imap.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the connection; the server keeps nothing of it that a goodbye would have to settle."""
        with suppress(OSError, imaplib.IMAP4.error):
            self._imap.shutdown()

    def _section(self, uid: int, section: str) -> bytes | None:
        _, parts = self._command(self._imap.uid, "FETCH", str(uid), f"(UID {section})")
        for part in parts:
            if isinstance(part, tuple) and (number := _UID.search(part[0])) and int(number[1]) == uid:
                return bytes(part[1])
        # Where the number stands behind the content, it is in the line after it.
        whole = [part[1] for part in parts if isinstance(part, tuple)]
        return bytes(whole[0]) if len(whole) == 1 else None

    def _command(self, command: Any, *arguments: Any) -> tuple[str, list[Any]]:
        try:
            status, lines = command(*arguments)
        except (OSError, imaplib.IMAP4.error):
            raise MailboxLost("lost") from None
        return status, lines

    def _number(self, name: str) -> int:
        _, told = self._imap.response(name)
        return int(told[0]) if told and told[0] else 0


def _connected(settings: Fetched) -> imaplib.IMAP4:
    host, port = settings.imap_host, settings.imap_port
    if settings.imap_tls == "none":
        return imaplib.IMAP4(host, port, timeout=TIMEOUT_S)
    context = ssl.create_default_context(cafile=settings.imap_ca or None)
    if settings.imap_tls == "tls":
        return imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=TIMEOUT_S)
    imap = imaplib.IMAP4(host, port, timeout=TIMEOUT_S)
    try:
        imap.starttls(context)
    except BaseException:
        imap.shutdown()
        raise
    return imap


def _moment(line: bytes) -> int:
    moment = imaplib.Internaldate2tuple(line)
    return int(time.mktime(moment) * 1_000) if moment else 0
