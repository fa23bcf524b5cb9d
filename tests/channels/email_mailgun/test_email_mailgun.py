"""Mailgun beyond conformance: a token is good for one content, however often and in whatever form that comes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from channels import email_mailgun
from channels import multipart as multipart_forms
from channels.email_mailgun import REPLAY_MS, EmailMailgun
from core.model.inbound import AuthenticationFailed, InboundMessage, RawRequest
from tests.channels.email_mailgun.subject import NEW, adapter, by, parsed_form, settings, signature
from tests.channels.mail.posted import AT, BOUNDARY, form, multipart, request


def refused(ours: EmailMailgun, what: RawRequest) -> str:
    with pytest.raises(AuthenticationFailed) as failed:
        ours.authenticate(what)
    return failed.value.code


def test_a_token_is_good_for_one_content() -> None:
    ours, token = adapter(), by(NEW, token="t" * 50)
    file = [("attachment-1", "a.txt", "text/plain", b"one")]
    ours.authenticate(token(multipart(parsed_form("hello"), file)))
    ours.authenticate(token(multipart(parsed_form("hello"), file)))
    again = token(multipart(parsed_form("hello"), file))
    headers = {"content-type": "multipart/form-data; boundary=another"}
    ours.authenticate(replace(again, headers=headers, body=again.body.replace(BOUNDARY.encode(), b"another")))
    assert refused(ours, token(multipart(parsed_form("pay 500"), file))) == "used_token"
    assert refused(ours, token(multipart(parsed_form("hello"), [("attachment-1", "a.txt", "text/plain", b"two")]))) == "used_token"
    assert refused(ours, token(form(parsed_form("hello")))) == "used_token"
    assert refused(ours, token(request(b'{"event-data":{"event":"complained"}}', "application/json"))) == "used_token"


def test_tokens_are_not_remembered_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email_mailgun, "TOKENS_MAX", 10)
    ours = adapter()
    for number in range(30):
        ours.authenticate(by(NEW, token=f"{number:050}")(form(parsed_form("hello"))))
    assert len(ours._used) == 10


def test_a_signature_lasts_as_long_as_mailgun_tries_again() -> None:
    ours, eight_hours = adapter(), 8 * 3_600
    ours.authenticate(by(NEW, age_s=eight_hours)(form(parsed_form("hello"))))
    assert refused(ours, by(NEW, age_s=REPLAY_MS // 1_000 + 1)(form(parsed_form("hi")))) == "bad_timestamp"
    assert refused(ours, by(NEW, age_s=-REPLAY_MS // 1_000 - 1)(form(parsed_form("ho")))) == "bad_timestamp"


def test_headers_that_make_no_sense_do_not_cost_the_mail() -> None:
    for headers in ("", "{}", "[1]", '[["From"]]', "[[", '[["X-A: b", "c"], ["From", "Eve\\r\\nBcc: x <eve@customer.example>"]]'):
        (event,) = adapter().parse(form(parsed_form("hello", **{"message-headers": headers, "content-id-map": "[1]"})))
        assert isinstance(event, InboundMessage)
        assert event.text == "hello"


def test_settings_that_cannot_work() -> None:
    for wrong in ({"signing_keys": ()}, {"signing_keys": ("",)}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            settings(**wrong)


def test_a_mail_that_is_posted_as_json() -> None:
    known = parsed_form("hello", **signature(NEW, AT // 1_000, "j" * 50))
    listed = {"message-headers": [["From", "Jo <jo@customer.example>"]], "attachments": [{"url": "https://api.mailgun.net/a", "name": "a"}]}
    what = request(json.dumps({**known, **listed}).encode(), "application/json")
    ours = adapter()
    ours.authenticate(what)
    (event,) = ours.parse(what)
    assert isinstance(event, InboundMessage)
    assert (event.text, event.sender.value, event.media[0].name) == ("hello", "jo@customer.example", "a")
    forged = request(json.dumps({**known, "body-plain": "pay 500"}).encode(), "application/json")
    assert refused(ours, forged) == "used_token"
    assert refused(ours, request(b'{"body-plain": "hello"}', "application/json")) == "missing_signature"


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/x", "https://mailgun.net.evil.example/x", "http://api.mailgun.net/x", "https://mailgun.net@evil.example/", ""],
)
def test_files_elsewhere_are_not_named(url: str) -> None:
    left = json.dumps([{"url": url, "name": "a.exe"}, "b", 7])
    (event,) = adapter().parse(form(parsed_form("hello", attachments=left)))
    assert isinstance(event, InboundMessage)
    assert event.media == ()


def test_the_header_of_a_mail_is_no_report() -> None:
    for more in ({"event": "complained"}, {"event": "bounced", "code": "550"}, {"event": "delivered", "parley": "x"}):
        (event,) = adapter().parse(form(parsed_form("hello", **more)))
        assert isinstance(event, InboundMessage)


def test_a_long_form_is_not_taken_apart_before_its_signature_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    unescape = multipart_forms.unquote_to_bytes

    def counted(text: bytes) -> bytes:
        taken.append(len(text))
        return unescape(text)

    monkeypatch.setattr(multipart_forms, "unquote_to_bytes", counted)
    long = replace(form({}), body=b"body-plain=" + b"%41" * 1_000_000)
    assert refused(adapter(), by("forged")(long)) == "bad_signature"
    assert sum(taken) < 10_000
    what = by(NEW)(long)
    ours = adapter()
    ours.authenticate(what)
    (event,) = ours.parse(what)
    assert isinstance(event, InboundMessage)
    assert event.text.startswith("AAAA")
    assert max(taken) <= 65_536
