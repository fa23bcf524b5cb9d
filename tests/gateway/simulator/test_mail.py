"""The mail servers of other people: what they take and refuse of the gateway's mails, and the mails that people's programs write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import aiosmtplib
import pytest

from channels.mail.parse import parse
from core.clock import Clock
from gateway.simulator import letters
from gateway.simulator.exchanger import Exchanger
from gateway.simulator.letters import Sent, Writer

PHONE = "+254700000001"
ADDRESS = "254700000001@post.example"
OURS = "help@demo-telecom.example"
WRITER = Writer(ADDRESS, "Customer 001", 1_795_262_193_222, "abc")
GOOD = {
    "From": f"Demo Telecom <{OURS}>",
    "To": ADDRESS,
    "Subject": "Re: bill",
    "Date": "Sat, 21 Nov 2026 11:56:33 +0000",
    "Message-ID": "<parley.1@demo-telecom.example>",
    "Reply-To": "help+token@demo-telecom.example",
    "References": "<a@post.example> <b@post.example>",
    "Auto-Submitted": "auto-replied",
}


@pytest.fixture
async def exchanger() -> AsyncIterator[Exchanger]:
    async with AsyncExitStack() as stack:
        exchanger = Exchanger(Clock())
        await exchanger.start(stack)
        yield exchanger


def mail(**changed: str | None) -> bytes:
    headers = GOOD | {name.replace("_", "-"): value for name, value in changed.items()}
    return ("".join(f"{name}: {value}\r\n" for name, value in headers.items() if value is not None) + "\r\nYour bill.\r\n").encode()


async def hand_over(exchanger: Exchanger, raw: bytes, recipient: str = ADDRESS) -> tuple[int, str]:
    try:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=exchanger.port, start_tls=False) as client:
            _, said = await client.sendmail(OURS, [recipient], raw)
    except aiosmtplib.SMTPRecipientsRefused as refused:
        return refused.recipients[0].code, refused.recipients[0].message
    except aiosmtplib.SMTPResponseException as refused:
        return refused.code, refused.message
    return 250, said


async def test_connections_end_with_the_servers() -> None:
    async with AsyncExitStack() as stack:
        exchanger = Exchanger(Clock())
        await exchanger.start(stack)
        reader, writer = await asyncio.open_connection("127.0.0.1", exchanger.port)
        assert (await reader.readline()).startswith(b"220 ")
    async with asyncio.timeout(15):
        assert await reader.read() == b""
    writer.close()


async def test_a_mail_as_it_should_be_reaches_its_owner(exchanger: Exchanger) -> None:
    got: list[tuple[str, str]] = []

    async def arrived(phone: str, mail: EmailMessage) -> None:
        got.append((phone, letters.text_of(mail)))

    exchanger.listen(arrived)
    assert (await hand_over(exchanger, mail()))[0] == 250
    assert got == [(PHONE, "Your bill.")]
    (exchange,) = exchanger.exchanges
    assert (exchange.what, exchange.phone, exchange.answer) == ("mail-out", PHONE, "250 2.0.0 OK")
    assert "RCPT TO:<254700000001@post.example>" in exchange.request


@pytest.mark.parametrize("recipient", ["nobody@post.example", "254700000001@elsewhere.example", "post.example"])
async def test_mailboxes_that_are_not_there_are_refused(exchanger: Exchanger, recipient: str) -> None:
    assert (await hand_over(exchanger, mail(), recipient))[0] == 550
    assert list(exchanger.exchanges) == []


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"From": None}, "From"),
        ({"From": "Demo Telecom"}, "From"),
        ({"From": f"{OURS}, {ADDRESS}"}, "From"),
        ({"To": None}, "To"),
        ({"Subject": None}, "Subject"),
        ({"Date": None}, "Date"),
        ({"Date": "yesterday"}, "Date"),
        ({"Message_ID": None}, "Message-ID"),
        ({"Message_ID": "parley.1"}, "Message-ID"),
        ({"References": "a@post.example"}, "References"),
        ({"Auto_Submitted": "yes"}, "Auto-Submitted"),
    ],
)
async def test_headers_that_are_missing_or_malformed_are_refused(exchanger: Exchanger, changed: dict[str, str | None], named: str) -> None:
    status, said = await hand_over(exchanger, mail(**changed))
    assert status == 554
    assert named in said


async def test_a_gateway_that_is_away_is_no_answer(exchanger: Exchanger) -> None:
    assert await exchanger.deliver(PHONE, Sent(mail(), ADDRESS, OURS), 9) == 0
    assert exchanger.exchanges[0].answer.startswith("no answer")


def answered() -> EmailMessage:
    return message_from_bytes(mail(), policy=SMTP)


def test_programs_answer_with_references_or_without() -> None:
    usual = letters.answer(WRITER, answered(), "Thanks", referring=True)
    understood = parse(usual.raw)
    assert (usual.recipient, understood.subject) == ("help+token@demo-telecom.example", "Re: bill")
    assert understood.in_reply_to == ("parley.1@demo-telecom.example",)
    assert understood.references == ("a@post.example", "b@post.example", "parley.1@demo-telecom.example")
    assert (understood.divided.text, "> Your bill." in understood.divided.quoted) == ("Thanks", True)
    bare = parse(letters.answer(WRITER, answered(), "Thanks", referring=False).raw)
    assert (bare.references, bare.in_reply_to, bare.divided.text, bare.divided.quoted) == ((), (), "Thanks", "")


def test_machines_write_as_machines() -> None:
    automatic, bounce = letters.automatic(WRITER, answered()), letters.bounce(WRITER, answered())
    assert (automatic.sender, bounce.sender) == ("", "")
    assert (parse(automatic.raw).kind, parse(bounce.raw).kind) == ("auto_reply", "bounce")
    (failure,) = parse(bounce.raw).failures
    assert (failure.address, failure.status, failure.message_id) == (ADDRESS, "5.1.1", "parley.1@demo-telecom.example")


def test_a_new_mail_carries_a_picture() -> None:
    understood = parse(letters.new(WRITER, OURS, "The mast\r\nBcc: x@y.example", "See it", b"\x89PNG\r\n\x1a\n").raw)
    assert (understood.subject, understood.divided.text) == ("The mast Bcc: x@y.example", "See it")
    assert [attachment.name for attachment in understood.attachments] == ["mast.png"]


@pytest.mark.parametrize(
    ("address", "phone"), [(ADDRESS, PHONE), (ADDRESS.upper(), PHONE), ("x@post.example", ""), ("1@other.example", "")]
)
def test_a_mailbox_belongs_to_a_phone(address: str, phone: str) -> None:
    assert letters.owner_of(address) == phone
