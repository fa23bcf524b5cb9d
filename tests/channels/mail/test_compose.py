"""What a mail of ours looks like: read again with the standard library and with our own reader, and whatever its values try."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.mail.compose import ATTACHED_BYTES_MAX, REFERENCES_MAX, TEXT_CHARS_MAX, Composed, compose
from channels.mail.model import Kind
from channels.mail.parse import parse
from core.model.address import Address, AddressKind
from core.model.ids import MessageId
from core.model.inbound import Letter, Media
from core.model.mail_ids import message_of
from core.model.outbound import Author, OutboundMessage, Reply, SendError, SendErrorCode

OURS = Address(AddressKind.EMAIL, "support@operator.example")
ANNA = Address(AddressKind.EMAIL, "anna@customer.example")
ID = MessageId("0197a5f0-1111-8222-a333-444455556666")
LETTER = Letter(mail_id="abc@customer.example", subject="My bill", references=("b@x.example", "a@x.example"), token="0123456789abcdef0123")
SAYING = OutboundMessage(ID, OURS, ANNA, Reply("Your bill is KES 250.\n\nIt is due on Friday."), letter=LETTER)


def composed(message: OutboundMessage, **how: str) -> Composed:
    return compose(message, **{"from_name": "Example Mobile", "default_subject": "Your request", **how})  # type: ignore[arg-type]


def read(message: OutboundMessage, **how: str) -> EmailMessage:
    mail = message_from_bytes(composed(message, **how).raw, policy=SMTP)
    assert isinstance(mail, EmailMessage)
    assert not mail.defects
    return mail


def test_an_answer_is_in_its_thread() -> None:
    mail = read(SAYING)
    assert mail["From"] == "Example Mobile <support@operator.example>"
    assert (mail["To"], mail["Subject"]) == ("anna@customer.example", "Re: My bill")
    assert mail["Reply-To"] == "support+0123456789abcdef0123@operator.example"
    assert mail["In-Reply-To"] == "<abc@customer.example>"
    assert mail["References"].split() == ["<a@x.example>", "<b@x.example>", "<abc@customer.example>"]
    assert message_of(mail["Message-ID"].strip("<>")) == ID
    assert mail["Date"].datetime.timestamp() == int("0197a5f01111", 16) // 1000
    assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-replied", "All")


def test_a_mail_that_answers_none_begins_a_thread() -> None:
    mail = read(replace(SAYING, letter=None))
    assert (mail["Subject"], mail["Auto-Submitted"]) == ("Your request", "auto-generated")
    assert [mail[name] for name in ("In-Reply-To", "References", "Reply-To")] == [None, None, None]
    named = read(replace(SAYING, letter=Letter(subject="Your order", token="0" * 20)))
    assert (named["Subject"], named["Reply-To"]) == ("Your order", f"support+{'0' * 20}@operator.example")


def test_what_a_person_wrote_is_no_machines() -> None:
    assert read(replace(SAYING, author=Author.AGENT))["Auto-Submitted"] is None
    assert parse(composed(replace(SAYING, author=Author.AGENT)).raw).kind is Kind.PERSON
    assert parse(composed(SAYING).raw).kind is Kind.AUTO_REPLY


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        ("Re: My bill", "Re: My bill"),
        ("RE: re:AW: bill", "Re: bill"),
        ("Re[2]: bill", "Re: bill"),
        ("Reparatur", "Re: Reparatur"),
        ("Rechnung für März €", "Re: Rechnung für März €"),
        ("Re:", "Re: Your request"),
        ("", "Re: Your request"),
    ],
)
def test_the_subject_is_answered_once(subject: str, answer: str) -> None:
    assert read(replace(SAYING, letter=replace(LETTER, subject=subject)))["Subject"] == answer


def test_it_is_the_same_mail_at_every_attempt() -> None:
    media = (Media("document", name="bill.pdf", content_type="application/pdf", content=b"%PDF-1"),)
    message = replace(SAYING, reply=replace(SAYING.reply, media=media))
    assert composed(message) == composed(replace(message, attempt=5))


def test_the_chain_keeps_its_beginning_and_its_end() -> None:
    letter = replace(LETTER, references=tuple(f"r{number}@x.example" for number in range(40)))
    chain = read(replace(SAYING, letter=letter))["References"].split()
    assert (len(chain), chain[0], chain[-1], chain[-2]) == (REFERENCES_MAX, "<r39@x.example>", "<abc@customer.example>", "<r0@x.example>")


def test_long_ids_stay_as_they_are() -> None:
    long = f"{'x' * 200}@{'y' * 40}.example"
    raw = composed(replace(SAYING, letter=replace(LETTER, mail_id=long, references=(long.replace("x", "z"),)))).raw
    assert f"\r\nIn-Reply-To: <{long}>\r\n".encode() in raw
    assert parse(raw).references == (long.replace("x", "z"), long)


def test_text_and_html_say_the_same() -> None:
    text = "Saldo: €5 <b>&amp;</b>\n.\nFrom here\n\nمرحبا {{7*7}} <script>alert(1)</script>"
    mail = read(replace(SAYING, reply=Reply(text, language='en"><script>')))
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().replace("\r\n", "\n").rstrip("\n") == text
    shown = html.get_content().replace("\r\n", "\n")
    assert "<script" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "Saldo: €5 &lt;b&gt;&amp;amp;&lt;/b&gt;<br>.<br>From here" in shown
    assert parse(composed(SAYING).raw).body == SAYING.reply.text


def test_attachments_go_along() -> None:
    media = (
        Media("document", name="../../Rechnung März.pdf", content_type="application/pdf", content=b"%PDF-1.7 \xff\x00"),
        Media("image", name="", content_type="image/png\r\nBcc: x@evil.example", content=b"\x89PNG"),
        Media("document", name="a.eml", content_type="message/rfc822", content=b"From: x@evil.example\r\n\r\nhi"),
    )
    files = list(read(replace(SAYING, reply=replace(SAYING.reply, media=media))).iter_attachments())
    assert [file.get_filename() for file in files] == ["Rechnung März.pdf", "attachment-2.bin", "a.eml"]
    assert [file.get_content_type() for file in files] == ["application/pdf", "application/octet-stream", "application/octet-stream"]
    assert [file.get_content() for file in files] == [one.content for one in media]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("media", "code"),
    [
        (Media("location", values={"latitude": "1"}), SendErrorCode.UNSUPPORTED),
        (Media("image", url="https://x.example/a.png"), SendErrorCode.UNSUPPORTED),
        (Media("document", content=b"x" * (ATTACHED_BYTES_MAX + 1)), SendErrorCode.TOO_LONG),
    ],
)
def test_what_cannot_be_attached_is_said(media: Media, code: SendErrorCode) -> None:
    with pytest.raises(SendError) as failed:
        composed(replace(SAYING, reply=replace(SAYING.reply, media=(media,))))
    assert (failed.value.code, failed.value.retryable) == (code, False)


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(SendError) as failed:
        composed(replace(SAYING, reply=Reply("x" * (TEXT_CHARS_MAX + 1))))
    assert failed.value.code is SendErrorCode.TOO_LONG


EVIL = "x\r\nBcc: victim@evil.example\r\n\r\n<html>"


def test_no_value_begins_a_header_of_its_own() -> None:
    letter = Letter(
        mail_id=EVIL, subject=f"hi{EVIL}\x00\u2028Cc: a@evil.example", references=(EVIL, "a@b\x00c", "ü@x.example", "ok@x.example")
    )
    mail = read(replace(SAYING, letter=letter), from_name=f"Mobile{EVIL}")
    assert mail["Bcc"] is None
    assert mail["Cc"] is None
    assert [str(known) for known in mail["From"].addresses] == ['"Mobilex Bcc: victim@evil.example <html>" <support@operator.example>']
    assert mail["In-Reply-To"] is None
    again = read(replace(SAYING, letter=replace(letter, mail_id="fine@x.example")))
    assert again["References"].split() == ["<ok@x.example>", "<fine@x.example>"]


@settings(max_examples=100, deadline=None)
@given(subject=st.text(max_size=300), name=st.text(max_size=80), mail_id=st.text(max_size=60), text=st.text(max_size=300))
def test_whatever_the_values_are(subject: str, name: str, mail_id: str, text: str) -> None:
    letter = Letter(mail_id=mail_id, subject=subject, references=(mail_id[::-1],), token=LETTER.token)
    raw = composed(replace(SAYING, letter=letter, reply=Reply(text)), from_name=name).raw
    mail = message_from_bytes(raw, policy=SMTP)
    known = {"from", "to", "subject", "date", "message-id", "in-reply-to", "references", "reply-to", "auto-submitted"}
    assert {header.lower() for header in mail.keys()} <= known | {"x-auto-response-suppress", "mime-version", "content-type"}  # noqa: SIM118
    assert len(mail.get_all("from", [])) == len(mail.get_all("subject", [])) == 1
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")


@pytest.mark.parametrize("address", ["a@b@c", "", "anna", "anna @x.example", f"a{EVIL}@x.example", "a,b@x.example", "<a@x.example>"])
def test_what_is_no_mailbox_is_refused(address: str) -> None:
    with pytest.raises(SendError) as failed:
        composed(replace(SAYING, recipient=Address(AddressKind.EMAIL, address)))
    assert failed.value.code is SendErrorCode.BAD_ADDRESS


def test_international_addresses_stay_as_they_are() -> None:
    mail = composed(replace(SAYING, recipient=Address(AddressKind.EMAIL, "søren@xn--e1afmkfd.example")))
    assert mail.international
    assert "\r\nTo: søren@xn--e1afmkfd.example\r\n".encode() in mail.raw
    assert not composed(SAYING).international
    assert composed(SAYING).raw.isascii()
