"""USSD beyond conformance: screens, sessions, and how a repeated request is recognised."""

from __future__ import annotations

from dataclasses import replace

import pytest

from channels.ussd import Settings, Ussd, make
from core.model.address import Address, AddressKind, Strength
from core.model.ids import ChannelId
from core.model.inbound import InboundMessage, Session, UnreadableRequest
from core.model.outbound import Answer
from core.text.segments import septets
from tests.channels.ussd.subject import HERE, SUBJECT
from tests.conformance.subject import PUBLIC_URL, saying


def adapter(**settings: object) -> Ussd:
    return make(ChannelId("ussd"), HERE, Settings(**settings), PUBLIC_URL, "KE")  # type: ignore[arg-type]


def message(text: str) -> InboundMessage:
    (event,) = adapter().parse(SUBJECT.says(text, {}))
    assert isinstance(event, InboundMessage)
    return event


def screen(*texts: str, ends: bool = False) -> bytes:
    return adapter().acknowledge([saying(SUBJECT.message, text, ends_session=ends) for text in texts]).body


def test_screens() -> None:
    assert screen("1 Balance\n2 Top up") == b"CON 1 Balance\n2 Top up"
    assert screen("Thank you", ends=True) == b"END Thank you"
    assert screen("Saved.", "1 Balance") == b"CON Saved.\n1 Balance"
    assert adapter().acknowledge([]) == Answer(body=b"END ")


def test_one_reply_that_ends_the_session_ends_it() -> None:
    replies = [saying(SUBJECT.message, "Done.", ends_session=True), saying(SUBJECT.message, "Bye")]
    assert adapter().acknowledge(replies).body == b"END Done.\nBye"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x" * 182, "x" * 182),
        ("x" * 183, "x" * 179 + "..."),
        ("€" * 92, "€" * 89 + "..."),
        ("“ok” – it’s 5…", '"ok" - it\'s 5...'),
        ("م" * 80, "م" * 80),
        ("م" * 81, "م" * 77 + "..."),
        ("a\x00b\x1b", "ab"),
    ],
)
def test_a_screen_is_never_longer_than_the_network_takes(text: str, shown: str) -> None:
    answer = screen(text).decode().removeprefix("CON ")
    assert answer == shown
    length = septets(answer)
    assert (length or 0) <= 182
    assert length is not None or len(answer) <= 80


def test_a_repeated_request_has_the_same_id_and_another_input_has_not() -> None:
    ids = [message(text).external_id for text in ("", "1", "1*2", "1*2", "12", "1*2*")]
    assert ids[2] == ids[3]
    assert len(set(ids)) == 5
    other = SUBJECT.says("1", {})
    (event,) = adapter().parse(replace(other, body=other.body.replace(b"ATUid_1", b"ATUid_2")))
    assert isinstance(event, InboundMessage)
    assert event.external_id != ids[1]


def test_sessions() -> None:
    first, later = message(""), message("1*50")
    assert (first.session, first.session_id, first.cumulative) == (Session.NEW, "ATUid_1", True)
    assert (later.session, later.text) == (Session.RESUME, "1*50")
    assert first.sender == Address(AddressKind.MSISDN, "+254711000111")


def test_what_the_channel_can_do_follows_the_settings() -> None:
    can = adapter(screen_budget_chars=120, answer_deadline_s=7.5).capabilities
    assert (can.text_budget_chars, can.text_max_chars, can.answer_deadline_s) == (120, 182, 7.5)
    assert can.sender_strength is Strength.NETWORK
    assert not can.outbound


@pytest.mark.parametrize("remote", ["196.216.1.9", "2001:db8::1"])
def test_any_source_is_fine_without_a_list(remote: str) -> None:
    adapter().authenticate(replace(SUBJECT.says("", {}), remote=remote))


def test_a_body_that_cannot_be_read_is_kept_rather_than_refused() -> None:
    request = replace(SUBJECT.says("", {}), body=b"text=%FF")
    adapter().authenticate(request)
    with pytest.raises(UnreadableRequest, match="encoding"):
        adapter().parse(request)


def test_the_address_is_a_service_code() -> None:
    with pytest.raises(ValueError, match="service code"):
        make(ChannelId("ussd"), Address(AddressKind.MSISDN, "+254711082000"), Settings(), PUBLIC_URL, "KE")
