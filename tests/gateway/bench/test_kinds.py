"""The load for each kind of channel is what the kind's own provider would send, and every kind has its line."""

from __future__ import annotations

import pytest

from channels.registry import KINDS as REGISTERED
from channels.registry import load
from core.model.inbound import InboundMessage, RawRequest
from gateway.bench import certificates
from gateway.bench.kinds import KINDS, TABLES, WIRED
from gateway.bench.providers import POSTS, Line

URL = "http://127.0.0.1:9/c/one/secret"
MSISDN = "+254700000007"
# Two have a path with a budget of their own, open windows are measured by their memory, and a terminal is one person's.
ELSEWHERE = {"ussd", "sms_twilio", "webchat", "console"}


def test_every_kind_has_a_path() -> None:
    assert set(KINDS) | ELSEWHERE == set(REGISTERED)
    assert set(POSTS) == set(TABLES)
    assert set(KINDS) == {*TABLES, *WIRED}


@pytest.mark.parametrize("kind", POSTS)
def test_what_is_posted_is_one_message_of_its_number_and_text(kind: str) -> None:
    secret = certificates.make()[0] if kind == "email_ses" else "user:secret"
    line = Line(URL, secret, TABLES[kind][0], "AC0")
    content_type, body, headers = POSTS[kind](line, "17", MSISDN, "menu")
    lower = {"content-type": content_type, **{name.lower(): value for name, value in headers.items()}}
    (event,) = load(kind).parse(RawRequest("POST", URL, lower, body.encode(), 1_767_225_600_000, "127.0.0.1"), "KE")
    assert isinstance(event, InboundMessage)
    assert "17" in event.external_id
    assert MSISDN[1:] in event.sender.value
    assert event.text.startswith("" if kind == "voice_twilio" else "menu")
