"""From a request to its answer: authenticate, parse, one unit of work for each event, and only after the commit an answer.

It knows no kind of channel and no page; a failing flow costs an apology, never a message.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from hashlib import blake2b

from core import calls
from core.advance import Outcome
from core.arrival import Arrival
from core.crash import point
from core.model.ids import derive
from core.model.inbound import (
    ContactSignal,
    DeliveryReport,
    Ignored,
    InboundEvent,
    InboundMessage,
    Part,
    RawRequest,
    UnreadableRequest,
)
from core.model.outbound import Answer
from core.receipts import read_up_to, report
from core.store import actions, journal
from core.store.api import StoreUnavailable
from gateway.long_messages import take_part
from gateway.mail.kept import described, keep
from gateway.media.contents import with_contents_kept
from gateway.put_through import beside
from gateway.requests import OpenRequest
from gateway.runtime import ConfiguredChannel, Gateway

_LOG = logging.getLogger(__name__)


async def receive(gateway: Gateway, configured: ConfiguredChannel, request: RawRequest) -> Answer:
    """Return the answer to one request; raises `AuthenticationFailed` and `StoreUnavailable`, and then nothing was kept.

    On a line where a person waits the fixed answer of the channel stands for any failure but that of the authentication.
    """
    point("accept.read")
    configured.adapter.authenticate(request)
    point("accept.authenticated")
    if configured.sorry is None or configured.patience is None:
        return await _taken_in(gateway, configured, request)
    try:
        return await configured.patience.wait(_taken_in(gateway, configured, request))
    except Exception as error:  # noqa: BLE001 - whatever it was: the person must not be left without a word
        _LOG.error("a request on %s got the fixed answer", configured.channel.id, exc_info=error)
        gateway.counters.add("fixed_answers", channel=configured.channel.id)
        return configured.answers.answer_to(request, configured.sorry) if configured.answers else configured.sorry


async def _taken_in(gateway: Gateway, configured: ConfiguredChannel, request: RawRequest) -> Answer:
    adapter = configured.adapter
    if adapter.capabilities.parsed_later:
        await keep(gateway, configured, request)
        return adapter.acknowledge(())
    try:
        events = adapter.parse(request)
    except UnreadableRequest as unreadable:
        await keep_unreadable(gateway, configured, request, unreadable.code)
        answer = adapter.acknowledge(())
    else:
        answer = await take_in(gateway, configured, request, events) or adapter.acknowledge(())
    return configured.answers.answer_to(request, answer) if configured.answers else answer


async def take_in(
    gateway: Gateway, configured: ConfiguredChannel, request: RawRequest, events: Sequence[InboundEvent], *, missed: bool = False
) -> Answer | None:
    """Take in the events of a request, each in a unit of work; return the answer to the last message. Raises `StoreUnavailable`.

    `missed`: nobody waits for the answer, because the request reached us only after its time.
    """
    channel_id = configured.channel.id
    answer: Answer | None = None
    for event in events:
        match event:
            case InboundMessage(part=Part()):
                take = partial(_message, gateway, configured, request, missed=missed)
                answer = await take_part(gateway, configured, event, request.received_at, take)
            case InboundMessage():
                answer = await _message(gateway, configured, request, event, missed=missed)
            case DeliveryReport():
                await _report(gateway, configured, event, request.received_at)
            case ContactSignal(signal="holding"):
                answer = await _asked_again(gateway, configured, event)
            case ContactSignal(signal="whisper" | "take" | "answered" | "waiting" | "leave" | "fetched"):
                answer = await beside(gateway, configured, event)
            case ContactSignal():
                answer = await _signal(gateway, configured, request, event) or answer
            case Ignored():
                gateway.counters.add("ignored", channel=channel_id, reason=event.reason)
    return answer


async def _message(gateway: Gateway, configured: ConfiguredChannel, request: RawRequest, said: InboundMessage, *, missed: bool) -> Answer:
    arrival = _arrival(gateway, configured, request, missed=missed)
    if said.media:
        said = await with_contents_kept(gateway, said)
    try:
        outcome = await gateway.store.write(lambda tx: gateway.turns.receive(tx, arrival, said))
    except StoreUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - a flow may fail in any way
        _LOG.error("the flow for message %s on %s failed", arrival.id, arrival.channel.id, exc_info=error)
        gateway.counters.add("flow_failures", channel=arrival.channel.id)
        try:
            outcome = await gateway.store.write(lambda tx: gateway.turns.receive(tx, arrival, said, sorry=True))
        except StoreUnavailable:
            raise
        except Exception as second:  # noqa: BLE001 - a defect of our own, which must not cost the message either
            return await _keep_defective(gateway, configured, request, second)
    point("accept.committed")
    key = (arrival.channel.id, said.external_id)
    if outcome.duplicate:
        gateway.counters.add("duplicates", channel=arrival.channel.id)
        return outcome.answer or await gateway.requests.answer_of(key) or configured.adapter.acknowledge(())
    gateway.counters.add("messages_in", channel=arrival.channel.id)
    if missed:
        gateway.hints.wake(*outcome.wake)
        if outcome.action is not None:
            gateway.start_action(outcome.action, None)
        return configured.adapter.acknowledge(())
    return await _conclude(gateway, configured, outcome, key)


async def _conclude(gateway: Gateway, configured: ConfiguredChannel, outcome: Outcome, key: tuple[str, str]) -> Answer:
    """Start what a turn asked for; where the answer must wait for it, wait as long as the channel allows."""
    gateway.hints.wake(*outcome.wake)
    if outcome.action is None:
        return outcome.answer or configured.adapter.acknowledge(())
    if outcome.answer is not None:
        gateway.start_action(outcome.action, None)
        return outcome.answer
    deadline_s = configured.channel.capabilities.answer_deadline_s or 0.0
    with gateway.requests.opened(key, outcome.action.key) as opened:
        gateway.start_action(outcome.action, opened)
        return await _wait(gateway, configured, opened, 0.0 if outcome.action.slow else deadline_s)


async def _wait(gateway: Gateway, configured: ConfiguredChannel, opened: OpenRequest, deadline_s: float) -> Answer:
    done, _ = await asyncio.wait({opened.answer}, timeout=deadline_s)
    if not done:
        opened.late = True
        action_id = opened.action_id
        outcome = await gateway.store.write(lambda tx: gateway.turns.action_late(tx, action_id, gateway.clock.now_ms()))
        gateway.hints.wake(*outcome.wake)
        gateway.counters.add("late_answers", channel=configured.channel.id)
        opened.settle(outcome.answer or configured.adapter.acknowledge(()))
    return await opened.answer


async def _asked_again(gateway: Gateway, configured: ConfiguredChannel, event: ContactSignal) -> Answer:
    """Answer somebody who was asked to wait: with the result if it is there, else as any other request that waits for it."""
    key = (configured.channel.id, event.external_id)
    earlier = await gateway.requests.answer_of(key)
    if earlier is not None:
        return earlier
    with gateway.requests.opened(key, "") as opened:  # before the look into the record, so that no result slips past
        held = await gateway.store.write(lambda tx: calls.asked_again(tx, *key))
        if held.answer is not None or held.action_id is None:
            return held.answer or configured.adapter.acknowledge(())
        opened.action_id = held.action_id
        answer = await _wait(gateway, configured, opened, configured.channel.capabilities.answer_deadline_s or 0.0)
    await gateway.store.write(lambda tx: actions.let_go(tx, *key))
    return answer


async def _report(gateway: Gateway, configured: ConfiguredChannel, told: DeliveryReport, at: int) -> None:
    channel_id, codes = configured.channel.id, configured.channel.capabilities.resend_codes
    point("receipt.before")
    if await gateway.store.write(lambda tx: report(tx, channel_id, told, at, codes)):
        gateway.hints.wake("events", "outbox")
    point("receipt.after")
    gateway.counters.add("delivery_reports", channel=channel_id, status=told.status)


async def _signal(gateway: Gateway, configured: ConfiguredChannel, request: RawRequest, event: ContactSignal) -> Answer | None:
    if event.signal == "typing":
        return None
    if event.signal == "read":
        number = int(event.value) if event.value.isdecimal() else 0
        await gateway.store.write(lambda tx: read_up_to(tx, event.sender.value, number, request.received_at))
        gateway.hints.wake("events")
        return None
    arrival = _arrival(gateway, configured, request)
    try:
        outcome = await gateway.store.write(lambda tx: gateway.turns.signal(tx, arrival, event))
    except StoreUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - a flow may fail in any way; the signal itself is kept
        _LOG.error("the flow for signal %s on %s failed", event.signal, arrival.channel.id, exc_info=error)
        gateway.counters.add("flow_failures", channel=arrival.channel.id)
        outcome = await gateway.store.write(lambda tx: gateway.turns.signal(tx, arrival, event, quiet=True))
    gateway.hints.wake(*outcome.wake)
    if outcome.action is not None:
        gateway.start_action(outcome.action, None)
    return outcome.answer


async def keep_unreadable(gateway: Gateway, configured: ConfiguredChannel, request: RawRequest, code: str) -> None:
    """Keep a request that nobody could read, for operators. Raises `StoreUnavailable`."""
    channel_id = configured.channel.id
    gateway.counters.add("unreadable", channel=channel_id, code=code)
    digest = blake2b(_brought(request), digest_size=16).hexdigest()
    entry = derive(f"{'0' * 8}-0000", f"{channel_id}:{digest}")
    about = described(request)
    await gateway.store.write(lambda tx: journal.keep_unreadable(tx, entry, channel_id, code, request.received_at, request.body, about))


async def _keep_defective(gateway: Gateway, configured: ConfiguredChannel, request: RawRequest, error: Exception) -> Answer:
    channel_id = configured.channel.id
    _LOG.error("a message on %s could not be recorded and is kept raw", channel_id, exc_info=error)
    await keep_unreadable(gateway, configured, request, "not_recorded")
    return configured.adapter.acknowledge(())


def _brought(request: RawRequest) -> bytes:
    """Return what a request brought: its body, or the query of one without a body."""
    return request.body or request.url.partition("?")[2].encode("utf-8", "surrogatepass")


def _arrival(gateway: Gateway, configured: ConfiguredChannel, request: RawRequest, *, missed: bool = False) -> Arrival:
    raw = _brought(request).decode("utf-8", "backslashreplace")
    if missed:
        return Arrival(gateway.clock.new_id(), configured.channel, gateway.clock.now_ms(), raw, missed_at=request.received_at)
    return Arrival(gateway.clock.new_id(), configured.channel, request.received_at, raw)
