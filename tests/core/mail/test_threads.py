"""Raw mails in threads: who goes on in which, and what an answer names."""

from __future__ import annotations

from typing import Any

import pytest

from core import letters
from core.letters import RECENT_MS, subject_key
from core.model.address import Address, AddressKind
from core.model.dialog import Advanced
from core.model.mail_ids import message_id_of, message_of, thread_address, token_of, without_token
from core.model.outbound import Author, Letter, Reply
from tests.channels.email.subject import mail
from tests.core.mail.conftest import ANNA, HOUR_MS, SUPPORT, Post, last_sent


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


def test_a_mail_that_came_before_is_not_said_again(post: Post) -> None:
    first = mail("once", Subject="x")
    post.dialog.then(Advanced({"n": 1}, (Reply("Answer."),)))
    post.deliver(first)
    assert post.deliver(b"Received: by another.example\r\n" + first).duplicate
    post.dialog.then(Advanced({"n": 1}, (Reply("Answer."),)))
    assert not post.deliver(first.replace(b"once", b"with the same id")).duplicate


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
