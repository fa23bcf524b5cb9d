"""Mails made of pieces: what is read in them is what the pieces were, and no piece gets out of its place."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from channels.mail.model import Kind
from channels.mail.parse import parse
from channels.mail.rebuilt import Piece, rebuilt

FROM = ("From", "Jo <jo@customer.example>")


def test_the_pieces_are_found_again() -> None:
    files = (Piece("Ü;\"'\r\n.pdf", "application/pdf", b"%PDF-1 \x00\xff"), Piece("p.png", "image/png", b"\x89PNG\r\n\x1a\n", "c1@x"))
    mail = parse(rebuilt([FROM, ("Subject", "Ünïcode")], "plain", "<p>rich</p>", files))
    assert (mail.sender.address, mail.subject, mail.divided.text, mail.safe_html) == (
        "jo@customer.example",
        "Ünïcode",
        "plain",
        "<p>rich</p>",
    )
    assert [(file.name, file.content, file.content_id) for file in mail.attachments] == [
        ("Ü;_'.pdf", files[0].content, ""),
        ("p.png", files[1].content, "c1@x"),
    ]
    assert parse(rebuilt([FROM], None, "<p>rich</p>")).divided.text == "rich"
    assert parse(rebuilt([FROM], None, None)).body == ""


def test_a_bounce_is_still_one() -> None:
    status = b"Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; jo@customer.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    files = (
        Piece("", "message/delivery-status", status),
        Piece("", "message/rfc822", b"Message-ID: <m1@operator.example>\r\nSubject: x\r\n\r\nhello"),
    )
    headers = [("From", "MAILER-DAEMON@mx.example"), ("Content-Type", 'multipart/report; report-type="delivery-status"; boundary=b')]
    mail = parse(rebuilt(headers, "nobody here", None, files))
    assert mail.kind is Kind.BOUNCE
    assert [(failure.address, failure.status, failure.message_id) for failure in mail.failures] == [
        ("jo@customer.example", "5.1.1", "m1@operator.example")
    ]


@settings(max_examples=80, deadline=None)
@given(
    name=st.text(max_size=30),
    value=st.text(max_size=80),
    text=st.text(max_size=200),
    content=st.binary(max_size=200),
    kind=st.text(max_size=30),
)
def test_nothing_gets_out_of_its_place(name: str, value: str, text: str, content: bytes, kind: str) -> None:
    raw = rebuilt([FROM, (name, value), ("X-A", f"{value}\r\nFrom: eve@evil.example")], text, None, [Piece(value, kind, content, name)])
    mail = parse(raw)
    assert mail.sender.address == "jo@customer.example" or name.lower() == "from"
    assert [file.content for file in mail.attachments] == [content]


def test_a_content_cannot_end_its_part() -> None:
    inner = rebuilt([FROM], "inner", None, [Piece("a", "text/plain", b"x")])
    mail = parse(rebuilt([FROM], inner.decode(), None, [Piece("a.eml", "message/rfc822", inner)]))
    assert len(mail.attachments) == 1
    assert mail.body.startswith("From: Jo <jo@customer.example>")
