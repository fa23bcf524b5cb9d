"""Mails that are put together in unusual or broken ways: character sets, headers, structures, attachments."""

# ruff: noqa: E501 - samples stand as they arrive

from __future__ import annotations

import base64
from collections.abc import Iterator

from tests.channels.mail.collection.case import Case, message

_PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)
_PDF = b"%PDF-1.4\n%\xe2\xe3\n1 0 obj\n"
_HEAD = b"From: anna@customer.example\r\nTo: support@operator.example\r\nSubject: Hello\r\nMessage-ID: <x-1@customer.example>\r\n"

SETS: dict[str, tuple[str, str, str]] = {  # name as sent, codec, text
    "latin1": ("iso-8859-1", "latin-1", "Le téléphone n’est pas livré".replace("’", "'")),
    "latin1-meant-1252": ("iso-8859-1", "cp1252", "Price: 10 € – “soon”"),
    "windows-1251": ("windows-1251", "cp1251", "Нет связи с понедельника"),
    "koi8-r": ("KOI8-R", "koi8_r", "Нет связи с понедельника"),
    "latin2": ("iso-8859-2", "iso8859-2", "Nie działa poczta głosowa"),
    "greek": ("iso-8859-7", "iso8859-7", "Δεν έχω σήμα"),
    "turkish": ("windows-1254", "cp1254", "Faturamı ödeyemiyorum, yardım"),
    "hebrew": ("windows-1255", "cp1255", "אין לי רשת"),
    "arabic": ("windows-1256", "cp1256", "لا توجد شبكة"),
    "jis": ("iso-2022-jp", "iso2022_jp", "先月の請求額について"),
    "sjis": ("Shift_JIS", "cp932", "先月の請求額①について"),
    "euc-jp": ("euc-jp", "euc_jp", "先月の請求額について"),
    "gb2312-meant-gbk": ("gb2312", "gbk", "您好，流量套餐（镕）"),
    "big5": ("big5", "big5", "您好，我的帳單"),
    "euc-kr": ("ks_c_5601-1987", "cp949", "요금제를 변경하고 싶습니다"),
    "ascii-meant-utf8": ("us-ascii", "utf-8", "Grüße aus Köln"),
    "unknown-utf8": ("x-nothing", "utf-8", "Grüße aus Köln"),
    "unknown-1252": ("nothing-at-all", "cp1252", "Grüße aus Köln"),
    "quoted-name": ('"UTF-8"', "utf-8", "Grüße aus Köln"),
    "utf16": ("utf-16", "utf-16", "Grüße aus Köln"),
    "thai": ("tis-620", "cp874", "อินเทอร์เน็ตใช้ไม่ได้"),
}
SUBJECTS: dict[str, tuple[bytes, str]] = {
    "q": (b"=?iso-8859-1?Q?Gr=FC=DFe_aus_K=F6ln?=", "Grüße aus Köln"),
    "b": (b"=?UTF-8?B?R3LDvMOfZQ==?=", "Grüße"),
    "two-words": (b"=?utf-8?Q?Gr=C3=BC?=\r\n =?utf-8?Q?=C3=9Fe?= all", "Grüße all"),
    "divided-character": (b"=?utf-8?B?R3LD?= =?utf-8?B?vMOfZQ==?=", "Grüße"),
    "raw-utf8": ("Grüße".encode(), "Grüße"),
    "raw-latin1": ("Grüße".encode("latin-1"), "Grüße"),
    "folded": (b"one\r\n two\r\n\tthree", "one two three"),
    "bad-base64": (b"=?utf-8?B?R3LDvMOfZQ?=", "Grüße"),
    "no-space": (b"Re:=?utf-8?Q?Gr=C3=BC=C3=9Fe?=!", "Re:Grüße!"),
    "space-inside": (b"=?utf-8?Q?Gr=C3=BC=C3=9Fe aus?=", "Grüße aus"),
    "unknown-set": (b"=?x-none?Q?Gr=FC=DFe?=", "Grüße"),
    "language": (b"=?utf-8*de?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
    "not-encoded": (b"a =? b ?= c", "a =? b ?= c"),
}
SENDERS: dict[str, tuple[bytes, str, str]] = {
    "bare": (b"anna@customer.example", "anna@customer.example", ""),
    "quoted-comma": (b'"Example, Anna" <anna@customer.example>', "anna@customer.example", "Example, Anna"),
    "bare-comma": (b"Example, Anna <anna@customer.example>", "anna@customer.example", "Example, Anna"),
    "encoded": (b"=?utf-8?Q?J=C3=BCrgen?= <j@customer.example>", "j@customer.example", "Jürgen"),
    "encoded-quoted": (b'"=?utf-8?Q?J=C3=BCrgen?=" <j@customer.example>', "j@customer.example", "Jürgen"),
    "comment": (b"anna@customer.example (Anna Example)", "anna@customer.example", "Anna Example"),
    "upper-domain": (b"Anna <Anna.E@Customer.EXAMPLE>", "Anna.E@customer.example", "Anna"),
    "dots": (b"A. E. Example <anna@customer.example>", "anna@customer.example", "A. E. Example"),
    "raw-8bit": ("Jürgen <j@customer.example>".encode(), "j@customer.example", "Jürgen"),
    "only-brackets": (b"<anna@customer.example>", "anna@customer.example", ""),
    "international": ("Анна <анна@пример.example>".encode(), "анна@пример.example", "Анна"),
    "name-only": (b"Anna Example", "", "Anna Example"),
    "nobody": (b"undisclosed-recipients:;", "", ""),
    "semicolons": (b"Anna <anna@customer.example>; Bob <b@x.example>", "anna@customer.example", "Anna"),
    "encoded-whole": (b"=?utf-8?B?SsO8cmdlbiA8akBjdXN0b21lci5leGFtcGxlPg==?=", "j@customer.example", "Jürgen"),
    "name-is-address": (b'"anna@customer.example" <anna@customer.example>', "anna@customer.example", ""),
}
FILES: dict[str, tuple[bytes, bytes, str, str, int]] = {  # part headers, content, name, type, size
    "pdf": (b'Content-Type: application/pdf; name="a.pdf"', _PDF, "a.pdf", "application/pdf", len(_PDF)),
    "wrong-type": (b'Content-Type: application/octet-stream; name="a.png"', _PNG, "a.png", "image/png", len(_PNG)),
    "rfc2231": (
        b"Content-Type: image/png\r\nContent-Disposition: attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe.png",
        _PNG,
        "Grüße.png",
        "image/png",
        len(_PNG),
    ),
    "rfc2231-pieces": (
        b"Content-Type: image/png\r\nContent-Disposition: attachment;\r\n filename*0*=utf-8''Gr%C3%BC;\r\n filename*1*=%C3%9Fe;\r\n filename*2=.png",
        _PNG,
        "Grüße.png",
        "image/png",
        len(_PNG),
    ),
    "rfc2047-name": (b'Content-Type: image/png; name="=?utf-8?Q?Gr=C3=BC=C3=9Fe=2Epng?="', _PNG, "Grüße.png", "image/png", len(_PNG)),
    "path": (b'Content-Type: image/png; name="../../etc/x.png"', _PNG, "x.png", "image/png", len(_PNG)),
    "windows-path": (b'Content-Type: image/png; name="C:\\\\Users\\\\x.png"', _PNG, "x.png", "image/png", len(_PNG)),
    "turned": ('Content-Type: image/png; name="a\u202egnp.exe"'.encode(), _PNG, "agnp.exe", "image/png", len(_PNG)),
    "no-name": (b"Content-Type: image/png\r\nContent-Disposition: attachment", _PNG, "attachment-1.png", "image/png", len(_PNG)),
    "html-as-image": (b'Content-Type: image/png; name="a.png"', b"<html><script>1</script>", "a.png", "text/html", 24),
    "text-file": (b'Content-Type: text/plain; name="log.txt"\r\nContent-Disposition: attachment', b"line\n", "log.txt", "text/plain", 5),
    "tnef": (b"Content-Type: application/ms-tnef", b"\x78\x9f\x3e\x22", "winmail.dat", "application/ms-tnef", 4),
    "calendar": (b"Content-Type: text/calendar; method=REQUEST", b"BEGIN:VCALENDAR", "invite.ics", "text/calendar", 15),
    "docx": (
        b'Content-Type: application/vnd.openxmlformats-officedocument.wordprocessingml.document; name="a.docx"',
        b"PK\x03\x04xx",
        "a.docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        6,
    ),
    "inline-image": (
        b"Content-Type: image/png; name=logo.png\r\nContent-ID: <logo@x>\r\nContent-Disposition: inline",
        _PNG,
        "logo.png",
        "image/png",
        len(_PNG),
    ),
}
STRUCTURES: dict[str, tuple[bytes, str]] = {
    "no-last-boundary": (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello there\r\n", "Hello there"),
    "boundary-missing": (
        b"Content-Type: multipart/mixed\r\n\r\n--xyz\r\nContent-Type: text/plain\r\n\r\nHello there\r\n--xyz--\r\n",
        "Hello there",
    ),
    "boundary-other": (
        b"Content-Type: multipart/mixed; boundary=abc\r\n\r\n--xyz\r\nContent-Type: text/plain\r\n\r\nHello there\r\n--xyz--\r\n",
        "Hello there",
    ),
    "preamble": (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\nThis is MIME.\r\n--b\r\n\r\nHello there\r\n--b--\r\nepilogue\r\n",
        "Hello there",
    ),
    "nested": (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/alternative; boundary=bb\r\n\r\n--bb\r\n\r\nHello there\r\n--bb\r\nContent-Type: text/html\r\n\r\n<p>Hello there</p>\r\n--bb--\r\n--b--\r\n",
        "Hello there",
    ),
    "bare-lf": (b"Content-Type: text/plain\n\nHello\nthere\n", "Hello\nthere"),
    "no-type": (b"\r\nHello there\r\n", "Hello there"),
    "bad-type": (b"Content-Type: text\r\n\r\nHello there\r\n", "Hello there"),
    "flowed": (
        b"Content-Type: text/plain; format=flowed\r\n\r\nThis is one \r\nlong line.\r\n\r\n Indented\r\n",
        "This is one long line.\n\nIndented",
    ),
    "flowed-delsp": (b"Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\nThis is o \r\nne word.\r\n", "This is one word."),
    "html-only": (
        b"Content-Type: text/html; charset=utf-8\r\n\r\n<html><head><title>x</title><style>p{}</style></head><body><p>Hello</p><ul><li>one</li><li>two</li></ul><script>1</script></body></html>",
        "Hello\n\n- one\n- two",
    ),
    "html-meta": (
        b"Content-Type: text/html\r\n\r\n<html><head><meta charset=windows-1251></head><body>\xcf\xf0\xe8\xe2\xe5\xf2</body></html>",
        "Привет",
    ),
    "html-hidden": (b'Content-Type: text/html\r\n\r\n<div style="display:none">preview</div><div>Hello&nbsp;there</div>', "Hello there"),
    "html-table": (
        b"Content-Type: text/html\r\n\r\n<table><tr><td>Name</td><td>Anna</td></tr><tr><td>City</td><td>Rome</td></tr></table>",
        "Name Anna\nCity Rome",
    ),
    "html-entities": (b"Content-Type: text/html\r\n\r\n<p>5 &lt; 6 &amp; 7 &euro;</p>", "5 < 6 & 7 €"),
    "broken-html": (b"Content-Type: text/html\r\n\r\n<div><b>Hello <i>there</b></i><p>you", "Hello there\n\nyou"),
    "uuencoded": (b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 t\r\n%2&5L;&\\ \r\n \r\nend\r\n", "Hello"),
    "base64-with-footer": (b"Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8gdGhlcmU=\r\n-- \r\nlist footer!\r\n", "Hello there"),
    "quoted-printable-soft": (b"Content-Transfer-Encoding: quoted-printable\r\n\r\nHello =\r\nthere=21\r\n", "Hello there!"),
    "quoted-printable-broken": (b"Content-Transfer-Encoding: quoted-printable\r\n\r\nprice=5 =zz =\r\n", "price=5 =zz"),
    "mbox": (b"", "Hello there"),
}


def cases() -> Iterator[Case]:
    """Yield the mails, one strange thing in each."""
    for name, (called, codec, text) in SETS.items():
        head = _HEAD + f"Content-Type: text/plain; charset={called}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n".encode()
        encoded = base64.encodebytes(text.encode(codec)) if codec == "utf-16" else text.encode(codec)
        yield Case(
            f"set-{name}",
            head.replace(b"8bit", b"base64") + encoded if codec == "utf-16" else head + encoded,
            text=text,
            body=text,
            attachments=[],
        )
    for name, (raw, subject) in SUBJECTS.items():
        yield Case(f"subject-{name}", b"From: a@b.example\r\nSubject: " + raw + b"\r\n\r\nHi", text="Hi", headers={"subject": subject})
    for name, (raw, address, shown) in SENDERS.items():
        yield Case(f"sender-{name}", b"From: " + raw + b"\r\n\r\nHi", text="Hi", headers={"from": address, "name": shown})
    for name, (part, content, file, kind, size) in FILES.items():
        encoded = base64.encodebytes(content)
        body = b"--b\r\n\r\nSee the file.\r\n--b\r\n" + part + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encoded + b"\r\n--b--\r\n"
        raw = _HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + body
        yield Case(f"file-{name}", raw, text="See the file.", body="See the file.", attachments=[(file, kind, size)])
    for name, (rest, text) in STRUCTURES.items():
        raw = b"From anna@customer.example Mon Mar  3 10:02:00 2025\n" + _HEAD + b"\r\nHello there" if name == "mbox" else _HEAD + rest
        yield Case(
            f"structure-{name}", raw, text=text, body=text, headers={"subject": "Hello", "from": "anna@customer.example"}, attachments=[]
        )
    mail = message("Fwd: a mail")
    mail.set_content("See the mail.")
    inner = message("The inner one")
    inner.set_content("Inside.")
    mail.add_attachment(inner)
    yield Case(
        "file-mail", mail.as_bytes(), text="See the mail.", attachments=[("The inner one.eml", "message/rfc822", len(inner.as_bytes()))]
    )
