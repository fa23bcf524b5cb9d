"""Who writes a raw mail: strangers, machines, and what a sender can pretend."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.letters import LOOP_ANSWERS
from core.model.address import Address, AddressKind, Strength
from core.model.dialog import Advanced
from core.model.ids import ChannelId
from core.model.mail_ids import thread_address
from core.model.outbound import Reply
from core.routing import reach, speak, work
from core.routing.refused import Refused
from core.store import letters as letters_store
from tests.channels.email.subject import mail
from tests.core.mail.conftest import ANNA, BEN, EVE, SUPPORT, Post, last_sent
from tests.core.routing.people import add_agent, new_id


@pytest.mark.parametrize(
    "forged",
    [
        {"recipients": "token"},
        {"In-Reply-To": "<m1@customer.example>"},
        {"References": "<x@evil.example> <m1@customer.example>"},
        {"Subject": "Re: Question 1"},
        {"To": "token"},
    ],
    ids=["token", "in reply to", "references", "subject", "token in the header"],
)
def test_a_stranger_never_lands_in_the_conversation_of_another(post: Post, forged: dict[str, str]) -> None:
    post.write(ANNA, "my secret is 42")
    given = {name: thread_address(SUPPORT, post.thread_of(0)) if value == "token" else value for name, value in forged.items()}
    outcome = post.write(EVE, "go on", **given)  # type: ignore[arg-type]
    assert post.conversations() == 2
    assert post.thread_of(1) != post.thread_of(0)
    (conversation,) = post.rows("select conversation_id from letter where address = ?", ANNA)[0]
    assert outcome.conversation_id != conversation
    strangers = post.rows("select conversation_id from event where kind = 'mail.stranger'")
    assert strangers == ([] if "Subject" in forged else [(outcome.conversation_id,)])
    answer = last_sent(post)
    assert answer.recipient.value == EVE
    assert answer.letter is not None
    assert answer.letter.token == post.thread_of(1)


def test_the_check_of_who_takes_part_is_missed_when_it_is_gone(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters_store, "takes_part", lambda *_: True)
    with pytest.raises(AssertionError):
        test_a_stranger_never_lands_in_the_conversation_of_another(post, {"recipients": "token"})


def test_a_stranger_cannot_push_a_thread_out_by_naming_its_mails_often(post: Post) -> None:
    post.write(ANNA)
    for number in range(30):
        post.write(f"eve{number}@evil.example", References="<m1@customer.example>", **{"Message-ID": "<m1@customer.example>"})
    post.write(ANNA, Subject="x", References="<m1@customer.example>")
    (threads,) = post.rows("select count(distinct thread) from letter where address = ?", ANNA)[0]
    assert threads == 1


def test_whoever_was_written_to_as_well_may_go_on_but_a_person_reads_it(post: Post) -> None:
    post.write(ANNA, Cc=f"{BEN}, {SUPPORT}")
    told = len(post.dialog.told)
    outcome = post.write(BEN, "I know more", References="<m1@customer.example>")
    assert len(post.dialog.told) == told
    (anna,) = post.rows("select conversation_id, address from letter where address = ? and direction = 'inbound'", ANNA)
    assert outcome.conversation_id == anna[0]
    assert post.rows("select address, author, text from message where address = ?", BEN) == [(BEN, "customer", "I know more")]
    assert post.rows("select reason, state from work_item") == [("mail_guest", "waiting")]
    assert post.rows("select value from contact_medium") == [(ANNA,)]
    ways = post.store.read_sync(lambda tx: reach.targets(tx, post.channels, anna[0]))
    assert {way.address.value: way.problem for way in ways} == {ANNA: None, BEN: "guest"}


def test_who_made_themself_a_guest_by_a_forged_mail_is_never_written_to(post: Post) -> None:
    """Eve pretends to be Anna, adds herself, and asks on in Anna's thread; an agent answers there."""
    post.write(ANNA, "my secret is 42")
    post.write(ANNA, "please copy my colleague", Subject="Re: Question 1", Cc=EVE, **{"Message-ID": "<forged@evil.example>"})
    post.send()
    outcome = post.write(EVE, "what was the secret?", References="<forged@evil.example>")
    agent = post.store.write_sync(lambda tx: add_agent(tx, "susan"))
    (item,) = post.rows("select id from work_item where conversation_id = ?", outcome.conversation_id)
    post.store.write_sync(lambda tx: work.claim(tx, item[0], agent, post.now))
    ways = post.store.read_sync(lambda tx: reach.targets(tx, post.channels, outcome.conversation_id))
    assert {way.address.value: way.problem for way in ways} == {EVE: "guest", ANNA: None}

    def say(target: str | None) -> None:
        post.store.write_sync(
            lambda tx: speak.reply(
                tx,
                post.channels,
                outcome.conversation_id,
                agent,
                "It is 42.",
                against_seq=1_000,
                cause=new_id(),
                at=post.now,
                target=target,
            )
        )

    with pytest.raises(Refused) as refused:
        say(f"mail|email:{EVE}")
    assert (refused.value.code, refused.value.details["problem"]) == ("no_channel", "guest")
    say(None)
    (sent,) = post.send()
    assert sent.recipient.value == ANNA
    assert sent.letter is not None
    assert (sent.letter.cc, sent.letter.to) == ((), ())
    assert post.rows("select distinct recipient from outbox") == [(ANNA,)]


