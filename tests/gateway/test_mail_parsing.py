"""Mails taken apart in children: the same answer as here, a limit that holds, and a pool that goes on after it."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from channels.mail.model import Cap
from channels.mail.parse import parse
from core.model.address import Address, AddressKind
from core.model.inbound import (
    ContactSignal,
    DeliveryReport,
    Ignored,
    InboundMessage,
    Letter,
    Media,
    RawRequest,
    Session,
    UnreadableRequest,
)
from core.model.outbound import DeliveryStatus
from gateway import mail_parsing
from gateway.mail_child import LENGTH, Job, Refused
from gateway.mail_parsing import MailParsers, UnreadableMail, read_answer

RAW = b"From: a@b.example\r\nSubject: Hi\r\n\r\nHello\r\n\r\n> earlier\r\n"


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def test_the_child_answers_like_the_parser() -> None:
    async with MailParsers() as parsers:
        assert await parsers.parse_in_child(RAW) == parse(RAW)
        assert await parsers.parse_in_child(b"") == parse(b"")


async def test_what_a_kind_cannot_read_is_refused_as_it_is_here() -> None:
    request = RawRequest("POST", "", {"content-type": "application/json"}, b"{", 0)
    async with MailParsers() as parsers:
        with pytest.raises(UnreadableRequest):
            await parsers.events_in_child("telegram", request, "KE")
        assert await parsers.parse_in_child(RAW) == parse(RAW)


@pytest.mark.parametrize(
    "answer",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cgateway.mail_child\npickle\n.",
        b"cgateway.mail_child\nserve\n(tR.",
        b"cgateway.mail_child\nload\n(S'email'\ntR.",
        b"cchannels.mail.model\ndataclass\n.",
        b"ccore.model.inbound\nStrEnum\n.",
        b"\x80\x04\x8c\x13core.model.inbound\x8c\x16Media.__init__.__class__\x93.",
        b"ccopyreg\n_reconstructor\n.",
        b"cdatetime\nsys\n.",
        b"",
        b"\x80",
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
    ],
)
def test_a_child_that_a_mail_took_over_can_name_nothing_here(answer: bytes) -> None:
    with pytest.raises(UnreadableMail):
        read_answer(answer)


def test_values_of_every_sort_pass() -> None:
    when = datetime(2026, 2, 3, 10, tzinfo=timezone(timedelta(hours=3)))
    mail = replace(parse(RAW), date=when, over=frozenset({Cap.PARTS}))
    media = Media("image", content=b"x", values={"a": "b"})
    letter = Letter("id", references=("a", "b"))
    here = Address(AddressKind.EMAIL, "a@b.example")
    events = [
        InboundMessage("1", here, here, media=(media,), session=Session.NEW, letter=letter),
        DeliveryReport("1", DeliveryStatus.DELIVERED),
        Ignored("x"),
    ]
    for value in (mail, events, [ContactSignal("1", here, here, "opted_out")], Refused("code", "text"), None):
        assert read_answer(pickle.dumps(value)) == value


async def test_many_at_once_share_the_pool() -> None:
    raws = [b"Subject: %d\r\n\r\nx" % number for number in range(20)]
    async with MailParsers(2) as parsers:
        mails = await asyncio.gather(*map(parsers.parse_in_child, raws))
    assert [mail.subject for mail in mails] == [str(number) for number in range(20)]


async def test_a_child_that_dies_is_answered_as_unreadable_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    async with MailParsers() as parsers:
        await parsers.parse_in_child(RAW)
        with monkeypatch.context() as patch:
            patch.setattr(mail_parsing, "WALL_S", 0.0)  # no child is as quick as that
            with pytest.raises(UnreadableMail):
                await parsers.parse_in_child(RAW)
        assert (await parsers.parse_in_child(RAW)).subject == "Hi"


async def test_the_largest_mail_fits_into_the_memory_of_a_child() -> None:
    head = b"From: a@b.example\r\nContent-Transfer-Encoding: base64\r\nContent-Type: application/pdf\r\n\r\n"
    async with MailParsers() as parsers:
        mail = await parsers.parse_in_child(head + b"QUJD" * 2_600_000)
    assert mail.attachments[0].size == 7_800_000


async def test_a_child_over_its_memory_is_unreadable() -> None:
    async with MailParsers() as parsers:
        with pytest.raises(UnreadableMail):
            await parsers.parse_in_child(bytes(300 * 1024 * 1024))
        assert (await parsers.parse_in_child(RAW)).subject == "Hi"


async def test_a_child_knows_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_SECRET", "canary")
    async with MailParsers() as parsers:
        await parsers.parse_in_child(RAW)
        (child,) = [child for child in parsers._free._queue if child]
        assert b"canary" not in environment_of(child._process.pid)
    assert os.environ["PARLEY_SECRET"] == "canary"


def test_a_child_over_its_time_is_killed() -> None:
    short = "from gateway import mail_child; mail_child.CPU_S = 0.002; mail_child.serve()"
    raw = b"Subject: x\r\n\r\n" + b"On 1/1/2020 x\r\n\r\n" * 20_000
    job = pickle.dumps(Job("", RawRequest("", "", {}, raw, 0), ""))
    child = subprocess.run([sys.executable, "-c", short], input=LENGTH.pack(len(job)) + job, capture_output=True, check=False, timeout=60)
    assert (child.returncode, child.stdout) == (-signal.SIGPROF, b"")
