"""Raw mails in threads: who goes on in which, who is a stranger, who is never answered, and what a sender can pretend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from channels.email import Settings, make, parse
from core import dispatch, letters
from core.arrival import Arrival
from core.clock import Clock
from core.letters import LOOP_ANSWERS, RECENT_MS, subject_key
from core.model.address import Address, AddressKind, Strength
from core.model.channel import Channel
from core.model.dialog import Advanced
from core.model.ids import ChannelId
from core.model.inbound import DeliveryReport, InboundMessage
from core.model.mail_ids import message_id_of, message_of, thread_address, token_of, without_token
from core.model.outbound import Author, DeliveryStatus, Letter, OutboundMessage, Reply, SendResult
from core.receipts import report
from core.routing import reach
from core.store import letters as letters_store
from core.store.sqlite import SqliteStore
from core.turn import Turns
from tests.channels.email.subject import mail, request
from tests.core.conftest import NOW, RULES, Played

SUPPORT = "support@operator.example"
HERE = Address(AddressKind.EMAIL, SUPPORT)
ANNA, BEN, EVE = "anna@customer.example", "ben@office.example", "eve@evil.example"
HOUR_MS = 3_600_000


@dataclass
class Post:
    """A mailbox with real threads; the dialog says the same to everybody, and remembers what it was told."""

    store: SqliteStore
    dialog: Played
    channels: dict[str, Channel]
    turns: Turns
    now: int = NOW
    count: int = 0

    def deliver(self, raw: bytes, *, recipients: str = SUPPORT, sender: str | None = None) -> Any:
        """Take in a raw mail as the gateway does; return its one event and what the turn came to."""
        self.now += 60_000
        (event,) = parse(request(raw, recipients, sender if sender is not None else ANNA), "KE")
        if isinstance(event, InboundMessage):
            arrival = Arrival(Clock(now_ms=lambda: self.now).new_id(), self.channels["mail"], self.now, "raw")
            return self.store.write_sync(lambda tx: self.turns.receive(tx, arrival, event))
        assert isinstance(event, DeliveryReport)
        return self.store.write_sync(lambda tx: report(tx, "mail", event, self.now))

    def write(self, sender: str, text: str = "hello", *, recipients: str = SUPPORT, **fields: str) -> Any:
        """Let somebody write."""
        self.count += 1
        known = {"From": sender, "Message-ID": f"<m{self.count}@{sender.rpartition('@')[2]}>", "Subject": f"Question {self.count}"}
        self.dialog.then(Advanced({"n": 1}, (Reply("Answer."),)))
        told = len(self.dialog.told)
        outcome = self.deliver(mail(text, **{**known, **fields}), recipients=recipients, sender=sender)
        if len(self.dialog.told) == told:
            self.dialog.steps.pop()
        return outcome

    def rows(self, sql: str, *args: Any) -> list[Any]:
        return self.store.read_sync(lambda tx: tx.all(sql, args))

    def thread_of(self, number: int) -> str:
        """The thread of the n-th mail that came in."""
        return str(self.rows("select thread from letter where direction = 'inbound' order by created_at limit 1 offset ?", number)[0][0])

    def send(self) -> list[OutboundMessage]:
        """Send what is due, and return it."""
        self.now += 1
        sendings = self.store.write_sync(lambda tx: dispatch.claim(tx, self.channels, self.now, "me", 10, 0))
        for sending in sendings:
            result = SendResult(message_id_of(sending.message.id, "operator.example"))
            self.store.write_sync(lambda tx, one=sending, done=result: dispatch.sent(tx, one, done, self.now))
        return [sending.message for sending in sendings]

    def conversations(self) -> int:
        return int(self.rows("select count(distinct conversation_id) from letter where direction = 'inbound'")[0][0])


@pytest.fixture
def post(store: SqliteStore, played: Played) -> Post:
    adapter = make(ChannelId("mail"), HERE, Settings(smtp_host="relay.example"), "", "KE")
    channel = Channel(ChannelId("mail"), "email", HERE, adapter.capabilities, AddressKind.EMAIL, adapter.acknowledge)
    channels = {"mail": channel}
    return Post(store, played, channels, Turns(played, channels, RULES))


def last_sent(post: Post) -> OutboundMessage:
    return post.send()[-1]


def test_an_answer_names_the_mail_that_it_answers_and_its_thread(post: Post) -> None:
    post.write(ANNA, References="<earlier@customer.example>")
    message = last_sent(post)
    assert message.letter == Letter("m1@customer.example", "Question 1", references=("earlier@customer.example",), token=post.thread_of(0))
    assert message.author is Author.BOT


def test_an_answer_by_mail_is_of_use_for_a_day(post: Post) -> None:
    post.write(ANNA)
    assert post.rows("select expires_at - due_at from outbox") == [(24 * HOUR_MS,)]


def test_a_mail_of_ours_that_answers_none_begins_a_thread(post: Post) -> None:
    post.write(ANNA, **{"Auto-Submitted": "auto-replied"})
    (conversation,) = post.rows("select id from conversation")[0]
    anna = Address(AddressKind.EMAIL, ANNA)
    post.rows("select 1")
    post.store.write_sync(
        lambda tx: letters.file_said(tx, post.channels["mail"], anna, message_id=_message(tx), conversation_id=conversation, at=1)
    )
    (row,) = post.rows("select thread, answers from letter where direction = 'outbound'")
    assert row[1] is None
    assert row[0] != post.thread_of(0)


def _message(tx: Any) -> str:
    """Make a copy of the only message, to be one of ours."""
    tx.execute(
        "insert into message (id, conversation_id, seq, interaction_id, channel_id, address, direction, author, text, status, created_at)"
        " select 'm', conversation_id, 99, interaction_id, channel_id, address, 'outbound', 'agent', 'x', 'queued', 1 from message"
    )
    return "m"


@pytest.mark.parametrize(("subject", "kept"), [("Question", "Question"), ("my pin is 4711", "")])
def test_a_secret_in_a_mail_is_kept_nowhere(post: Post, subject: str, kept: str) -> None:
    post.dialog.then(Advanced({"n": 1}, (Reply("Thanks"),), conceal=True))
    html = "Content-Type: text/html\n\n<p>4711</p><p>--</p><p>Anna 4711</p>"
    text = "4711" if kept else "my pin is 4711"
    body = f"--b\n\n{text}\n\nOn Monday Ben wrote:\n> 4711\n--b\n{html}\n--b--"
    fields = {"From": ANNA, "Subject": subject, "Content-Type": "multipart/alternative; boundary=b", "MIME-Version": "1.0"}
    post.deliver(mail(body, **fields))
    everything = str([post.rows(f"select * from {table}") for table in ("message", "inbound", "letter", "conversation", "event")])
    assert "4711" not in everything
    answer = last_sent(post).letter
    assert answer is not None
    assert answer.subject == kept


def test_a_thread_survives_a_client_that_drops_references_and_changes_the_subject(post: Post) -> None:
    post.write(ANNA)
    token = last_sent(post).letter.token  # type: ignore[union-attr]
    post.write(ANNA, "yes", recipients=thread_address(SUPPORT, token), Subject="Another subject altogether")
    assert post.thread_of(1) == post.thread_of(0) == token


def test_an_answer_is_known_by_the_id_of_our_mail_before_it_is_sent(post: Post) -> None:
    post.write(ANNA)
    (ours,) = post.rows("select mail_id from letter where direction = 'outbound'")[0]
    post.write(ANNA, Subject="Other", **{"In-Reply-To": f"<{ours}>"})
    assert post.thread_of(1) == post.thread_of(0)


def test_a_thread_goes_on_by_mails_that_we_never_saw(post: Post) -> None:
    post.write(ANNA, References="<theirs@customer.example>")
    post.write(ANNA, Subject="Other", References="<theirs@customer.example> <unseen@customer.example>")
    assert post.thread_of(1) == post.thread_of(0)


def test_the_subject_alone_goes_on_for_thirty_days(post: Post) -> None:
    post.write(ANNA, Subject="My bill")
    post.write(ANNA, Subject="RE: AW: Re[2]:  my  BILL")
    post.now += RECENT_MS
    post.write(ANNA, Subject="My bill")
    assert post.thread_of(1) == post.thread_of(0)
    assert post.thread_of(2) != post.thread_of(0)


def test_mails_without_subject_are_no_thread(post: Post) -> None:
    post.write(ANNA, Subject="")
    post.write(ANNA, Subject="")
    assert post.thread_of(1) != post.thread_of(0)


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
    assert {way.address.value: way.problem for way in ways} == {ANNA: None, BEN: "moved"}


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


def test_a_mail_that_came_before_is_not_said_again(post: Post) -> None:
    first = mail("once", Subject="x")
    post.dialog.then(Advanced({"n": 1}, (Reply("Answer."),)))
    post.deliver(first)
    assert post.deliver(b"Received: by another.example\r\n" + first).duplicate
    post.dialog.then(Advanced({"n": 1}, (Reply("Answer."),)))
    assert not post.deliver(first.replace(b"once", b"with the same id")).duplicate


def bounced(post: Post, message: OutboundMessage, recipient: str, status: str = "5.1.1") -> None:
    mail_id = message_id_of(message.id, "operator.example")
    body = (
        f"--b\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: {status}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{mail_id}>\r\n\r\n--b--\r\n"
    )
    head = "From: mailer-daemon@relay.example\r\nSubject: failed\r\nMIME-Version: 1.0\r\n"
    post.deliver(f"{head}Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n{body}".encode(), sender="")


def problem(post: Post) -> str | None:
    (conversation,) = post.rows("select conversation_id from letter")[0]
    (way,) = post.store.read_sync(lambda tx: reach.targets(tx, post.channels, conversation))
    return way.problem


def test_a_bounce_marks_the_address_until_its_owner_writes_again(post: Post) -> None:
    post.write(ANNA)
    message = last_sent(post)
    bounced(post, message, ANNA)
    assert post.rows("select status from message where id = ?", message.id) == [(DeliveryStatus.UNDELIVERED.value,)]
    assert problem(post) == "unreachable"
    assert post.rows("select body from event where kind = 'address.marked'") == [('{"mark":"unreachable"}',)]
    post.write(ANNA)
    assert problem(post) is None


@pytest.mark.parametrize(("recipient", "status"), [(BEN, "5.1.1"), (ANNA, "5.2.2"), (ANNA, "5.7.1")])
def test_a_bounce_of_another_address_or_for_another_reason_marks_nothing(post: Post, recipient: str, status: str) -> None:
    post.write(ANNA)
    message = last_sent(post)
    bounced(post, message, recipient, status)
    assert post.rows("select status from message where id = ?", message.id) == [(DeliveryStatus.UNDELIVERED.value,)]
    assert problem(post) is None


def test_a_complaint_opts_the_address_out_if_it_is_about_a_mail_of_ours(post: Post) -> None:
    post.write(ANNA)
    message = last_sent(post)
    told = DeliveryReport("x", "delivered", message.id, "complaint", recipient=Address(AddressKind.EMAIL, ANNA), verdict="opted_out")
    forged = DeliveryReport("y", "delivered", "0197a5f0-1111-8222-a333-444455556666", recipient=told.recipient, verdict="opted_out")
    post.store.write_sync(lambda tx: report(tx, "mail", forged, post.now))
    assert problem(post) is None
    post.store.write_sync(lambda tx: report(tx, "mail", told, post.now))
    assert problem(post) == "opted_out"


SPOOFS: dict[str, tuple[bytes, str]] = {
    "the name is another address": (b"From: anna@customer.example <eve@evil.example>\r\n", ANNA),
    "a quoted name with an address": (b'From: "Anna <anna@customer.example>" <eve@evil.example>\r\n', EVE),
    "two From fields": (b"From: eve@evil.example\r\nFrom: anna@customer.example\r\n", EVE),
    "another Sender": (b"From: eve@evil.example\r\nSender: anna@customer.example\r\n", EVE),
    "an encoded From": (b"From: =?utf-8?q?anna=40customer=2Eexample?= <eve@evil.example>\r\n", EVE),
    "a look-alike in another script": ("From: anna@сustomer.example\r\n".encode(), "anna@xn--ustomer-xjg.example"),
    "a group": (b"From: anna@customer.example:eve@evil.example;\r\n", ANNA),
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


@pytest.mark.parametrize(
    ("subject", "key"),
    [("Re: Fwd: AW: Bill", "bill"), ("RE[4]: bill", "bill"), ("Réf : x", "réf : x"), ("Re:", ""), ("", ""), ("Reform", "reform")],
)
def test_the_key_of_a_subject(subject: str, key: str) -> None:
    assert subject_key(subject) == key


def test_our_ids_and_addresses() -> None:
    ours = "0197a5f0-1111-8222-a333-444455556666"
    assert message_of(message_id_of(ours, "operator.example")) == ours
    assert message_of(f"{ours}@operator.example") is None
    assert message_of("parley.0197a5f0-1111-7222-a333-444455556666@x.example") is None
    assert token_of(thread_address(SUPPORT, "0" * 20)) == "0" * 20
    assert token_of("support+sales@operator.example") == token_of(SUPPORT) == ""
    assert without_token(thread_address("a+b@x.example", "f" * 20)) == "a+b@x.example"
    assert without_token("a+b@x.example") == "a+b@x.example"
