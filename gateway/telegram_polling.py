"""Asks Telegram for the updates of bots that have no webhook; what comes goes through `receive`, as if Telegram had called.

Updates are confirmed by asking for those behind them, so only after the commit, and whatever was not confirmed comes again after a
restart. Must not read an update beyond its number.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from channels.telegram import Telegram
from core.model.outbound import Answer, SendError
from core.store.api import StoreUnavailable
from gateway.backoff import Backoff
from gateway.loops import keep_running
from gateway.receive import receive
from gateway.runtime import ConfiguredChannel, Gateway

_LOG = logging.getLogger(__name__)
AGAIN_S, AGAIN_MAX_S = 1.0, 60.0


def start(gateway: Gateway, stack: AsyncExitStack) -> None:
    """Ask for the updates of every bot that is to be asked for; leaving `stack` ends it."""
    for configured in gateway.channels.values():
        if isinstance(configured.adapter, Telegram) and configured.adapter.polls:
            keep_running(_Poller(gateway, configured, configured.adapter).run(), stack)


class _Poller:
    """The updates of one bot, one after the other."""

    def __init__(self, gateway: Gateway, configured: ConfiguredChannel, adapter: Telegram) -> None:
        self._gateway = gateway
        self._configured = configured
        self._adapter = adapter
        self._id = configured.channel.id
        self._backoff = Backoff(AGAIN_S, AGAIN_MAX_S)
        self._lost = False
        self._offset = 0

    async def run(self) -> None:
        """Ask again and again; an update that is being taken in when this ends is recorded or comes again."""
        while True:
            try:
                for update in await self._adapter.bot.updates(self._offset):
                    await self._take(update)
                self._backoff.worked()
                self._lost = False
            except (SendError, StoreUnavailable) as error:
                wait_s = self._failed(str(error.code), error)
            except Exception as error:  # noqa: BLE001 - whatever it is, nobody else would ask again
                _LOG.error("an update on %s could not be taken", self._id, exc_info=error)
                wait_s = self._failed("failed", None)
            else:
                continue
            await asyncio.sleep(wait_s)

    def _failed(self, code: str, error: SendError | StoreUnavailable | None) -> float:
        """Count a failure and return the seconds to wait."""
        if not self._lost and error is not None:
            _LOG.warning("updates on %s do not arrive: %s", self._id, error)
        self._lost = True
        self._gateway.counters.add("poll_failures", channel=self._id, code=code)
        wait_s = self._backoff.failed()
        wish = error.retry_after_s if isinstance(error, SendError) else None
        return max(wait_s, wish or 0.0)

    async def _take(self, update: Mapping[str, Any]) -> None:
        number = update.get("update_id")
        if type(number) is not int or number < self._offset:
            self._gateway.counters.add("ignored", channel=self._id, reason="no_number")
            return
        request = self._adapter.request_of(update, self._gateway.clock.now_ms())
        answer = await receive(self._gateway, self._configured, request)
        self._offset = number + 1
        await self._call(answer)

    async def _call(self, answer: Answer) -> None:
        """Make the call that an answer holds, since nobody reads the answer; it only ends the waiting sign on a button."""
        if not answer.body:
            return
        try:
            await self._adapter.bot.answer(json.loads(answer.body)["callback_query_id"])
        except SendError as error:
            self._gateway.counters.add("poll_failures", channel=self._id, code=str(error.code))
