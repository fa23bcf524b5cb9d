"""Takes messages that are due out of the store, as many as each channel lets through, and has each of them sent once.

What an attempt came to is written down by `core.dispatch`; rates, pauses and places are a `Lane`'s. Must not retry by itself.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping

from core import dispatch, questions
from core.crash import point
from core.dispatch import Gate, Sending
from core.model.adapter import LooksUp
from core.model.inbound import DeliveryReport
from core.model.outbound import SendError, SendErrorCode, SendResult
from core.store import pauses
from core.store.api import StoreUnavailable, Tx, Unit
from gateway.media.outgoing import with_contents
from gateway.runtime import ConfiguredChannel, Gateway
from gateway.sending.lane import Lane, Permit

_LOG = logging.getLogger(__name__)
SEND_TIMEOUT_S = 35.0
UNAVAILABLE_S = 1.0


class Dispatcher:
    """The sends of one process."""

    def __init__(self, gateway: Gateway, unknown_wait_ms: int) -> None:
        self._gateway = gateway
        self._unknown_wait_ms = unknown_wait_ms
        self._channels = {
            name: configured
            for name, configured in gateway.channels.items()
            if (able := configured.channel.capabilities).calls or (able.outbound and not able.pulled)
        }
        self._core = {name: configured.channel for name, configured in self._channels.items()}
        self._lanes = {name: _lane(configured) for name, configured in self._channels.items()}
        self._paused: dict[str, str] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._jitter = random.Random()  # noqa: S311 - spreads retries, protects nothing

    def next_due(self) -> Unit[int | None]:
        """Return the unit that tells when a message may go, ms UTC."""
        gates = self._gates()
        return lambda tx: dispatch.next_due(tx, gates)

    async def send_due(self, now: int) -> int:
        """Begin to send what may go at `now`, ms UTC; returns how many attempts that are."""
        gateway, gates = self._gateway, self._gates()
        point("dispatch.before_claim")
        sendings = await gateway.store.write(lambda tx: dispatch.claim(tx, self._core, now, gateway.lease, 0, self._unknown_wait_ms, gates))
        point("dispatch.claimed")
        at = _steady_ms()
        for sending in sendings:
            permit = self._lanes[sending.channel_id].begin(at, sending.message.recipient.value, retry=sending.is_retry)
            task = asyncio.create_task(self._carry_out(sending, permit))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return len(sendings)

    async def drain(self, timeout_s: float) -> None:
        """Wait for the sends under way; what does not end has an unknown outcome, as its row says."""
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=timeout_s)

    def _gates(self) -> Mapping[str, Gate]:
        """Return what each channel lets through, in the time of the store; a channel that a message under way must end for is left out."""
        at, now = _steady_ms(), self._gateway.clock.now_ms()
        gates = {}
        for name, lane in self._lanes.items():
            free_at = lane.free_at(at)
            if free_at is not None:
                not_before = {recipient: now + _wait(until - at) for recipient, until in lane.waiting(at).items()}
                opens_at = now + _wait(free_at - at) if free_at > at else 0
                gates[name] = Gate(lane.room(at), opens_at, not_before, lane.retry_room())
        return gates

    async def _carry_out(self, sending: Sending, permit: Permit) -> None:
        if sending.question is None:
            await self._send(sending, permit)
        else:
            await self._ask(sending, permit)
        self._gateway.hints.wake("outbox", "events")

    async def _send(self, sending: Sending, permit: Permit) -> None:
        gateway, channel_id = self._gateway, sending.channel_id
        error: SendError | None = None
        result = SendResult("")
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                configured = self._channels[channel_id]
                message = await with_contents(gateway, sending.message, configured.channel.capabilities.file_limits)
                result = await configured.adapter.send(message)
        except SendError as failure:
            error = failure
        except TimeoutError:
            error = SendError(SendErrorCode.TIMEOUT, retryable=True, unknown=True)
        except Exception as failure:  # noqa: BLE001 - the attempt was made, so its outcome is unknown
            _LOG.error("the adapter of %s failed", channel_id, exc_info=failure)
            error = SendError(SendErrorCode.UNREADABLE_ANSWER, retryable=True, unknown=True)
        point("dispatch.answered")
        now = gateway.clock.now_ms()
        if error is None:
            await self._record(lambda tx: dispatch.sent(tx, sending, result, now))
            gateway.counters.add("messages_out", channel=channel_id)
        else:
            failed, jitter = error, self._jitter.random()
            await self._record(lambda tx: dispatch.failed(tx, sending, failed, now, self._unknown_wait_ms, jitter))
            gateway.counters.add("send_failures", channel=channel_id, code=error.code.value)
        await self._leave(sending, permit, error)

    async def _ask(self, sending: Sending, permit: Permit) -> None:
        """Ask the provider what became of a message whose outcome is unknown."""
        gateway, channel_id, question = self._gateway, sending.channel_id, sending.question
        adapter, message = self._channels[channel_id].adapter, sending.message
        told: DeliveryReport | None = None
        error: SendError | None = None
        if isinstance(adapter, LooksUp) and question is not None:
            try:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    told = await adapter.look_up(message.id, question.external_id, message.recipient.value, question.began_at)
            except SendError as failure:
                error = failure
            except Exception as failure:  # noqa: BLE001 - without an answer the class of the message decides
                _LOG.error("the adapter of %s failed to ask", channel_id, exc_info=failure)
                error = SendError(SendErrorCode.UNREADABLE_ANSWER, retryable=True)
        now = gateway.clock.now_ms()
        if error is None:
            await self._record(lambda tx: questions.answered(tx, sending, told, now, self._unknown_wait_ms))
        else:
            await self._record(lambda tx: questions.unanswered(tx, sending, now, self._unknown_wait_ms))
        gateway.counters.add("look_ups", channel=channel_id, outcome="failed" if error else "found" if told else "absent")
        await self._leave(sending, permit, error)

    async def _leave(self, sending: Sending, permit: Permit, error: SendError | None) -> None:
        """Give the place back, and say so once when a channel is paused or goes on."""
        channel_id, lane = sending.channel_id, self._lanes[sending.channel_id]
        lane.end(_steady_ms(), permit, error)
        if lane.paused == (channel_id in self._paused):
            return
        code = error.code.value if error else ""
        now = self._gateway.clock.now_ms()
        if lane.paused:
            self._paused[channel_id] = code
            _LOG.warning("sending by %s is paused: %s", channel_id, code)
            self._gateway.counters.add("pauses", channel=channel_id, code=code)
            await self._record(lambda tx: pauses.begin(tx, channel_id, code, now))
        else:
            del self._paused[channel_id]
            _LOG.warning("sending by %s goes on", channel_id)
            await self._record(lambda tx: pauses.end(tx, channel_id))

    async def _record(self, unit: Callable[[Tx], None]) -> None:
        """Write down what an attempt came to, however long the store takes: what is known must not become an unknown outcome."""
        while True:
            try:
                await self._gateway.store.write(unit)
            except StoreUnavailable as unavailable:
                _LOG.warning("the outcome of a send waits for the store: %s", unavailable.code)
                if unavailable.code == "closed":
                    return
                await asyncio.sleep(UNAVAILABLE_S)
            except Exception as error:  # noqa: BLE001 - its row stays, and is treated as one of unknown outcome when its lease ends
                _LOG.error("the outcome of a send was not recorded", exc_info=error)
                return
            else:
                return


def _lane(configured: ConfiguredChannel) -> Lane:
    able = configured.channel.capabilities
    return Lane(able.sends_per_s, able.sends_per_recipient_s, able.throttles_recipient)


def _steady_ms() -> float:
    """Return a time that never goes back, for rates and pauses; the wall clock may jump."""
    return asyncio.get_running_loop().time() * 1_000


def _wait(steady_ms: float) -> int:
    return int(steady_ms) + 1
