"""Postmark beyond conformance: names that look like addresses, contents that are none, what is asked of its relay."""

from __future__ import annotations

import pytest

from channels.email_postmark import EmailPostmark
from core.model.inbound import DeliveryReport, InboundMessage
from tests.channels.email_postmark.subject import adapter, inbound, posted, settings
from tests.channels.mail.posted import MESSAGE


def said(ours: EmailPostmark, **changed: object) -> InboundMessage:
    (event,) = ours.parse(posted(inbound("hello", **changed)))
    assert isinstance(event, InboundMessage)
    return event


@pytest.mark.parametrize(
    "name", ["Eve <eve@evil.example>, x", '"Eve" <eve@evil.example>', "eve@evil.example", "a\r\nFrom: eve@evil.example"]
)
def test_a_name_is_no_address(name: str) -> None:
    event = said(adapter(), FromFull={"Email": "jo@customer.example", "Name": name}, Headers=[])
    assert event.sender.value == "jo@customer.example"


def test_odd_members_do_not_cost_the_mail() -> None:
    odd: dict[str, object] = {"Headers": [1, {}, {"Name": "From", "Value": 2}], "Attachments": [{"Name": 1}, {"Content": "%%%"}, "x"]}
    event = said(adapter(), **odd, ToFull="x", CcFull=None, HtmlBody=3)
    assert (event.text, len(event.media)) == ("hello", 2)


def test_a_wish_to_hear_no_more_is_no_fault_of_the_address() -> None:
    (event,) = adapter().parse(posted({"RecordType": "Bounce", "Type": "Unsubscribe", "Email": "jo@customer.example", "Metadata": {}}))
    assert isinstance(event, DeliveryReport)
    assert (event.verdict, event.message_id) == ("opted_out", None)


def test_our_ids_are_kept_and_repeated() -> None:
    assert adapter().headers(MESSAGE) == {"X-PM-KeepID": "true", "X-PM-Metadata-parley": MESSAGE.id}


def test_settings_that_cannot_work() -> None:
    for wrong in ({"basic": ()}, {"basic": ("user",)}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            settings(**wrong)
