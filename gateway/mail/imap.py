"""Fetches mails from mailboxes elsewhere: whatever is new is kept like a mail that a server brought, however much it is.

How far a mailbox was read is noted after its mails are safe, so a crash in between only fetches some of them again, and those are known.
Must not delete anything, and must not look into a mail.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import TypeVar

from channels.mail.fetched import Fetched
from channels.mail.model import HEADERS_BYTES_MAX
from core.crash import point
from core.model.inbound import RawRequest
from core.store import mailboxes
from core.store.api import StoreUnavailable
from core.store.mailboxes import Cursor
from gateway.backoff import Backoff
from gateway.loops import keep_running
from gateway.mail.kept import MAIL, keep
from gateway.mail.mailbox import Listed, Mailbox, MailboxLost
from gateway.runtime import ConfiguredChannel, Gateway

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
BATCH = 25  # so many mails may be fetched again after a crash
RECONNECT_FIRST_S = 1.0
RECONNECT_MAX_S = 120.0
NOTED_EVERY_MS = 30_000  # how reading goes, while nothing of it changes


def start(gateway: Gateway, stack: AsyncExitStack) -> None:
    """Read every mailbox that a channel names, for as long as `stack` lasts."""
    for configured in gateway.channels.values():
        if isinstance(configured.settings, Fetched) and configured.settings.imap_host:
            keep_running(_Reader(gateway, configured, configured.settings).run(), stack)


class _Reader:
    """One mailbox with the thread that talks to its server."""

    def __init__(self, gateway: Gateway, configured: ConfiguredChannel, settings: Fetched) -> None:
        self._gateway = gateway
        self._configured = configured
        self._settings = settings
        self._id = configured.channel.id
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"imap-{self._id}")
        self._mailbox: Mailbox | None = None
        self._stopping = False
        self._backoff = Backoff(RECONNECT_FIRST_S, RECONNECT_MAX_S)
        self._noted: tuple[int, int] | None = None  # how many mails were behind, and when that was written down

    async def run(self) -> None:
        """Read, and connect again when the connection is lost; at the end neither connection nor thread are left."""
        try:
            await self._run()
        finally:
            self._stopping = True
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self) -> None:
        while True:
            try:
                mailbox = self._mailbox = await self._do(self._connected)
                self._gateway.counters.add("mailbox_connects", channel=self._id)
                self._backoff.worked()
                await self._follow(mailbox)
            except MailboxLost as lost:
                await self._note(lost.code)
            except StoreUnavailable as unavailable:
                await self._note(unavailable.code)
            except Exception as error:  # noqa: BLE001 - whatever it is, nobody else would connect again
                _LOG.error("reading the mailbox of %s failed", self._id, exc_info=error)
                await self._note("failed")
            finally:
                opened, self._mailbox = self._mailbox, None
                if opened is not None:
                    opened.abort()
                    await self._do(opened.close)
            await asyncio.sleep(self._backoff.failed())

    def _connected(self) -> Mailbox:
        mailbox = Mailbox(self._settings)
        if self._stopping:  # nobody waits for it any more
            mailbox.close()
            raise MailboxLost("stopping")
        return mailbox

    async def _note(self, code: str) -> None:
        _LOG.warning("the mailbox of %s is not read now: %s", self._id, code)
        self._gateway.counters.add("mailbox_losses", channel=self._id, code=code)
        self._noted, now = None, self._gateway.clock.now_ms()
        with suppress(StoreUnavailable):  # then that is what others see too
            await self._gateway.store.write(lambda tx: mailboxes.fails(tx, self._id, now, code))

    async def _reads(self, behind: int) -> None:
        """Write down that the mailbox is read, and how many mails are still to be fetched."""
        now = self._gateway.clock.now_ms()
        if self._noted is None or self._noted[0] != behind or now >= self._noted[1] + NOTED_EVERY_MS:
            await self._gateway.store.write(lambda tx: mailboxes.reads(tx, self._id, now, behind))
            self._noted = (behind, now)

    async def _follow(self, mailbox: Mailbox) -> None:
        """Fetch what is new and wait for more, until the connection is lost."""
        settings, cursor = self._settings, await self._cursor(mailbox)
        while True:
            while listed := await self._do(lambda: mailbox.after(cursor.last_uid)):  # noqa: B023 - called before the next turn
                for first in range(0, len(listed), BATCH):
                    await self._reads(len(listed) - first)
                    cursor = await self._fetch(mailbox, cursor, listed[first : first + BATCH])
            await self._reads(0)
            if mailbox.idles:
                await self._do(lambda: mailbox.wait(settings.imap_poll_s))
            else:
                await asyncio.sleep(settings.imap_poll_s)
                await self._do(mailbox.look)

    async def _cursor(self, mailbox: Mailbox) -> Cursor:
        """Return from where to read: after a change of the numbers from the beginning, for what was kept is known by its content."""
        gateway, folder = self._gateway, self._settings.imap_folder
        known = await gateway.store.read(lambda tx: mailboxes.cursor(tx, self._id, folder))
        if known is not None and known.uid_validity == mailbox.uid_validity:
            return known
        if known is not None:
            _LOG.warning("the numbers of the mailbox of %s have changed; it is read again", self._id)
            self._gateway.counters.add("mailbox_renumbered", channel=self._id)
            return Cursor(mailbox.uid_validity, 0, known.begun_at)
        if self._settings.imap_begin == "beginning":
            return Cursor(mailbox.uid_validity, 0, 0)
        now = Cursor(mailbox.uid_validity, max(mailbox.uid_next - 1, 0), gateway.clock.now_ms())
        await gateway.store.write(lambda tx: mailboxes.move(tx, self._id, folder, now))
        return now

    async def _fetch(self, mailbox: Mailbox, cursor: Cursor, batch: list[Listed]) -> Cursor:
        """Keep a batch of mails, then note it; returns the new cursor."""
        for listed in batch:
            if listed.at >= cursor.begun_at - 1_000:  # the server gives whole seconds
                await self._keep(mailbox, listed)
        point("mailbox.kept")
        moved, folder = replace(cursor, last_uid=batch[-1].uid), self._settings.imap_folder
        await self._gateway.store.write(lambda tx: mailboxes.move(tx, self._id, folder, moved))
        point("mailbox.moved")
        if self._settings.imap_mark_seen:
            await self._do(lambda: mailbox.mark_seen([listed.uid for listed in batch]))
        return moved

    async def _keep(self, mailbox: Mailbox, listed: Listed) -> None:
        limit = self._settings.mail_max_bytes
        headers = {"rcpt-to": self._configured.channel.address.value}
        raw: bytes | None = None
        if listed.size <= limit:
            raw = await self._do(lambda: mailbox.fetch(listed.uid, limit + 1))
        if raw is None or len(raw) > limit:
            headers["incomplete"] = "too_large" if listed.size > limit or raw else "gone"
            raw = await self._do(lambda: mailbox.head(listed.uid, HEADERS_BYTES_MAX))
        if raw is None:
            self._gateway.counters.add("mails_gone", channel=self._id)  # somebody deleted it between the list and now
            return
        await keep(self._gateway, self._configured, RawRequest(MAIL, "", headers, raw, self._gateway.clock.now_ms()))

    async def _do(self, work: Callable[[], T]) -> T:
        """Run something in the mailbox's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
