"""The mail server by real clients and by raw octets: what is answered with 250 is kept, everything else is refused for what it is."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import aiosmtplib
import pytest

from core.store.api import StoreUnavailable
from core.store.sqlite import SqliteStore
from gateway.mail import kept, sessions
from tests.channels.mail.relay import certificate
from tests.gateway.mail.room import ANNA, OURS, letter, mailroom, wire

SMUGGLED = [
    b"\n.\nMAIL",
    b"\n.\r\nMAIL",
    b"\r\n.\nMAIL",
    b"\r\n.\rMAIL",
    b"\r.\r\nMAIL",
    b"\r.\rMAIL",
    b"\n.\rMAIL",
    b"\r\n.\r\r\nMAIL",
    b"\r\r\n.\r\r\nMAIL",
    b"\r\n\x00.\r\nMAIL",
    b"\n\n.\n\nMAIL",
    b"\r\n.\x00\r\nMAIL",
]


async def test_a_mail_is_kept_when_it_is_answered_and_then_answered_by_mail(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room:
        await room.post(letter("balance", 1))
        assert await room.rows("select count(*) from kept_request") == [(1,)]
        (answer,) = await room.answers(1)
    assert answer["To"] == ANNA
    assert answer["In-Reply-To"] == "<a1@customer.example>"
    assert answer["Subject"] == "Re: My balance"
    assert answer["Auto-Submitted"] == "auto-replied"


async def test_the_same_mail_again_is_taken_and_changes_nothing(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room:
        for _ in range(3):
            await room.post(letter("balance", 1))
        await room.read(1)
        assert await room.rows("select count(*) from kept_request") == [(1,)]
        assert room.parley.gateway.counters.value("duplicates", channel="mail") == 2


@pytest.mark.parametrize(
    ("recipient", "code"),
    [
        (OURS, "250"),
        ("Support@Operator.Example", "250"),
        ("help@operator.example", "250"),
        ("support+0123456789abcdef0123@operator.example", "250"),
        ("support+sales@operator.example", "550"),
        ("sales@operator.example", "550"),
        ("anna@customer.example", "550"),
        ("support%customer.example@operator.example", "550"),
        ("@operator.example:anna@customer.example", "5"),
        ('"support@operator.example"@customer.example', "550"),
        ("support@operator.example@customer.example", "5"),
        ("support!customer.example@operator.example", "550"),
    ],
)
async def test_nothing_is_relayed(tmp_path: Path, recipient: str, code: str) -> None:
    async with mailroom(tmp_path) as room, wire(room.port) as line:
        await line.say(b"EHLO customer.example")
        await line.say(b"MAIL FROM:<anna@customer.example>")
        assert (await line.say(f"RCPT TO:<{recipient}>".encode())).startswith(code)


@pytest.mark.parametrize("trick", SMUGGLED, ids=repr)
async def test_no_second_mail_is_smuggled_in(tmp_path: Path, trick: bytes) -> None:
    async with mailroom(tmp_path) as room:
        async with wire(room.port) as line:
            assert (await line.begin()).startswith("354")
            second = b" FROM:<eve@evil.example>\r\nRCPT TO:<" + OURS.encode() + b">\r\nDATA\r\nFrom: eve@evil.example\r\n\r\nsecond"
            answer = await line.say(letter("first", 1).rstrip() + trick + second + b"\r\n.")
            assert answer.startswith(("554", "250"))
            assert (await line.say(b"NOOP")).startswith("250")
            assert (await line.say(b"QUIT")).startswith("221")
            assert await line.rest() == b""
        assert (await room.rows("select count(*) from kept_request"))[0][0] == int(answer.startswith("250"))


@pytest.mark.parametrize(("why", "code"), [("io_error", 451), ("disk_full", 452)])
async def test_a_store_that_is_away_makes_the_sender_keep_the_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str, code: int
) -> None:
    async with mailroom(tmp_path) as room:

        async def away(*_: object) -> None:
            raise StoreUnavailable(why)

        with monkeypatch.context() as patch:
            patch.setattr(SqliteStore, "write", away)
            with pytest.raises(aiosmtplib.SMTPDataError) as refused:
                await room.post(letter("balance", 1))
        assert refused.value.code == code
        await room.post(letter("balance", 1))
        await room.read(1)


async def test_mails_are_refused_before_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with mailroom(tmp_path) as room:
        with monkeypatch.context() as patch:
            patch.setattr(kept, "FREE_BYTES_MIN", 1 << 62)
            with pytest.raises(aiosmtplib.SMTPDataError) as refused:
                await room.post(letter("balance", 1))
        assert refused.value.code == 452
        assert room.parley.gateway.counters.value("refused", channel="mail", code="disk_full") == 1
        await room.post(letter("balance", 1))


async def test_a_mail_that_is_too_large_is_refused_whatever_is_said_of_its_size(tmp_path: Path) -> None:
    async with mailroom(tmp_path, mail_max_bytes=20_000) as room:
        async with wire(room.port) as line:
            await line.say(b"EHLO customer.example")
            assert (await line.say(b"MAIL FROM:<a@b.example> SIZE=30000")).startswith("552")
        async with wire(room.port) as line:
            assert (await line.begin()).startswith("354")
            assert (await line.say(b"x: y\r\n\r\n" + b"words\r\n" * 5_000 + b".")).startswith("552")
        assert await room.rows("select count(*) from kept_request") == [(0,)]


async def test_a_mail_that_goes_round_in_circles_is_refused(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room, wire(room.port) as line:
        await line.begin()
        assert (await line.say(b"Received: x\r\n" * 101 + b"\r\n\r\n.")).startswith("554 5.4.6")


async def test_commands_are_limited_in_number_and_length(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room:
        async with wire(room.port) as line:
            await line.say(b"EHLO customer.example")
            assert (await line.say(b"NOOP " + b"x" * 2_000)).startswith("500")
            answers = [await line.say(b"RSET") for _ in range(101)]
            assert answers[-1].startswith("421")
            assert await line.rest() == b""
        async with wire(room.port) as line:
            answers = [await line.say(b"XYZZY") for _ in range(5)]
            assert answers[-1].startswith("502")
            assert await line.rest() == b""


async def test_recipients_are_limited(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room, wire(room.port) as line:
        await line.say(b"EHLO customer.example")
        await line.say(b"MAIL FROM:<a@b.example>")
        answers = [await line.say(f"RCPT TO:<{OURS}>".encode()) for _ in range(101)]
        assert {answer[:3] for answer in answers[:100]} == {"250"}
        assert answers[100].startswith("452")


async def test_one_connection_too_many_is_told_to_come_back(tmp_path: Path) -> None:
    async with mailroom(tmp_path, connections_max=1) as room, wire(room.port) as line:
        async with wire(room.port) as second:
            assert await second.rest() == b""
        assert (await line.say(b"NOOP")).startswith("250")


async def test_a_session_ends_after_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = sessions.Door.__init__

    def short(door: sessions.Door, *mailbox: object, **options: object) -> None:
        made(door, *mailbox, **{**options, "session_max_s": 0.3})  # type: ignore[arg-type]

    monkeypatch.setattr(sessions.Door, "__init__", short)
    async with mailroom(tmp_path) as room, wire(room.port) as line:
        assert await line.rest() == b""


async def test_what_was_said_before_starttls_is_forgotten(tmp_path: Path) -> None:
    _, public = certificate(tmp_path / "tls")
    key = str(tmp_path / "tls" / "key.pem")
    async with mailroom(tmp_path / "data", tls_certificate=public, tls_key=key) as room, wire(room.port) as line:
        await line.say(b"EHLO customer.example")
        assert (await line.say(b"STARTTLS\r\nMAIL FROM:<eve@evil.example>\r\nRCPT TO:<" + OURS.encode() + b">")).startswith("220")
        context = ssl.create_default_context(cafile=public)
        await line.writer.start_tls(context, server_hostname="127.0.0.1")
        assert (await line.say(b"DATA")).startswith("503")
        assert (await line.begin()).startswith("354")
        assert (await line.say(letter("balance", 1) + b".")).startswith("250")


async def test_a_client_that_cannot_encrypt_leaves_nothing_behind(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _, public = certificate(tmp_path / "tls")
    settings = {"tls_certificate": public, "tls_key": str(tmp_path / "tls" / "key.pem"), "connections_max": 1}
    async with mailroom(tmp_path / "data", **settings) as room:
        for number in (1, 2):
            async with wire(room.port) as line:
                await line.say(b"EHLO customer.example")
                await line.say(b"STARTTLS")
                line.writer.write(b"this is no handshake\r\n")
                assert await line.rest() == b""
            assert room.parley.gateway.counters.value("refused", channel="mail", code="tls") == number
        async with wire(room.port) as line:
            assert (await line.say(b"NOOP")).startswith("250")
    assert "a session of the mail server" not in caplog.text


async def test_a_client_encrypts(tmp_path: Path) -> None:
    _, public = certificate(tmp_path / "tls")
    async with mailroom(tmp_path / "data", tls_certificate=public, tls_key=str(tmp_path / "tls" / "key.pem")) as room:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=room.port, start_tls=True, cert_bundle=public) as client:
            assert not client.supports_extension("AUTH")
            await client.sendmail(ANNA, [OURS], letter("balance", 1))
        await room.read(1)


async def test_lmtp_answers_for_each_recipient(tmp_path: Path) -> None:
    async with mailroom(tmp_path, listen="lmtp://127.0.0.1:0") as room:
        async with wire(room.port) as line:
            assert (await line.say(b"EHLO customer.example")).startswith("500")
            assert (await line.begin(OURS, "help@operator.example", hello=b"LHLO relay.example")).startswith("354")
            answers = [await line.say(letter("balance", 1) + b"."), await line.answer()]
            assert [answer[:3] for answer in answers] == ["250", "250"]
            assert (await line.begin(OURS, "help@operator.example", hello=b"LHLO relay.example")).startswith("354")
            answers = [await line.say(b"bare\nline\r\n."), await line.answer()]
            assert [answer[:3] for answer in answers] == ["554", "554"]
            assert (await line.say(b"DATA")).startswith("503")
        await room.answers(1)
        assert await room.rows("select count(*) from kept_request") == [(1,)]


async def test_an_international_sender_is_answered_in_the_one_form(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room:
        await room.post(letter("balance", 1, From="jörg@bücher.example"), sender="jörg@bücher.example")
        await room.read(1)
        assert await room.rows("select value from contact_medium where kind = 'email'") == [("jörg@xn--bcher-kva.example",)]


async def test_a_client_that_goes_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room:
        async with wire(room.port) as line:
            await line.begin()
            line.writer.write(b"Subject: half\r\n\r\nhal")
            await line.writer.drain()
        async with wire(room.port) as line:
            assert (await line.say(b"NOOP")).startswith("250")
        assert await room.rows("select count(*) from kept_request") == [(0,)]
        assert not [task for task in asyncio.all_tasks() if task.done() and task.exception()]
