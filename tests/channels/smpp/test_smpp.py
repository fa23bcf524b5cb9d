"""The parts of SMPP by themselves: alphabets, parts, ids of receipts, PDUs of strange centres, and a bind to one that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import smpp_messages, smpp_parts, smpp_pdus, smpp_text
from channels.smpp import Settings, make
from channels.smpp_link import Link, LinkEnded
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import InboundMessage
from core.model.outbound import SendErrorCode
from core.text.segments import measure
from tests.channels.smpp import subject
from tests.channels.smpp.stub import Stub
from tests.channels.smpp.subject import HERE, MESSAGE, adapter, bound, error_of, settings
from tests.conformance import adapter_checks as checks
from tests.conformance.subject import PUBLIC_URL, saying

CODE = Address(AddressKind.SHORT_CODE, "*384*100#")
GSM = "".join(smpp_text._ENCODED)


@given(st.text(st.sampled_from(GSM), max_size=400))
def test_what_is_in_the_gsm_alphabet_survives_it(text: str) -> None:
    assert smpp_text.from_gsm7(smpp_text.gsm7(text)) == text


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=400), st.sampled_from(smpp_messages.ALPHABETS))
def test_every_text_leaves_in_parts_that_fit_and_make_it_again(text: str, alphabet: str) -> None:
    data_coding, parts = smpp_text.encoded(text, alphabet)
    assert "".join([smpp_text.decoded(part, data_coding, alphabet) or "" for part in parts]) == text
    assert all(len(part) <= (140 if data_coding == smpp_text.UCS2 else 160) for part in parts)
    if alphabet == "gsm7":
        assert len(parts) in range(measure(text).parts, measure(text).parts + 3)


@given(st.binary(max_size=300), st.integers(0, 255), st.sampled_from(smpp_messages.ALPHABETS))
def test_no_octets_are_too_strange_to_be_decoded(octets: bytes, data_coding: int, alphabet: str) -> None:
    text = smpp_text.decoded(octets, data_coding, alphabet)
    assert text is None or isinstance(text, str)


@given(st.lists(st.binary(min_size=1, max_size=134), min_size=2, max_size=9), st.integers(0, 255), st.randoms())
def test_parts_are_joined_in_their_order(parts: list[bytes], reference: int, shuffle: Any) -> None:
    documents = [subject.fields("", short_message=part.hex(), esm_class=0x40) for part in smpp_parts.with_headers(parts, reference)]
    found = [(smpp_parts.part_of(document), document) for document in documents]
    shuffle.shuffle(found)
    assert len({part.series for part, _ in found if part}) == 1
    whole = smpp_parts.joined([document for _, document in found], [part.number for part, _ in found if part], len(parts))
    assert bytes.fromhex("".join(octets for _, octets in whole["parts"])) == b"".join(parts)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("050003070201", (2, 1)),
        ("0608040107 0302", (3, 2)),
        ("0b05041582158200 03070202", (2, 2)),
        ("050003070101", None),
        ("050003070200", None),
        ("050003070203", None),
        ("0500030702", None),
        ("0400030702", None),
        ("0600ff070201", None),
        ("00", None),
        ("ff", None),
        ("", None),
    ],
)
def test_a_header_says_which_part_it_is_or_nothing(header: str, found: tuple[int, int] | None) -> None:
    document = {"source_addr": "1", "destination_addr": "2", "esm_class": 0x40, "short_message": header.replace(" ", "") + "4142"}
    part = smpp_parts.part_of(document)
    assert (part and (part.total, part.number)) == found


def test_parts_of_two_people_are_never_joined() -> None:
    document = {"source_addr": "1", "destination_addr": "2", "esm_class": 0x40, "short_message": "05000307020141"}
    one, other = smpp_parts.part_of(document), smpp_parts.part_of({**document, "source_addr": "3"})
    assert one
    assert other
    assert one.series != other.series


@given(st.integers(0, 2**63))
def test_an_id_is_known_in_either_notation(number: int) -> None:
    for written in (str(number), f"{number:x}", f"{number:X}", f"{number:08X}", f"{number:010}"):
        assert written in smpp_messages.same_ids(str(number))
        assert str(number) in smpp_messages.same_ids(written)
    assert smpp_messages.same_ids("m-17") == ("m-17",)


def deliver_sm(**fields: Any) -> bytes:
    return smpp_pdus.write(
        "deliver_sm", 9, **{"source_addr": "254711000111", "destination_addr": "40404", "short_message": b"hi", **fields}
    )


def lengthened(pdu: bytes, more: bytes) -> bytes:
    return (len(pdu) + len(more)).to_bytes(4) + pdu[4:] + more


def test_parameters_that_nobody_expects_are_kept() -> None:
    pdu = smpp_pdus.read(lengthened(deliver_sm(), bytes.fromhex("050100011214000003010203000d000105042700020002")))
    assert pdu.fields["optional"] == {"ussd_service_op": "12", "0x1400": "010203", "source_addr_subunit": "05", "message_state": "0002"}
    assert bytes.fromhex(pdu.fields["short_message"]) == b"hi"


def test_a_data_sm_says_the_same() -> None:
    frame = smpp_pdus.write("data_sm", 9, source_addr="254711000111", destination_addr="40404", message_payload=b"hi", data_coding=0)
    (event,) = adapter(settings()).parse(subject.request({**smpp_pdus.read(frame).fields, "id": "d:1:2"}))
    assert isinstance(event, InboundMessage)
    assert (event.text, event.sender.value) == ("hi", "+254711000111")
    assert smpp_pdus.read(smpp_pdus.write("data_sm_resp", 9)).sequence == 9


@given(st.data())
def test_a_damaged_pdu_is_read_or_kept_whole(data: st.DataObject) -> None:
    good = bytearray(lengthened(deliver_sm(), bytes.fromhex("0501000112")))
    for place, value in data.draw(st.lists(st.tuples(st.integers(4, len(good) - 1), st.integers(0, 255)), max_size=6)):
        good[place] = value
    frame = bytes(good[: data.draw(st.integers(16, len(good)))])
    pdu = smpp_pdus.read(frame)
    assert pdu.fields.get("pdu", frame.hex()) == frame.hex()


@pytest.mark.parametrize(
    ("changed", "here"),
    [({"password": "longer than eight"}, HERE), ({"password": ""}, HERE), ({"service": "ussd"}, Address(AddressKind.ALIAS, "menu"))],
)
def test_a_bind_that_cannot_be_is_refused(changed: dict[str, str], here: Address) -> None:
    with pytest.raises(ValueError, match=r"bind|service code"):
        make(ChannelId("smsc"), here, settings(**changed), PUBLIC_URL, "KE")


@pytest.mark.parametrize("changed", [{"system_id": ""}, {"system_id": "x" * 16}, {"system_type": "é"}, {"system_type": "x" * 13}])
def test_names_that_do_not_fit_are_refused(changed: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="system_"):
        settings(**changed)


def known_of_ussd() -> Settings:
    return settings(service="ussd")


@pytest.mark.parametrize("check", [checks.check_authentic, checks.check_forgeries, checks.check_hostile, checks.check_acknowledge])
def test_a_ussd_bind_is_an_adapter_too(check: checks.Check) -> None:
    check(
        replace(
            subject.SUBJECT,
            settings=known_of_ussd(),
            make=lambda _: adapter(known_of_ussd(), CODE),
            texts_of=lambda answer: [answer.body.decode()[4:]],
        )
    )


async def test_ussd_answers_only_in_its_session() -> None:
    error = await error_of(adapter(known_of_ussd(), CODE))
    assert (error.code, error.retryable) == (SendErrorCode.UNSUPPORTED, False)


async def nothing(_: Any) -> int:
    return 0


@asynccontextmanager
async def serving(link: Link) -> AsyncIterator[asyncio.Task[None]]:
    stands = asyncio.Event()
    task = asyncio.create_task(link.run(nothing, stands.set, lambda: None))
    async with asyncio.timeout(10):
        await stands.wait()
        yield task


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    async with Stub().running() as started:
        yield started


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"\x00\x00\x00\x0f" + bytes(11), "bad_pdu"),
        (b"\xff\xff\xff\xff" + bytes(12), "bad_pdu"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "bad_pdu"),
        (smpp_pdus.write("unbind", 5), "unbound"),
    ],
)
async def test_what_ends_a_bind(stub: Stub, octets: bytes, code: str) -> None:
    made = adapter(settings(port=stub.port))
    async with serving(made.link) as task:
        assert stub.writer
        stub.writer.write(octets)
        with pytest.raises(LinkEnded, match=code):
            await task
    assert (await error_of(made)).code is SendErrorCode.NOT_CONNECTED


async def test_a_centre_that_is_silent_is_left(stub: Stub) -> None:
    stub.silent = True
    made = adapter(settings(port=stub.port, enquire_link_s=0.05, timeout_s=0.1))
    async with serving(made.link) as task:
        with pytest.raises(LinkEnded, match="silent"):
            await task


async def test_what_a_centre_sends_together_with_its_answer_to_the_bind_is_taken(stub: Stub) -> None:
    stub.greeting = deliver_sm() + smpp_pdus.write("enquire_link", 3)
    async with bound(settings(port=stub.port)) as made:
        await made.send(MESSAGE)
    assert {"deliver_sm_resp", "enquire_link_resp"} <= set(stub.commands)


async def test_requests_that_we_do_not_know_are_refused_and_the_bind_stands(stub: Stub) -> None:
    async with bound(settings(port=stub.port)) as made:
        assert stub.writer
        stub.writer.write(bytes.fromhex("00000010000000990000000000000007"))
        stub.writer.write(smpp_pdus.write("submit_sm", 8, source_addr="1", destination_addr="2", short_message=b"x"))
        stub.writer.write(smpp_pdus.write("deliver_sm_resp", 77))
        stub.writer.write(smpp_pdus.write("enquire_link", 9))
        assert (await made.send(MESSAGE)).external_id == "p-9"
    assert stub.commands.count("generic_nack 0x3") == 2
    assert "enquire_link_resp" in stub.commands


async def test_the_window_bounds_what_waits_for_an_answer(stub: Stub) -> None:
    stub.mode = "hang"
    async with bound(settings(port=stub.port, window=3, messages_per_s=10_000, timeout_s=0.3)) as made:
        waiting = [asyncio.create_task(error_of(made)) for _ in range(5)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert stub.submitted == 3
        errors = await asyncio.gather(*waiting)
        assert {error.code for error in errors} == {SendErrorCode.TIMEOUT}


async def test_who_would_wait_too_long_for_the_rate_is_told_to_come_back(stub: Stub) -> None:
    async with bound(settings(port=stub.port, messages_per_s=0.1)) as made:
        await made.send(MESSAGE)
        later = asyncio.create_task(made.link.submit(source_addr="1", destination_addr="2", short_message=b"x"))
        await asyncio.sleep(0)
        error = await error_of(made)
        assert (error.code, error.retryable) == (SendErrorCode.THROTTLED, True)
        assert error.retry_after_s
        assert 10 < error.retry_after_s <= 20
        later.cancel()
        await asyncio.gather(later, return_exceptions=True)


async def test_a_long_message_that_fails_in_the_middle_is_one_failure(stub: Stub) -> None:
    stub.mode = "0x14"
    async with bound(settings(port=stub.port)) as made:
        error = await error_of(made, saying(MESSAGE, "word " * 100))
        assert (error.code, stub.submitted) == (SendErrorCode.THROTTLED, 1)
