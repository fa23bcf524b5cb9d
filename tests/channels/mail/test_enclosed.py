"""Files and signatures that stand in a plain text, and files in the parcels that Outlook sends."""

from __future__ import annotations

import base64
import binascii
import struct

import pytest

from channels.mail import enclosed, tnef
from channels.mail.parse import parse

FILE = bytes(range(256)) * 3
HEAD = b"From: anna@customer.example\r\nSubject: x\r\n"


def uuencoded(name: bytes, content: bytes) -> bytes:
    lines = [binascii.b2a_uu(content[start : start + 45], backtick=True) for start in range(0, len(content), 45)]
    return b"begin 644 " + name + b"\n" + b"".join(lines) + b"`\nend\n"


def yencoded(name: bytes, content: bytes) -> bytes:
    shifted = ((value + 42) & 255 for value in content)
    encoded = b"".join(b"=" + bytes([(value + 64) & 255]) if value in {0, 10, 13, 61} else bytes([value]) for value in shifted)
    lines = b"\r\n".join(encoded[start : start + 128] for start in range(0, len(encoded), 128))
    return b"=ybegin line=128 size=%d name=" % len(content) + name + b"\r\n" + lines + b"\r\n=yend size=%d\r\n" % len(content)


@pytest.mark.parametrize(
    "written",
    [
        uuencoded(b"a b.bin", FILE),
        uuencoded(b"a b.bin", FILE).replace(b"\n", b"\r\n"),
        b"begin-base64 644 a b.bin\n" + base64.encodebytes(FILE) + b"====\n",
        yencoded(b"a b.bin", FILE),
    ],
    ids=["uuencode", "uuencode-crlf", "base64", "yenc"],
)
def test_a_file_in_the_text_is_an_attachment_and_no_text(written: bytes) -> None:
    mail = parse(HEAD + b"\r\nSee the file.\n\n" + written + b"Bye.\n")
    assert [(file.name, file.content) for file in mail.attachments] == [("a b.bin", FILE)]
    assert mail.body == "See the file.\n\nBye."


def test_lost_spaces_at_the_ends_of_lines_are_borne() -> None:
    lines = [binascii.b2a_uu(bytes(45)).rstrip() for _ in range(3)]
    assert enclosed.files_in(b"begin 644 zeros\n" + b"\n".join(lines) + b"\n\nend\n") == (b"", [(b"zeros", bytes(135))])


@pytest.mark.parametrize(
    "text",
    [
        b"begin 644 words\nand then the end\nend\n",
        b"begin 644 cut\n" + binascii.b2a_uu(b"x" * 45),
        b"=ybegin line=128 size=9 name=cut\r\nabc\r\n",
        b"=ybegin line=128 size=9 name=one\r\nabc\r\n=ybegin line=128 size=9 name=two\r\n",
        b"begin 644 nothing\nend\n",
    ],
)
def test_what_is_no_whole_file_stays_text(text: bytes) -> None:
    assert enclosed.files_in(text) == (text, [])


def test_a_signed_text_is_read_without_its_armour() -> None:
    text = (
        "Note\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\nCharset: utf-8\n\nMy line is dead.\n- -- \nAnna\n\n"
        "-----BEGIN PGP SIGNATURE-----\nVersion: x\n\niQEz\n=abcd\n-----END PGP SIGNATURE-----\nlist footer"
    )
    assert enclosed.without_armour(text) == "Note\nMy line is dead.\n-- \nAnna\n\nlist footer"
    mail = parse(HEAD + b"\r\n" + text.encode())
    assert mail.divided.text.startswith("Note\nMy line is dead.")
    assert "PGP" not in mail.body


@pytest.mark.parametrize(
    "text",
    [
        "> -----BEGIN PGP SIGNED MESSAGE-----\n> Hash: SHA256\n>\n> earlier",
        "-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----",
        "-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----",
    ],
)
def test_other_armour_stays(text: str) -> None:
    assert enclosed.without_armour(text) == text


def attribute(level: int, name: int, value: bytes) -> bytes:
    return struct.pack("<BII", level, name, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def prop(number: int, kind: int, value: bytes) -> bytes:
    return struct.pack("<HHII", kind, number, 1, len(value)) + value + b"\0" * (-len(value) % 4)


def parcel(*attributes: bytes) -> bytes:
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(attributes)


LONG = prop(0x3707, 0x1F, "Rechnung März.pdf\0".encode("utf-16le"))
NAMED = struct.pack("<HH", 0x3, 0x8001) + bytes(16) + struct.pack("<II", 1, 6) + "ab\0".encode("utf-16le") + bytes(2) + struct.pack("<I", 7)
DATED = struct.pack("<HH", 0x1040, 0x3008) + struct.pack("<IQQ", 2, 1, 2)
TWO_FILES = parcel(
    attribute(1, 0x00069007, struct.pack("<II", 1251, 0)),
    attribute(2, 0x00069002, bytes(14)),
    attribute(2, 0x00018010, b"RECHNU~1.PDF\0"),
    attribute(2, 0x0006800F, b"%PDF-1.4 one"),
    attribute(2, 0x00069005, struct.pack("<I", 3) + NAMED + DATED + LONG),
    attribute(2, 0x00069002, bytes(14)),
    attribute(2, 0x00018010, "счёт.txt\0".encode("cp1251")),
    attribute(2, 0x0006800F, b"two"),
)


@pytest.mark.parametrize("header", [b"application/ms-tnef", b"application/octet-stream; name=WINMAIL.DAT"])
def test_the_files_in_a_parcel_of_outlook_take_its_place(header: bytes) -> None:
    encoded = binascii.b2a_base64(TWO_FILES)
    mixed = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee the files.\r\n--b\r\n"
    mail = parse(mixed + b"Content-Type: " + header + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encoded + b"\r\n--b--\r\n")
    assert [(file.name, file.content_type, file.content) for file in mail.attachments] == [
        ("Rechnung März.pdf", "application/pdf", b"%PDF-1.4 one"),
        ("счёт.txt", "text/plain", b"two"),
    ]


def test_what_cannot_be_opened_stays_whole() -> None:
    message = prop(0x3701, 0xD, bytes.fromhex("0703020000000000c000000000000046") + b"...")
    within = parcel(attribute(2, 0x00069002, bytes(14)), attribute(2, 0x00069005, struct.pack("<I", 1) + message))
    bare = parcel(attribute(2, 0x00069002, bytes(14)))
    endless = parcel(attribute(2, 0x00069002, bytes(14)), attribute(2, 0x00069005, struct.pack("<IHHI", 2**32 - 1, 0x101E, 1, 2**32 - 1)))
    assert [tnef.files(bad) for bad in (b"", b"x" * 40, TWO_FILES[:-1], within, bare, endless)] == [None] * 6
    cut = [tnef.files(TWO_FILES[:length]) or [] for length in range(len(TWO_FILES))]
    assert {file.content for files in cut for file in files} == {b"%PDF-1.4 one"}
    mail = parse(HEAD + b"Content-Type: application/ms-tnef\r\n\r\n" + TWO_FILES[:-1])
    assert [file.name for file in mail.attachments] == ["winmail.dat"]
