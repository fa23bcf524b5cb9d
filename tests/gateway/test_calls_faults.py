"""Whatever breaks while somebody is on the line, they hear a sentence; and whoever cannot be told from a stranger hears nothing."""

from __future__ import annotations

import asyncio
import threading
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.model.dialog import InLine, Said, TransferEnded
from dialogs.engine import Engine
from tests.channels.demo import demo_with
from tests.channels.voice_twilio.calling import CHANNEL, answer, heard, on, request, ring
from tests.gateway.desk.signed import signed_in
from tests.gateway.running import Running, running
from tests.gateway.test_calls import behave

PURPOSES = ("hold", "called", "status", "whisper", "take", "dialled", "waiting", "leave", "fetched", "surprise")
FOR_CALLERS = ("hold", "dialled", "fetched", "surprise", "status", "called")
UNKNOWN = "0123abcd-0000-7000-8000-0123456789ab"
SORRY = "The service is not available at the moment. Please try again later. Goodbye."
IN = {"CallStatus": "in-progress"}


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    config = demo_with(tmp_path, f'{CHANNEL}dial = ["* queue:helpers"]\n')
    async with running(tmp_path / "data", config=config) as started:
        yield started


def fail_at(monkeypatch: pytest.MonkeyPatch, kind: type[Any]) -> None:
    """Give the dialogs a defect: one kind of input that they cannot take, after the first word."""
    advance = Engine.advance

    def fragile(self: Engine, state: Any, what: Any, context: Any) -> Any:
        if isinstance(what, kind) and (not isinstance(what, Said) or any(what.texts)):
            raise ZeroDivisionError
        return advance(self, state, what, context)

    monkeypatch.setattr(Engine, "advance", fragile)


async def enqueued(parley: Running) -> ET.Element:
    people = await answer(parley, await ring(parley, CallStatus="ringing"), Digits="0")
    enqueue = people.find("Enqueue")
    assert enqueue is not None, heard(people)
    return enqueue


async def test_a_flow_that_raises_costs_an_apology_and_the_next_call_is_served(parley: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    menu = await ring(parley, CallStatus="ringing")
    fail_at(monkeypatch, Said)
    sorry = await answer(parley, menu, Digits="1")
    assert [node.tag for node in sorry] == ["Say", "Hangup"]
    assert heard(sorry) == "Sorry, something went wrong on our side. Please try again."
    assert (await ring(parley, CallStatus="ringing", CallSid="CA" + "2" * 32)).find("Gather") is not None


@pytest.mark.parametrize("kind", [InLine, TransferEnded])
async def test_a_flow_that_raises_beside_the_talk_costs_a_sentence(
    parley: Running, monkeypatch: pytest.MonkeyPatch, kind: type[Any]
) -> None:
    async with signed_in(parley):
        enqueue = await enqueued(parley)
        fail_at(monkeypatch, kind)
        purpose = "waitUrl" if kind is InLine else "action"
        document = await ring(parley, enqueue.attrib[purpose], **IN, QueueResult="leave", QueuePosition="1")
    assert heard(document)
    assert [node.tag for node in document] == ["Say", "Hangup"]


@pytest.mark.parametrize("begun", [False, True], ids=["of a call that never began", "of a call that goes on"])
@pytest.mark.parametrize("purpose", PURPOSES)
async def test_a_request_about_a_message_that_never_was_is_answered(parley: Running, purpose: str, *, begun: bool) -> None:
    if begun:
        await ring(parley, CallStatus="ringing")
    url = f"{parley.gateway.channels['line'].webhook_url}?m={UNKNOWN}&s={purpose}"
    for _ in range(2):
        document = await ring(parley, url, **IN, Digits="1", QueuePosition="1")
        assert heard(document) or purpose not in FOR_CALLERS
    assert parley.gateway.counters.value("fixed_answers", channel="line") == 0, "nothing broke"


@pytest.mark.parametrize("purpose", ["", *PURPOSES])
async def test_an_unsigned_request_is_refused_whatever_it_is_about(parley: Running, purpose: str) -> None:
    url = f"{parley.gateway.channels['line'].webhook_url}?m={UNKNOWN}&s={purpose}"
    async with parley.http.post(url, data={"CallSid": "CA1", **IN}, headers={"X-Twilio-Signature": "AAAA"}) as refused:
        assert refused.status == 403
        assert b"<" not in await refused.read()
    assert await parley.rows("select 1 from inbound") == []


@pytest.mark.parametrize("purpose", ["", *PURPOSES])
async def test_while_the_store_is_away_every_request_of_a_call_is_answered_by_a_sentence(parley: Running, purpose: str) -> None:
    parley.gateway.store.close()
    url = f"{parley.gateway.channels['line'].webhook_url}?m={UNKNOWN}&s={purpose}"
    said = heard(await ring(parley, url, **IN, Digits="2", QueueResult="leave"))
    assert said in {SORRY, ""} if purpose == "take" else said == SORRY  # of a call that our people do not take nothing is kept


async def test_who_waits_while_the_store_hangs_hears_a_sentence_and_the_next_request_is_served(parley: Running) -> None:
    async with signed_in(parley):
        enqueue = await enqueued(parley)
        go_on = threading.Event()
        blocked = asyncio.ensure_future(parley.gateway.store.write(lambda _: go_on.wait(30)))
        try:
            assert heard(await ring(parley, enqueue.attrib["waitUrl"], **IN, QueuePosition="1")) == SORRY
        finally:
            go_on.set()
        assert await blocked
        assert heard(await ring(parley, enqueue.attrib["waitUrl"], **IN, QueuePosition="1")).startswith("You are number 1")


@pytest.mark.parametrize("mode", ["slow", "fail", "down"])
async def test_a_billing_that_breaks_while_a_caller_waits_costs_sentences(parley: Running, mode: str) -> None:
    menu = await ring(parley, CallStatus="ringing")
    await behave(parley, "slow")
    document = await answer(parley, menu, Digits="1")
    assert heard(document) == "One moment, please."
    await behave(parley, mode)
    for _ in range(3):
        if document.find("Redirect") is None:
            break
        document = await on(parley, document)
        assert heard(document)


async def test_an_answer_to_an_old_prompt_of_another_call_is_answered(parley: Running) -> None:
    menu = await ring(parley, CallStatus="ringing")
    gather = menu.find("Gather")
    assert gather is not None
    status, body = await request(parley, gather.attrib["action"], CallSid="CA" + "7" * 32, Digits="1", **IN)
    assert status == 200
    assert heard(ET.fromstring(body))
