"""Hostile mail: whatever the bytes, an answer, soon; caps are noted; no pattern takes long; nothing unsafe is left in HTML."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import channels.mail
from channels.mail import html_text
from channels.mail.model import Cap, Mail
from channels.mail.parse import parse
from tests.channels.mail.collection.scoring import collection

HEAD = b"From: a@b.example\r\nSubject: x\r\n"
HTML = HEAD + b"Content-Type: text/html\r\n\r\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
BOMBS: dict[str, tuple[bytes, Cap | None]] = {
    "flat parts": (MIXED + b"--b\r\n\r\n\r\n" * 100_000, Cap.PARTS),
    "parameter pieces": (
        HEAD + b"Content-Type: text/plain; " + b";".join(b"a*%d=x" % number for number in range(20_000)) + b"\r\n\r\nhi",
        Cap.PIECES,
    ),
    "encoded words": (b"Subject: " + b" ".join([b"=?utf-8?q?a?="] * 20_000) + b"\r\n\r\nhi", Cap.WORDS),
    "addresses": (b"From: " + b", ".join([b"a@bcdef.example"] * 20_000) + b"\r\n\r\nhi", Cap.ADDRESSES),
    "nested multiparts": (
        HEAD + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (number, number) for number in range(2_000)),
        Cap.DEPTH,
    ),
    "nested mails": (HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 2_000, Cap.DEPTH),
    "nested comments": (b"From: " + b"(" * 5_000 + b"a@b.example" + b")" * 5_000 + b"\r\n\r\nhi", Cap.ADDRESSES),
    "nested groups": (b"From: " + b"a:" * 4_000 + b"\r\n\r\nhi", Cap.ADDRESSES),
    "header block": (b"A: b\r\n" * 1_000_000, Cap.HEADERS),
    "too large": (HEAD + b"\r\n" + b"x" * 10_500_000, Cap.RAW),
    "text": (HEAD + b"\r\n" + b"words\n" * 1_700_000, Cap.TEXT),
    "returns": (HEAD + b"\r\n" + b"\r" * 10_000_000, Cap.TEXT),
    "unknown set": (HEAD + b"Content-Type: text/plain; charset=nothing\r\n\r\n\xff", None),
    "codec that is no set": (HEAD + b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"a\xff-" * 100_000, None),
    "nested divs": (HTML + b"<div>" * 100_000, None),
    "misnested": (HTML + b"<b><i><p></b></i>x" * 15_000, None),
    "attributes": (HTML + b"<a " + b" ".join(b"a%d=1" % number for number in range(200_000)) + b">", None),
    "unclosed tags": (HTML + b"<a href='" * 200_000, None),
    "unclosed comments": (HTML + b"<!--" * 400_000, None),
    "angles": (HTML + b"<" * 2_000_000, None),
    "uuencoded": (HEAD + b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\n" + b"M!!!\x80z\n" * 100_000, None),
    "files begun": (HEAD + b"\r\n" + b"=ybegin line=1 name=x\r\n" * 400_000, Cap.TEXT),
    "files without end": (HEAD + b"\r\nbegin 644 a\n" + (b"M" + b"!" * 60 + b"\n") * 150_000, Cap.TEXT),
    "files": (HEAD + b"\r\n" + b"begin 644 a\n#86)C\nend\n" * 300_000, Cap.TEXT),
    "signed": (HEAD + b"\r\n" + b"-----BEGIN PGP SIGNED MESSAGE-----\n\nx\n-----BEGIN PGP SIGNATURE-----\n" * 6_000, None),
    "parcel": (HEAD + b"Content-Type: application/ms-tnef\r\n\r\n\x78\x9f\x3e\x22\0\0" + b"\x02\x02\x90\x06\0\0\0\0\0\0\0" * 900_000, None),
    "header of blanks": (b"Subject: x\r\n" + b" \r\n" * 300_000 + b"A: b\r\n", None),
    "lines like boundaries": (HEAD + b"Content-Type: multipart/mixed; boundary=c\r\n\r\n" + b"--x\r\n" * 1_000_000, None),
    "angles in an address": (b"From: " + b"a@b <" * 1_500 + b"\r\n\r\nhi", None),
    "commas in an address": ((b"To: <" + b"," * 7_900 + b"@\r\n") * 12 + b"\r\nhi", None),
    "words in an address": (b"From: " + b"=?utf-8?q?" * 190 + b"a" * 5_000 + b"@\r\n\r\nhi", None),
    "nothing": (b"", None),
    "zeros": (bytes(100_000), None),
}
CASES = collection()
REPEATED = (
    "On ",
    "a:",
    "From: x\n",
    "> ",
    "-- \n",
    "wrote:\n",
    "thanks,\n",
    "__",
    "x@",
    "\u00a0",
    "2020年",
    "- a\n",
    "On 1/1/2020 x\n\n",
    "+49 ",
)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_answered_soon(name: str) -> None:
    raw, cap = BOMBS[name]
    begin = time.process_time()
    mail = parse(raw)
    assert time.process_time() - begin < 2
    assert cap is None or cap in mail.over


@pytest.mark.parametrize("piece", REPEATED)
def test_a_monotonous_text_is_answered_soon(piece: str) -> None:
    begin = time.process_time()
    parse(HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + (piece * (500_000 // len(piece))).encode())
    assert time.process_time() - begin < 2


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150)
@given(st.data())
def test_any_bytes_are_a_mail(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(CASES)).raw)
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=8))
    assert isinstance(parse(bytes(raw)), Mail)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_noise_is_a_mail(raw: bytes) -> None:
    assert isinstance(parse(raw), Mail)


def patterns() -> dict[str, re.Pattern[str] | re.Pattern[bytes]]:
    found = {}
    for module in pkgutil.iter_modules(channels.mail.__path__):
        names = vars(importlib.import_module(f"channels.mail.{module.name}"))
        found |= {f"{module.name}.{name}": value for name, value in names.items() if isinstance(value, re.Pattern)}
    return found


PATTERNS = patterns()
ADVERSARIAL = (
    "a" * 50_000,
    "<a " * 16_000,
    "=?a?q?" * 8_000,
    '="' * 25_000,
    " \t" * 25_000,
    "1:1 " * 12_000,
    "a@a.a" * 10_000,
    "--" * 25_000,
    ";a*1=" * 10_000,
)


@pytest.mark.parametrize("name", PATTERNS)
def test_no_pattern_takes_long(name: str) -> None:
    """Each pattern of the package, on texts of 50 kB; those for single lines on as much as their callers hand them."""
    pattern = PATTERNS[name]
    lines_only = name.startswith(("quotes.", "signatures."))
    for text in ADVERSARIAL:
        given_text = text[:500] if lines_only else text
        subject = given_text if isinstance(pattern.pattern, str) else given_text.encode()
        assert min(_search_s(pattern, subject) for _ in range(3)) < 0.05, (name, text[:12])


def _search_s(pattern: re.Pattern[str] | re.Pattern[bytes], subject: str | bytes) -> float:
    begin = time.process_time()
    pattern.search(subject)  # type: ignore[arg-type]
    return time.process_time() - begin


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>ok",
        '<img src="https://track.example/p.png">ok',
        '<img src=x onerror="alert(1)">ok',
        '<a href="javascript:alert(1)">ok</a>',
        '<a href="data:text/html,<script>1</script>">ok</a>',
        "<svg onload=alert(1)>ok</svg>",
        "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>ok",
        '<div style="background:url(https://track.example)">ok</div>',
        '<meta http-equiv="refresh" content="0;url=https://x.example">ok',
        "<form action=https://x.example><input name=a>ok</form>",
        "<iframe src=https://x.example></iframe>ok",
        '<noscript><p title="</noscript><img src=x onerror=alert(1)>">ok',
        '<link rel=stylesheet href=https://x.example/a.css><base href="https://x.example">ok',
        '<p id="submit" name="action">ok</p>',
        "<video src=https://track.example poster=https://track.example>ok</video>",
    ],
)
def test_safe_html_runs_and_fetches_nothing(html: str) -> None:
    cleaned = html_text.safe(html)
    assert "ok" in cleaned
    assert (
        re.search(r"script|onerror|onload|style|javascript|https?:|data:|<(?:svg|math|form|iframe|meta|link|base|video)|\bid=", cleaned)
        is None
    )


def test_pictures_within_the_mail_stay() -> None:
    assert 'src="cid:logo@x"' in html_text.safe('<img src="cid:logo@x" alt="Logo">')


@pytest.mark.parametrize("html", ["<p>x</p>" * 7_000, "<br>" * 6_000])
def test_html_that_is_too_large_is_shown_as_text(html: str) -> None:
    assert html_text.safe(html) == ""