def test_one_mail_to_two_of_our_mailboxes_is_answered_by_the_first(post: Post) -> None:
    sales = replace(post.channels["mail"], id=ChannelId("sales"), address=Address(AddressKind.EMAIL, "sales@operator.example"))
    post.channels["sales"] = sales
    raw = mail(
        "hello", **{"From": ANNA, "To": f"{SUPPORT}, {sales.address.value}", "Subject": "Both", "Message-ID": "<both@customer.example>"}
    )
    post.dialog.then(Advanced({"n": 1}, (Reply("Answer."),)))
    first = post.deliver(raw)
    second = post.deliver(b"Received: by another.example\r\n" + raw, channel="sales", recipients=sales.address.value)
    assert not second.duplicate
    assert post.rows("select channel_id, author from message where direction = 'inbound' order by seq") == [
        ("mail", "customer"),
        ("sales", "customer"),
    ]
    assert [message.sender.value for message in post.send()] == [SUPPORT]
    assert post.rows("select count(*) from work_item") == [(0,)]
    ((body,),) = post.rows("select body from event where kind = 'mail.copy'")
    (message_id,) = post.rows("select id from message where channel_id = 'mail' and direction = 'inbound'")[0]
    assert json.loads(body) == {"of": message_id}
    assert first.conversation_id == second.conversation_id
    post.dialog.then(Advanced({"n": 1}, (Reply("Another answer."),)))
    post.deliver(raw.replace(b"hello", b"something else"), channel="sales", recipients=sales.address.value)
    assert [message.sender.value for message in post.send()] == ["sales@operator.example"], "an id alone makes no copy"


@pytest.mark.parametrize(
    ("fields", "sender"),
    [
        ({"Auto-Submitted": "auto-replied"}, ANNA),
        ({"Precedence": "bulk"}, ANNA),
        ({"List-Id": "<news.example>"}, ANNA),
        ({"Subject": "Out of office: Automatic reply"}, ""),
        ({"From": "noreply@shop.example"}, "noreply@shop.example"),
        ({"From": SUPPORT}, SUPPORT),
        ({"From": "MAILER-DAEMON@relay.example", "Subject": "Undelivered Mail Returned to Sender"}, ""),
    ],
)
def test_what_a_machine_wrote_is_recorded_and_never_answered(post: Post, fields: dict[str, str], sender: str) -> None:
    post.deliver(mail("I am a machine", **{"From": ANNA, **fields}), sender=sender)
    assert post.dialog.told == []
    assert post.rows("select author, text from message") == [("system", "I am a machine")]
    assert post.rows("select count(*) from outbox") == [(0,)]
    assert post.rows("select count(*) from work_item") == [(0,)]
    assert post.rows("select automatic <> '' from letter") == [(1,)]


def test_two_machines_that_look_like_persons_stop_talking(post: Post) -> None:
    for _ in range(LOOP_ANSWERS):
        post.now -= 59_000  # one a second
        post.write(ANNA)
    told = len(post.dialog.told)
    post.write(ANNA)
    assert len(post.dialog.told) == told == LOOP_ANSWERS
    assert post.rows("select reason from work_item") == [("mail_loop",)]


SPOOFS: dict[str, tuple[bytes, str]] = {
    "the name is another address": (b"From: anna@customer.example <eve@evil.example>\r\n", EVE),
    "a quoted name with an address": (b'From: "Anna <anna@customer.example>" <eve@evil.example>\r\n', EVE),
    "two From fields": (b"From: eve@evil.example\r\nFrom: anna@customer.example\r\n", EVE),
    "two addresses in one From": (b"From: eve@evil.example, anna@customer.example\r\n", EVE),
    "another Sender": (b"From: eve@evil.example\r\nSender: anna@customer.example\r\n", EVE),
    "an encoded From": (b"From: =?utf-8?q?anna=40customer=2Eexample?= <eve@evil.example>\r\n", EVE),
    "a look-alike in another script": ("From: anna@сustomer.example\r\n".encode(), "anna@xn--ustomer-xjg.example"),
    "a group": (b"From: anna@customer.example:eve@evil.example;\r\n", EVE),
    "a comment": (b"From: eve@evil.example (anna@customer.example)\r\n", EVE),
    "no From": (b"Reply-To: anna@customer.example\r\n", EVE),
    "checks that it claims to have passed": (
        b"From: eve@evil.example\r\nAuthentication-Results: mx.operator.example; dmarc=pass header.from=customer.example\r\n",
        EVE,
    ),
    "a way that it claims to have come": (
        b"Received: from customer.example by mx.operator.example\r\nX-Original-From: anna@customer.example\r\nFrom: eve@evil.example\r\n",
        EVE,
    ),
    "the very address": (b"From: anna@customer.example\r\nDKIM-Signature: v=1; d=customer.example; b=x\r\n", ANNA),
}


@pytest.mark.parametrize("name", SPOOFS)
def test_a_sender_is_only_claimed_whatever_the_header_says(post: Post, name: str) -> None:
    head, wanted = SPOOFS[name]
    post.write(ANNA, "my secret is 42")
    post.dialog.then(Advanced({"n": 1}, (Reply("Answer."),)))
    post.deliver(head + b"Subject: Re: Question 1\r\nIn-Reply-To: <m1@customer.example>\r\n\r\nbalance\r\n", sender=EVE)
    _, context = post.dialog.told[-1]
    assert context.trust is Strength.CLAIMED
    (heard,) = post.rows("select address, conversation_id from message where text = 'balance'")
    assert heard[0] == wanted
    assert (heard[1] == post.rows("select conversation_id from letter where address = ?", ANNA)[0][0]) is (wanted == ANNA)


@pytest.mark.parametrize("token", ["0" * 20, "f" * 20, "+", "' or 1=1 --"])
def test_a_made_up_token_is_no_thread(post: Post, token: str) -> None:
    post.write(ANNA)
    post.write(ANNA, recipients=f"support+{token}@operator.example")
    assert post.thread_of(1) != post.thread_of(0)
    assert post.rows("select count(*) from event where kind = 'mail.stranger'") == [(0,)]
