"""Web chat beyond conformance: which pages are believed, what the window can do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from channels import tokens
from channels.webchat import Settings, make
from core.model.capabilities import ChoiceStyle
from core.model.ids import ChannelId
from core.model.inbound import AuthenticationFailed, ContactSignal, InboundMessage, UnreadableRequest
from tests.channels.webchat.subject import HERE, NEW, NOW, SUBJECT
from tests.conformance.subject import NOWHERE, PUBLIC_URL, with_header


def test_the_gateways_own_pages_are_believed_where_the_settings_say_so() -> None:
    request = with_header(SUBJECT.authentic(SUBJECT.says("hi", {})), "origin", "https://gateway.example")
    SUBJECT.make(NOWHERE).authenticate(request)
    strict = make(ChannelId("web"), HERE, Settings(origins=("https://shop.example",), keys=(NEW,)), PUBLIC_URL, "KE")
    with pytest.raises(AuthenticationFailed, match="unknown_origin"):
        strict.authenticate(request)


def test_messages_of_two_visitors_never_share_an_id() -> None:
    ids = set()
    for visitor in ("v1", "v2"):
        request = with_header(SUBJECT.says("hi", {}), "x-parley-visitor", tokens.make(NEW, visitor, NOW + 1))
        (event,) = SUBJECT.make(NOWHERE).parse(request)
        assert isinstance(event, InboundMessage)
        assert (event.sender.value, event.recipient) == (visitor, HERE)
        ids.add(event.external_id)
    assert len(ids) == 2


def test_a_visitor_who_joins_is_one_event_however_often_the_window_says_so() -> None:
    frame = with_header(SUBJECT.says("hi", {}), "x-parley-visitor", tokens.make(NEW, "v1", NOW + 1))
    first = replace(frame, body=b'{"type": "joined", "id": "j1", "language": "sw"}')
    later, other = replace(first, received_at=first.received_at + 5_000), replace(first, body=b'{"type": "joined", "id": "j2"}')
    events = [event for request in (first, later, other) for event in SUBJECT.make(NOWHERE).parse(request)]
    assert [event.external_id for event in events if isinstance(event, ContactSignal)] == ["v1:joined:j1", "v1:joined:j1", "v1:joined:j2"]
    with pytest.raises(UnreadableRequest, match="bad_id"):
        SUBJECT.make(NOWHERE).parse(replace(first, body=b'{"type": "joined", "id": "a:b"}'))


def test_what_the_window_can_do() -> None:
    can = SUBJECT.make(NOWHERE).capabilities
    assert (can.pulled, can.choices, can.inline_reply) == (True, ChoiceStyle.BUTTONS, False)


def test_a_chat_without_a_key_is_not_made() -> None:
    with pytest.raises(ValueError, match="key"):
        make(ChannelId("web"), HERE, Settings(origins=("own",)), PUBLIC_URL, "KE")
    with pytest.raises(ValueError, match="16 characters"):
        Settings(origins=("own",), keys=("short",))
    with pytest.raises(ValueError, match="origins"):
        Settings(origins=(), keys=(NEW,))
