"""Mails handed to a real SMTP server: encrypted, signed, refused in every way, on connections that are used again."""

from __future__ import annotations

import asyncio
import traceback
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from channels.mail.outgoing import Outgoing
from channels.mail.submit import Relay as Ours
from core.model.address import Address, AddressKind
from core.model.outbound import OutboundMessage, SendError, SendErrorCode
from tests.channels.mail.relay import PASSWORD, certificate, lets_in, relay
from tests.channels.mail.test_compose import ANNA, OURS, SAYING
from tests.sockets import raw_server

CODE = SendErrorCode


def ours(port: int, **changed: Any) -> Ours:
    return Ours(OURS, Outgoing(**{"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_tls": "none", "smtp_timeout_s": 15, **changed}))


async def failing(sender: Ours, message: OutboundMessage = SAYING) -> SendError:
    with pytest.raises(SendError) as failed:
        await sender.send(message)
    await sender.close()
    shown = "".join(traceback.format_exception(failed.value)) + repr(vars(failed.value))
    for private in (PASSWORD, message.recipient.value, message.reply.text, "smart words"):
        assert private not in shown
    return failed.value


async def test_a_mail_arrives() -> None:
    async with relay() as server:
        sender = ours(server.port)
        mail_id, said = await sender.send(SAYING, {"X-Further": "a\r\nb"})
        await sender.close()
    (got,) = server.got
    assert (got.mail_from, got.rcpt_tos) == (OURS.value, [ANNA.value])
    assert isinstance(got.content, bytes)
    assert f"\r\nMessage-ID: <{mail_id}>\r\n".encode() in got.content
    assert b"\r\nX-Further: a b\r\n" in got.content
    assert said == "2.0.0 Ok: queued as 4XyZ12"


async def test_lines_that_begin_with_a_dot_arrive_whole() -> None:
    async with relay() as server:
        sender = ours(server.port)
        await sender.send(replace(SAYING, reply=replace(SAYING.reply, text=".\n..\n.x")))
        await sender.close()
    assert isinstance(server.got[0].content, bytes)
    assert b"\r\n\r\n.\r\n..\r\n.x\r\n" in server.got[0].content


@pytest.mark.parametrize("mode", ["starttls", "tls"])
async def test_the_connection_is_encrypted_and_the_password_given(tmp_path: Path, mode: str) -> None:
    theirs, file = certificate(tmp_path)
    how = {"over_tls": theirs} if mode == "tls" else {"tls_context": theirs, "require_starttls": True}
    async with relay(authenticator=lets_in, auth_required=True, auth_require_tls=mode == "starttls", **how) as server:
        known = {"smtp_tls": mode, "smtp_ca": file, "smtp_user": "parley"}
        sender = ours(server.port, **known, smtp_password=PASSWORD)
        await sender.send(SAYING)
        await sender.close()
        assert len(server.got) == 1
        error = await failing(ours(server.port, **known, smtp_password="another"))
        assert (error.code, error.retryable, error.ours, error.provider_code) == (CODE.BAD_CREDENTIALS, False, True, "5.7.8")
        error = await failing(ours(server.port, smtp_tls=mode))  # by the system's certificates
        assert (error.code, error.retryable, error.unknown, error.ours) == (CODE.NOT_CONNECTED, True, False, True)
    assert len(server.got) == 1


async def test_a_relay_that_does_not_encrypt_gets_no_mail(tmp_path: Path) -> None:
    async with relay() as server:
        error = await failing(ours(server.port, smtp_tls="starttls", smtp_ca=certificate(tmp_path)[1]))
    assert (error.code, error.ours, error.unknown, server.got) == (CODE.NOT_CONNECTED, True, False, [])


REFUSALS = [
    ("MAIL", "421 4.3.2 smart words", CODE.PROVIDER_DOWN, True, False, "4.3.2"),
    ("MAIL", "550 5.7.1 smart words", CODE.REFUSED, False, True, "5.7.1"),
    ("MAIL", "552 5.3.4 smart words", CODE.TOO_LONG, False, False, "5.3.4"),
    ("MAIL", "530 5.7.0 smart words", CODE.BAD_CREDENTIALS, False, True, "5.7.0"),
    ("RCPT", "550 5.1.1 smart words", CODE.BAD_ADDRESS, False, False, "5.1.1"),
    ("RCPT", "550 smart words", CODE.BAD_ADDRESS, False, False, "550"),
    ("RCPT", "550 5.7.1 smart words", CODE.REFUSED, False, False, "5.7.1"),
    ("RCPT", "450 4.2.0 smart words", CODE.THROTTLED, True, False, "4.2.0"),
    ("RCPT", "552 5.2.2 smart words", CODE.REFUSED, False, False, "5.2.2"),
    ("DATA", "451 4.7.1 smart words", CODE.THROTTLED, True, False, "4.7.1"),
    ("DATA", "451 smart words", CODE.PROVIDER_DOWN, True, False, "451"),
    ("DATA", "554 5.7.1 smart words", CODE.REFUSED, False, False, "5.7.1"),
    ("DATA", "552 smart words", CODE.TOO_LONG, False, False, "552"),
]


