"""SendGrid beyond conformance: its published signature vector, character sets as it names them, what stands in for missing headers."""

from __future__ import annotations

import pytest

from channels.email_sendgrid import REPLAY_MS
from core.model.inbound import AuthenticationFailed, InboundMessage, RawRequest, UnreadableRequest
from core.model.outbound import OutboundMessage
from tests.channels.email_sendgrid.subject import SIGNATURE, TIMESTAMP, adapter, parsed_form, settings
from tests.channels.mail.posted import BOUNDARY, MESSAGE, multipart, request

# The test of the event webhook in github.com/sendgrid/sendgrid-python; the line end is part of what is signed.
KEY = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
GIVEN = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
AT_S = 1_600_112_502
BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
    b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)


def published(received_at: int = AT_S * 1_000) -> RawRequest:
    return RawRequest("POST", "", {SIGNATURE: GIVEN, TIMESTAMP: str(AT_S), "content-type": "application/json"}, BODY, received_at)


def test_the_published_signature() -> None:
    ours = adapter(verification_keys=(KEY,), basic=(), sources=())
    ours.authenticate(published())
    for wrong in (BODY[:-2], BODY.replace(b"hello", b"hallo")):
        with pytest.raises(AuthenticationFailed, match="bad_signature"):
            ours.authenticate(RawRequest("POST", "", published().headers, wrong, AT_S * 1_000))
    for at in (-1, 1):
        with pytest.raises(AuthenticationFailed, match="bad_timestamp"):
            ours.authenticate(published(AT_S * 1_000 + at * (REPLAY_MS + 1)))


def test_each_field_has_the_character_set_that_sendgrid_names() -> None:
    fields = parsed_form("", headers="Date: Fri, 24 Jul 2020 16:43:46 UTC\nFrom: =?utf-8?q?Op=C3=A9rateur?= <sender@customer.example>\n")
    sets = '{"to":"UTF-8","html":"iso-8859-1","subject":"cp850","from":"UTF-8","text":"windows-1252"}'
    more = {"subject": b"Como usted pidi\xa2", "text": b"Test the ESP\x92s inbound charset handling\x85", "charsets": sets}
    (event,) = adapter().parse(multipart({**fields, **more, "html": b"<p>\xbfEsto se ve como esperabas?</p>"}))
    assert isinstance(event, InboundMessage)
    assert (event.text, event.profile_name) == ("Test the ESP’s inbound charset handling…", "Opérateur")
    assert event.letter is not None
    assert (event.letter.subject, event.letter.safe_html) == ("Como usted pidió", "<p>¿Esto se ve como esperabas?</p>")


def test_without_headers_the_fields_count() -> None:
    (event,) = adapter().parse(multipart(parsed_form("hi", headers="", subject="Hello", cc="kim@customer.example")))
    assert isinstance(event, InboundMessage)
    assert event.letter is not None
    assert (event.sender.value, event.letter.subject, event.letter.cc) == ("jo@customer.example", "Hello", ("kim@customer.example",))


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("multipart/form-data", b"x", "content_type"),
        (f"multipart/mixed; boundary={BOUNDARY}", b"x", "content_type"),
        (f"multipart/form-data; boundary={BOUNDARY}", b"x", "incomplete"),
        (f"multipart/form-data; boundary={BOUNDARY}", f"--{BOUNDARY}\r\nA: b\r\n\r\nx\r\n--{BOUNDARY}--".encode(), "bad_part"),
        (f"multipart/form-data; boundary={BOUNDARY}", f"\r\n--{BOUNDARY}".encode() * 400, "too_many_fields"),
        ("text/plain", b"x", "content_type"),
    ],
)
def test_forms_that_are_none(content_type: str, body: bytes, code: str) -> None:
    with pytest.raises(UnreadableRequest) as failed:
        adapter().parse(request(body, content_type))
    assert failed.value.code == code


def test_our_id_goes_along() -> None:
    message: OutboundMessage = MESSAGE
    assert adapter().headers(message) == {"X-SMTPAPI": f'{{"unique_args": {{"parley": "{message.id}"}}}}'}


def test_settings_that_cannot_work() -> None:
    for wrong in ({"basic": ("user",)}, {"verification_keys": ("x",)}, {"verification_keys": ("AAAA",)}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            settings(**wrong)
    with pytest.raises(ValueError, match="IPv4"):
        settings(sources=("x",))
