"""A mail through a list of ours is its author's and is answered; one through anybody else's list is a list's, and so is a newsletter."""

from __future__ import annotations

import pytest

from channels.email_events import events_of, handed_on, incomplete
from channels.mail.model import Kind
from channels.mail.parse import parse
from core.model.inbound import InboundMessage

HELP = "help@operator.example"
SUPPORT = "support@operator.example"
ANNA = "anna@customer.example"
GROUP = {  # as a group of a provider hands mails on
    "Precedence": "list",
    "Mailing-list": f"list {HELP}; contact help+owners@operator.example",
    "List-ID": "<help.operator.example>",
    "List-Post": f"<https://groups.provider.example/a/group/help/post>, <mailto:{HELP}>",
    "List-Help": "<https://provider.example/help>, <mailto:help+help@operator.example>",
    "List-Unsubscribe": "<mailto:unsubscribe@provider.example>",
}
MAILMAN = {"Precedence": "list", "List-Id": f"Our help <{HELP.replace('@', '.')}>", "List-Post": f"<mailto:{HELP}>", "X-BeenThere": HELP}
REWRITTEN = {
    "From": f"'Anna' via Help <{HELP}>",
    "Reply-To": f"Anna <{ANNA}>",
    "X-Original-Sender": ANNA,
    "X-Original-From": f"Anna <{ANNA}>",
}


def mail(*among: dict[str, str], text: str = "My phone has no signal.", **more: str) -> bytes:
    known = {"From": f"Anna <{ANNA}>", "To": HELP, "Subject": "No signal", "Message-ID": "<a1@customer.example>"}
    for fields in (*among, more):
        known |= fields
    return ("".join(f"{name}: {value}\r\n" for name, value in known.items() if value) + f"\r\n{text}\r\n").encode()


def heard(raw: bytes, *ours: str, sender: str | None = "bounces@provider.example") -> InboundMessage:
    """Return what a mail means to who has these addresses."""
    (event,) = events_of(parse(raw), sender=sender, recipients=(SUPPORT,), raw=raw)
    event = handed_on(event, ours or (SUPPORT, HELP))
    assert isinstance(event, InboundMessage)
    return event


def automatic(message: InboundMessage) -> str:
    assert message.letter is not None
    return message.letter.automatic


@pytest.mark.parametrize(
    "fields", [GROUP, MAILMAN, {"List-Id": "<help.operator.example>"}, {"X-Mailing-List": HELP}, {"Mailing-List": f"list {HELP}"}]
)
def test_a_mail_through_a_list_of_ours_is_its_authors(fields: dict[str, str]) -> None:
    raw = mail(fields)
    assert parse(raw).kind is Kind.LIST
    message = heard(raw)
    assert (message.sender.value, automatic(message)) == (ANNA, "")
    assert automatic(heard(raw, SUPPORT)) == "list"


@pytest.mark.parametrize("left_out", ["", "X-Original-From", "Reply-To"])
def test_the_author_is_found_where_the_list_has_put_its_own_address(left_out: str) -> None:
    message = heard(mail(GROUP, {name: value for name, value in REWRITTEN.items() if name != left_out}))
    assert (message.sender.value, message.profile_name, automatic(message)) == (ANNA, "Anna", "")


def test_a_list_that_names_itself_by_its_id_only_tells_the_author_too() -> None:
    message = heard(mail({"List-Id": "Help <help.operator.example>"}, REWRITTEN))
    assert (message.sender.value, automatic(message)) == (ANNA, "")


def test_an_author_who_writes_from_elsewhere_is_whom_from_names() -> None:
    assert heard(mail(GROUP, {"Reply-To": "eve@evil.example"})).sender.value == ANNA


def test_a_list_that_does_not_tell_the_author_is_not_answered() -> None:
    message = heard(mail(GROUP, {"From": f"Help <{HELP}>"}))
    assert (message.sender.value, automatic(message)) == (HELP, "list")


def test_nobodys_list_but_ours_is_believed_who_wrote() -> None:
    theirs = "list@evil.example"
    message = heard(mail(GROUP, REWRITTEN, {"From": theirs, "List-Post": f"<mailto:{theirs}>"}))
    assert (message.sender.value, automatic(message)) == (theirs, "list")


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"List-Id": "<users.lists.example>", "List-Post": "<mailto:users@lists.example>"}, id="foreign"),
        pytest.param({"List-Id": "<users.lists.example>", "X-BeenThere": HELP}, id="foreign before ours"),
        pytest.param({**GROUP, "X-Mailing-List": "users@lists.example"}, id="ours and a foreign one"),
        pytest.param({"List-Id": "<help.operator.example.evil.example>"}, id="a longer name"),
        pytest.param({"List-Id": "<announce.operator.example>"}, id="another list of our domain"),
        pytest.param({"List-Unsubscribe": "<https://shop.example/u>"}, id="nameless"),
        pytest.param({"Precedence": "bulk"}, id="bulk"),
        pytest.param({**GROUP, "X-CampaignId": "7"}, id="newsletter to the group"),
        pytest.param({**GROUP, "Auto-Submitted": "auto-generated"}, id="program to the group"),
        pytest.param({**GROUP, "Auto-Submitted": "auto-replied"}, id="absence note to the group"),
        pytest.param(
            {**GROUP, **REWRITTEN, "X-Original-From": "no-reply@shop.example", "Reply-To": "no-reply@shop.example"}, id="nobody reads"
        ),
        pytest.param({**GROUP, "From": SUPPORT}, id="ourselves"),
    ],
)
def test_what_came_through_another_list_or_from_a_machine_is_not_answered(fields: dict[str, str]) -> None:
    assert automatic(heard(mail(fields))) in {"list", "auto_reply"}


def test_a_newsletter_that_a_list_hands_on_has_two_ways_to_leave() -> None:
    raw = mail(GROUP).replace(b"List-Unsubscribe:", b"List-Unsubscribe: <https://shop.example/u>\r\nList-Unsubscribe:")
    assert automatic(heard(raw)) == "list"


def test_a_mail_without_a_sender_in_the_envelope_is_not_answered() -> None:
    assert automatic(heard(mail(GROUP), sender="")) == "list"


def test_who_writes_to_us_directly_is_a_person_and_lists_claim_nothing() -> None:
    message = heard(mail())
    assert message.letter is not None
    assert (message.letter.automatic, message.letter.through) == ("", ())


def test_a_mail_that_is_too_large_to_read_is_looked_at_by_a_person_if_a_person_may_have_written_it() -> None:
    for fields, meant in (
        (GROUP, "unreadable"),
        (GROUP | REWRITTEN, "unreadable"),
        ({}, "unreadable"),
        ({"Auto-Submitted": "auto-replied"}, "auto_reply"),
    ):
        raw = mail(fields)
        (event,) = incomplete(events_of(parse(raw), sender=ANNA, recipients=(SUPPORT,), raw=raw), "too large")
        event = handed_on(event, (SUPPORT, HELP))
        assert isinstance(event, InboundMessage)
        assert (event.sender.value, automatic(event)) == (ANNA, meant)