@pytest.mark.parametrize(("stage", "answer", "code", "retryable", "ours_", "provider"), REFUSALS)
async def test_what_a_refusal_means(stage: str, answer: str, code: SendErrorCode, retryable: object, ours_: object, provider: str) -> None:
    async with relay() as server:
        server.answers[stage] = answer
        error = await failing(ours(server.port))
    assert (error.code, error.retryable, error.unknown, error.ours, error.provider_code) == (code, retryable, False, ours_, provider)


@pytest.mark.parametrize(("stage", "code", "unknown"), [("RCPT", CODE.NOT_CONNECTED, False), ("DATA", CODE.TIMEOUT, True)])
async def test_a_connection_that_breaks_off(stage: str, code: SendErrorCode, unknown: object) -> None:
    async with relay() as server:
        server.cut = stage
        error = await failing(ours(server.port))
    assert (error.code, error.retryable, error.unknown) == (code, True, unknown)


async def test_a_relay_that_is_not_there() -> None:
    async with relay() as server:
        port = server.port
    error = await failing(ours(port))
    assert (error.code, error.retryable, error.unknown) == (CODE.NOT_CONNECTED, True, False)


async def test_a_relay_that_never_answers() -> None:
    async with relay() as server:

        async def listens(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            await reader.read()

        async with raw_server(listens) as silent:
            error = await failing(ours(silent.port, smtp_timeout_s=0.2))
    assert (error.code, error.unknown, server.got) == (CODE.NOT_CONNECTED, False, [])


async def test_one_connection_carries_many_mails_and_a_refusal_does_not_end_it() -> None:
    async with relay() as server:
        sender = ours(server.port)
        for _ in range(3):
            await sender.send(SAYING)
        server.answers["RCPT"] = "550 5.1.1 nobody"
        with pytest.raises(SendError):
            await sender.send(SAYING)
        del server.answers["RCPT"]
        await sender.send(SAYING)
        assert (server.connections, len(server.got)) == (1, 4)
        server.hang_up()
        await sender.send(SAYING)
        assert (server.connections, len(server.got)) == (2, 5)
        await asyncio.gather(*(sender.send(SAYING) for _ in range(20)))
        assert len(server.got) == 25
        assert server.connections <= 9
        await sender.close()


async def test_international_addresses_need_a_relay_that_knows_them() -> None:
    message = replace(SAYING, recipient=Address(AddressKind.EMAIL, "søren@xn--e1afmkfd.example"))
    async with relay(enable_SMTPUTF8=True) as server:
        sender = ours(server.port)
        await sender.send(message)
        await sender.close()
        assert server.got[0].rcpt_tos == [message.recipient.value]
    async with relay() as server:
        error = await failing(ours(server.port), message)
    assert (error.code, error.retryable) == (CODE.UNSUPPORTED, False)


def rsa_key(bits: int = 2048) -> tuple[str, bytes]:
    """Return a private key and the text record of its public half."""
    key = rsa.generate_private_key(65537, bits)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), b"v=DKIM1; k=rsa; p=" + b64encode(public)


async def test_mails_are_signed() -> None:
    pem, record = rsa_key()
    asked: list[bytes] = []

    def looked_up(name: bytes, timeout: float = 5) -> bytes:
        asked.append(name)
        return record

    async with relay() as server:
        sender = ours(server.port, dkim_selector="2026", dkim_key=pem)
        await sender.send(replace(SAYING, reply=replace(SAYING.reply, text="Ωραία\n\n trailing  \n\n")))
        await sender.close()
    raw = server.got[0].content
    assert isinstance(raw, bytes)
    assert dkim.verify(raw, dnsfunc=looked_up)
    assert asked == [b"2026._domainkey.operator.example."]
    for change in (
        (b"Re: My bill", b"Re: My Bill"),
        (b"anna@", b"ben@"),
        (b"trailing", b"Trailing"),
        (b"Auto-Submitted: auto", b"Auto-Submitted: x"),
    ):
        assert not dkim.verify(raw.replace(*change), dnsfunc=looked_up), change
    assert not dkim.verify(raw.replace(b"\r\nSubject:", b"\r\nSubject: added\r\nSubject:", 1), dnsfunc=looked_up)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"smtp_host": ""}, "smtp_host"),
        ({"smtp_user": "a"}, "belong together"),
        ({"smtp_user": "a", "smtp_password": "b", "smtp_host": "relay.example"}, "without encryption"),
        ({"smtp_ca": "/nowhere"}, "no file"),
        ({"dkim_selector": "s"}, "belong together"),
        ({"dkim_selector": "s", "dkim_key": "no key"}, "PEM"),
        ({"dkim_selector": "s", "dkim_key": rsa_key(1024)[0], "dkim_domain": "a b"}, "no domain"),
    ],
)
def test_settings_that_cannot_work(changed: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ours(25, **changed)


def test_a_key_of_another_kind_is_refused() -> None:
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(ValueError, match="RSA"):
        ours(25, dkim_selector="s", dkim_key=pem)
    with pytest.raises(ValueError, match="mailbox"):
        Ours(Address(AddressKind.MSISDN, "+254700000000"), Outgoing(smtp_host="x"))


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(ValueError, match="no certificates"):
        ours(25, smtp_tls="tls", smtp_ca=str(tmp_path / "empty.pem"))


def test_the_password_and_the_key_do_not_show() -> None:
    settings = Outgoing(smtp_host="127.0.0.1", smtp_user="u", smtp_password=PASSWORD, dkim_selector="s", dkim_key=PASSWORD)
    assert PASSWORD not in f"{settings!r} {settings}"
