"""A gateway bound to a real SMPP server: long messages, receipts, lost answers, throttling, USSD, and binds that come and go."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import Any

import pytest

from core.model.address import Address, AddressKind
from core.model.ids import MessageId
from core.model.outbound import OutboundMessage, Reply
from tests.channels.smpp.centre import Centre, Start
from tests.gateway.running import Running

pytestmark = pytest.mark.smsc

ANNA = "+254700000001"


async def until(parley: Running, sql: str, *args: Any) -> list[Any]:
    """Return the rows of a statement as soon as there are some."""
    async with asyncio.timeout(15):
        with parley.gateway.hints.listen("events", "outbox") as listener:
            while not (rows := await parley.rows(sql, *args)):
                await listener.wait(0.05)
    return rows


async def heard(parley: Running) -> list[str]:
    return [text for (text,) in await parley.rows("select text from message where direction = 'inbound' order by created_at, seq")]


def message(text: str) -> OutboundMessage:
    sender, recipient = Address(AddressKind.SHORT_CODE, "40404"), Address(AddressKind.MSISDN, ANNA)
    return OutboundMessage(MessageId("0197a5f0-1111-8222-a333-4444555566c7"), sender, recipient, Reply(text))


@pytest.mark.parametrize(
    ("taken_as", "reported_as"),
    [("m-1", "m-1"), ("1A2B", "6699"), ("1a2b", "0000006699"), ("6699", "1A2B"), ("0000006699", "00001a2b"), ("00001A2B", "1a2b")],
)
async def test_a_message_is_answered_and_the_receipt_finds_the_answer(
    start: Start, centre: Centre, taken_as: str, reported_as: str
) -> None:
    async with start() as parley:
        bound = await centre.until("bound")
        assert (bound["system_id"], bound["version"]) == ("parley", 0x34)
        centre.order("plan", ids=[taken_as])
        assert await centre.deliver("balance") == 0
        answer = await centre.until("submit")
        assert "KES" in answer["text"]
        assert (answer["from"], answer["from_ton"], answer["to"], answer["to_ton"]) == ("40404", 3, "254700000001", 1)
        assert (answer["receipt"], answer["coding"], answer["udh"]) == (1, 0, "")
        assert await centre.report(reported_as) == 0
        await until(parley, "select 1 from message where direction = 'outbound' and status = 'delivered'")
        assert await centre.report(reported_as, state="UNDELIV") == 0
        assert await parley.rows("select status from message where direction = 'outbound'") == [("delivered",)]


async def test_a_receipt_about_another_number_proves_nothing(start: Start, centre: Centre) -> None:
    async with start() as parley:
        await centre.until("bound")
        centre.order("plan", ids=["1A2B"])
        await centre.deliver("balance")
        await centre.until("submit")
        await until(parley, "select 1 from message where status = 'accepted'")
        assert await centre.report("6699", sender="254700000002") == 0
        assert await parley.rows("select message_id from delivery_report") == [(None,)]


PARTS = ["Dear operator, my line is dead since Monday and nobody ", "answers. Price: 5€ [x]. ", "Please 😀 call me, José"]


async def test_a_long_message_comes_in_parts_in_any_order(start: Start, centre: Centre) -> None:
    async with start() as parley:
        await centre.until("bound")
        for number in (3, 1, 1, 2):
            assert await heard(parley) == []
            status = await centre.deliver(PARTS[number - 1], udh=f"050003c703{number:02x}", pdu={"data_coding": 8})
            assert status == 0
        assert await heard(parley) == ["".join(PARTS)]
        assert await centre.deliver(PARTS[1], udh="050003c70302", pdu={"data_coding": 8}) == 0
        assert await heard(parley) == ["".join(PARTS)]
        assert {raw for (raw,) in await parley.rows("select raw from message_part")} == {""}


async def test_parts_numbered_in_parameters_or_with_a_long_reference_survive_a_restart(start: Start, centre: Centre) -> None:
    def numbered(number: int) -> dict[str, Any]:
        return {"sar_msg_ref_num": 700, "sar_total_segments": 2, "sar_segment_seqnum": number}

    async with start() as parley:
        await centre.until("bound")
        await centre.deliver("world", pdu=numbered(2))
        await centre.deliver("there", udh="06080401f40202")
        assert await heard(parley) == []
    await centre.until("unbind")
    async with start() as parley:
        await centre.until("bound")
        await centre.deliver("Hello ", pdu=numbered(1))
        await centre.deliver("Who is ", udh="06080401f40201")
        assert await heard(parley) == ["Hello world", "Who is there"]


async def test_what_never_becomes_whole_is_read_with_its_gaps(start: Start, centre: Centre) -> None:
    async with start("parts_wait_s = 0.1") as parley:
        await centre.until("bound")
        await centre.deliver("the end", udh="050003010404")
        await centre.deliver("second ", udh="050003010402")
        await until(parley, "select 1 from message where text like '%the end'")
        assert "".join(await heard(parley)).replace("[...]", "").split() in (["second", "the", "end"], ["the", "end", "second"])


async def test_a_long_answer_leaves_in_parts_that_the_phone_joins(start: Start, centre: Centre) -> None:
    text = "Your bill: " + "ten € and [more] {of} it, " * 20
    async with start() as parley:
        await centre.until("bound")
        sent = await parley.gateway.channels["smsc"].adapter.send(message(text))
        total = 5
        parts = [await centre.until("submit") for _ in range(total)]
        assert "".join(part["text"] for part in parts) == text
        assert [part["udh"] for part in parts] == [f"0003c7{total:02x}{number:02x}" for number in range(1, total + 1)]
        assert [part["receipt"] for part in parts] == [0] * (total - 1) + [1]
        assert sent.external_id == parts[-1]["id"]
        await parley.gateway.channels["smsc"].adapter.send(message("Привет, 😀! " * 10))
        said = [await centre.until("submit", coding=8), await centre.until("submit", coding=8)]
        assert "".join(part["text"] for part in said) == "Привет, 😀! " * 10


async def test_a_long_answer_leaves_whole_where_the_centre_divides(start: Start, centre: Centre) -> None:
    async with start('long_messages = "payload"\ndelivery_reports = false') as parley:
        await centre.until("bound")
        await parley.gateway.channels["smsc"].adapter.send(message("x€" * 300))
        part = await centre.until("submit")
        assert (part["text"], part["whole"], part["udh"], part["receipt"]) == ("x€" * 300, True, "", 0)


async def test_a_centre_that_throttles_gets_the_message_later(start: Start, centre: Centre) -> None:
    async with start() as parley:
        await centre.until("bound")
        centre.order("plan", submit=[0x58])
        await centre.deliver("balance")
        assert (await centre.until("submit"))["status"] == 0x58
        assert (await centre.until("submit"))["status"] == 0
        await until(parley, "select 1 from message where direction = 'outbound' and status = 'accepted'")
        assert await parley.rows("select outcome, detail from attempt order by number") == [("failed", "throttled"), ("accepted", None)]


@pytest.mark.parametrize("how", ["drop", "unbind"])
async def test_a_lost_bind_is_made_again_and_an_answer_lost_with_it_is_no_second_message(start: Start, centre: Centre, how: str) -> None:
    async with start() as parley:
        await centre.until("bound")
        centre.send("balance")
        await until(parley, "select 1 from message where direction = 'inbound'")
        centre.order(how)
        await centre.until("bound")
        assert await centre.deliver("balance") == 0
        assert await heard(parley) == ["balance"]
        assert parley.gateway.counters.value("duplicates", channel="smsc") == 1
        assert await centre.deliver("balance") == 0
        assert await heard(parley) == ["balance", "balance"]
        assert parley.gateway.counters.value("binds", channel="smsc") == 2


@pytest.mark.parametrize(("later_ms", "times"), [(5_000, 1), (0, 2)])
async def test_a_centre_that_lost_patience_repeats_and_a_person_who_says_it_twice_does_not(
    start: Start, centre: Centre, later_ms: int, times: int
) -> None:
    async with start() as parley:
        await centre.until("bound")
        free, clock = threading.Event(), parley.gateway.clock
        busy = asyncio.ensure_future(parley.gateway.store.write(lambda tx: free.wait(10)))
        tags = [centre.send("balance")]
        centre.order("enquire")
        await centre.until("alive")
        parley.gateway.clock = replace(clock, now_ms=lambda: clock.now_ms() + later_ms)
        tags.append(centre.send("balance"))
        centre.order("enquire")
        await centre.until("alive")
        free.set()
        await busy
        assert [(await centre.until("delivered", tag=tag))["status"] for tag in tags] == [0, 0]
        assert await heard(parley) == ["balance"] * times


async def test_once_the_centre_has_read_the_answers_the_same_words_are_new(start: Start, centre: Centre) -> None:
    async with start("enquire_link_s = 0.05") as parley:
        await centre.until("bound")
        await centre.deliver("balance")
        for _ in range(4):
            await centre.until("enquired")
        centre.order("drop")
        await centre.until("bound")
        await centre.deliver("balance")
        assert await heard(parley) == ["balance", "balance"]


async def test_a_record_that_cannot_be_written_leaves_the_message_with_the_centre(start: Start, centre: Centre) -> None:
    async with start() as parley:
        await centre.until("bound")
        parley.gateway.store.close()
        assert await centre.deliver("balance") == 0x64
        assert await centre.deliver("a part", udh="050003010201") == 0x64
    async with start() as parley:
        await centre.until("bound")
        assert await centre.deliver("balance") == 0
        assert await heard(parley) == ["balance"]


async def test_a_wrong_password_is_tried_again_and_never_shown(
    start: Start, centre: Centre, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SMSC_PASSWORD", "wr0ngpw")
    async with start() as parley:
        for _ in range(2):
            await centre.until("closed")
        assert parley.gateway.counters.value("binds_lost", channel="smsc", code="refused_0xe") >= 1
    assert "refused_0xe" in caplog.text
    assert "wr0ngpw" not in caplog.text


async def test_a_gateway_that_stops_says_goodbye(start: Start, centre: Centre) -> None:
    async with start():
        await centre.until("bound")
    await centre.until("unbind")
    await centre.until("closed")
