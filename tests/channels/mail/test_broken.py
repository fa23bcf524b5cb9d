"""Mails whose parts are not what they say, or lie in envelopes: what is shown is what their authors meant."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from channels.mail import bodies, charsets, smime
from channels.mail.attachments import NAME_BYTES_MAX
from channels.mail.parse import parse

HEAD = b"From: anna@customer.example\r\nSubject: x\r\n"
INNER = (
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nMy line is dead.\r\n"
    b"--b\r\nContent-Type: image/png; name=a.png\r\n\r\nabc\r\n--b--\r\n"
)
DAY = datetime(2025, 3, 3, tzinfo=UTC)


def enveloped(content: bytes) -> bytes:
    """Return content signed within a CMS envelope, as mail programs do that send no clear text beside the signature."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "anna@customer.example")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, DAY, DAY + timedelta(days=1))
    signed = pkcs7.PKCS7SignatureBuilder().set_data(content).add_signer(builder.sign(key, hashes.SHA256()), key, hashes.SHA256())
    return signed.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])


def element(tag: int, *contents: bytes) -> bytes:
    """Return a BER element of indefinite length."""
    return bytes([tag, 0x80]) + b"".join(contents) + b"\0\0"


def oid(last: int) -> bytes:
    return bytes.fromhex("06092a864886f70d0107") + bytes([last])


def test_a_mail_in_a_signed_envelope_is_read() -> None:
    head = HEAD + b"Content-Type: application/pkcs7-mime; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    mail = parse(head + base64.encodebytes(enveloped(INNER)))
    assert mail.body == "My line is dead."
    assert [file.name for file in mail.attachments] == ["a.png", "smime.p7m"]


def test_an_envelope_may_come_in_pieces() -> None:
    pieces = element(0x24, b"\x04\x05Hello", element(0x24, b"\x04\x06 there"))
    content = element(0x30, oid(1), element(0xA0, pieces))
    envelope = element(0x30, oid(2), element(0xA0, element(0x30, b"\x02\x01\x01", b"\x31\x00", content)))
    assert smime.signed_content(envelope) == b"Hello there"


def test_other_envelopes_stay_closed() -> None:
    whole = enveloped(INNER)
    encrypted = element(0x30, oid(3), element(0xA0, element(0x30, b"\x02\x01\x01", b"\x31\x00", b"\x30\x00")))
    detached = element(0x30, oid(2), element(0xA0, element(0x30, b"\x02\x01\x01", b"\x31\x00", element(0x30, oid(1)))))
    endless = bytes([0x30, 0x80]) * 5_000
    many = element(0x30, b"\x04\x00" * 100_000)
    assert [smime.signed_content(bad) for bad in (b"", b"\x30", whole[:-1], encrypted, detached, endless, many)] == [None] * 7
    assert {smime.signed_content(whole[:length]) for length in range(0, len(whole), 7)} == {None}


def test_envelopes_within_envelopes_are_opened_three_times_at_most() -> None:
    raw = b"Content-Type: text/plain\r\n\r\nDeep."
    for depth in range(1, 6):
        raw = b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\n" + enveloped(raw)
        assert parse(HEAD + raw).body == ("Deep." if depth <= 3 else "")


def test_text_that_was_never_encoded_is_shown_as_it_is() -> None:
    words = b"My line is dead.\r\nPlease call me.\r\n"
    head = HEAD + b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    assert parse(head + words).body == "My line is dead.\nPlease call me."
    assert parse(head + base64.encodebytes(words) + b"a list footer, as it were\r\nof two lines\r\n").body.startswith("My line is dead.")


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        ("Нет связи".encode(), "koi8-r", "Нет связи"),
        ("您好，流量".encode(), "gb2312", "您好，流量"),
        ("您好，流量".encode("gbk"), "gb2312", "您好，流量"),
        ("先月の請求額".encode("iso2022_jp"), "us-ascii", "先月の請求額"),
        ("先月の請求額".encode("iso2022_jp"), "", "先月の請求額"),
        ("Atención, ñandú ".encode() + b"\xe9!", "utf-8", "Atención, ñandú \ufffd!"),
        ("Atención, ñandú".encode("cp1252"), "utf-8", "Atención, ñandú"),
        ("Hello".encode("utf-16") + b"!", "utf-16", "Hello"),
        (b"\xff\xfe\xfd", "", "ÿþý"),
    ],
)
def test_a_set_that_is_not_the_one_named(content: bytes, charset: str, text: str) -> None:
    assert charsets.decode(content, charset) == text


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b'Content-Disposition: attachment filename="a.txt"', "a.txt"),
        (b'Content-Disposition: filename="a.txt"', "a.txt"),
        (b'Content-Disposition: attachment; filename="C:\\TEMP\\a.txt"', "a.txt"),
        (b'Content-Disposition: attachment; filename*0="=?utf-8?Q?Gr=C3=BC"; filename*1="=C3=9Fe.txt?="', "Grüße.txt"),
        (b'Content-Disposition: attachment; filename="' + "ü".encode() * 300 + b'.txt"', "ü" * 118 + ".txt"),
    ],
)
def test_the_name_of_a_file(header: bytes, name: str) -> None:
    mail = parse(HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHi\r\n--b\r\n" + header + b"\r\n\r\nabc\r\n--b--")
    assert [file.name for file in mail.attachments] == [name]
    assert len(name.encode()) <= NAME_BYTES_MAX


def test_a_footer_beside_a_text_with_pictures_is_text() -> None:
    raw = b"Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Hi</p>\r\n--b\r\n"
    picture = b"Content-Type: image/png\r\nContent-ID: <a@b>\r\n\r\nabc\r\n--b\r\n"
    mail = parse(HEAD + raw + picture + b"Content-Type: text/plain\r\n\r\nlist footer\r\n--b--")
    assert mail.body == "Hi\n\nlist footer"
    assert [file.content_id for file in mail.attachments] == ["a@b"]


def test_an_enclosed_mail_is_named_by_its_subject() -> None:
    mixed = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHi\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    assert [file.name for file in parse(mixed + b"Subject: 34Mbit/s\r\n\r\nHello\r\n--b--").attachments] == ["34Mbit_s.eml"]


def test_a_boundary_that_is_not_the_one_named_is_found_behind_a_preamble() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=c\r\n\r\nThis is MIME.\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b--\r\n"
    assert parse(HEAD + raw).body == "Hello"


def test_a_line_of_spaces_ends_the_header_unless_it_goes_on() -> None:
    assert parse(b"Subject: one\r\n   \r\n two\r\nFrom: a@b.example\r\n\r\nHello").subject == "one two"
    assert parse(b"Subject: one\r\n   \r\nFrom: a@b.example\r\n\r\nHello").sender.address == "a@b.example"
    assert parse(b"Subject: one\r\n   \r\nHello there,\r\n\r\nyou").body == "Hello there,\n\nyou"


def test_enriched_text_is_read_without_its_marks_and_left_out_beside_plain_text() -> None:
    enriched = b"Content-Type: text/enriched\r\n\r\n<bold>My line</bold>\r\nis <color><param>red</param>dead</color>: 1 << 2.\r\n\r\nA.\r\n"
    assert parse(HEAD + enriched).body == "My line is dead: 1 < 2.\nA."
    both = HEAD + b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nPlain.\r\n--b\r\n" + enriched + b"--b--\r\n"
    assert parse(both).body == "Plain."
    assert bodies.unenriched("a\n\n\nb") == "a\n\nb"
