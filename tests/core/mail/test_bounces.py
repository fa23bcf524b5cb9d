"""Mails of ours that come back, and complaints about them: what they mark, and what they must not."""

from __future__ import annotations

import pytest

from core.model.address import Address, AddressKind
from core.model.inbound import DeliveryReport
from core.model.mail_ids import message_id_of
from core.model.outbound import DeliveryStatus, OutboundMessage
from core.receipts import report
from core.routing import reach
from tests.core.mail.conftest import ANNA, BEN, Post, last_sent


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


@pytest.mark.parametrize(
    ("recipient", "status"), [(BEN, "5.1.1"), (ANNA, "5.2.2"), (ANNA, "5.7.1"), (ANNA, "4.4.7"), (ANNA, "5.0.0 mailbox full")]
)
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
