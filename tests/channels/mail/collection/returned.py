"""Mails that servers return, in the forms of the servers that write them: with a status, as letters, and late."""

# ruff: noqa: E501 - samples stand as they arrive

from __future__ import annotations

_HEAD = "From: {sender}\nTo: support@operator.example\nSubject: {subject}\nDate: Mon, 03 Mar 2025 10:02:00 +0100\nMessage-ID: <m-1@server.example>\n"
_REPORT = """MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain; charset=utf-8

{letter}

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.server.example
Arrival-Date: Mon, 03 Mar 2025 10:01:00 +0100

Final-Recipient: rfc822; {address}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {code}

--b
Content-Type: message/rfc822

From: support@operator.example
To: {address}
Subject: Your question
Message-ID: <sent-7@operator.example>

Dear customer

--b--
"""
_GONE = "anna@customer.example"


def head(sender: str, subject: str, *more: str) -> str:
    return _HEAD.format(sender=sender, subject=subject) + "".join(f"{line}\n" for line in more)


def report(action: str = "failed", status: str = "5.1.1", code: str = "550 5.1.1 no such user", letter: str = "It failed.") -> str:
    return _REPORT.format(action=action, status=status, code=code, letter=letter, address=_GONE)


DAEMON = "Mail Delivery System <MAILER-DAEMON@mx.server.example>"
BOUNCES: dict[str, tuple[str, str, bool]] = {  # mail, status, permanent
    "postfix": (
        head(DAEMON, "Undelivered Mail Returned to Sender", "Return-Path: <>", "Auto-Submitted: auto-replied") + report(),
        "5.1.1",
        True,
    ),
    "postfix-delay": (
        head(DAEMON, "Delayed Mail (still being retried)", "Auto-Submitted: auto-replied")
        + report("delayed", "4.4.1", "connect timed out"),
        "4.4.1",
        False,
    ),
    "exchange-online": (
        head("postmaster@outlook.example", "Undeliverable: Your question", "Auto-Submitted: auto-replied")
        + report("failed", "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound"),
        "5.1.10",
        True,
    ),
    "exchange-german": (
        head("Microsoft Outlook <postmaster@outlook.example>", "Unzustellbar: Ihre Frage") + report("failed", "5.0.0", "550 5.7.1 blocked"),
        "5.7.1",
        True,
    ),
    "gmail": (
        head(
            "Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
            "Delivery Status Notification (Failure)",
            "X-Failed-Recipients: anna@customer.example",
        )
        + report("failed", "5.2.1", "550-5.2.1 The email account is disabled"),
        "5.2.1",
        True,
    ),
    "full": (
        head(DAEMON, "Returned mail: see transcript for details") + report("failed", "5.2.2", "552 5.2.2 mailbox full"),
        "5.2.2",
        True,
    ),
    "null-sender": (head(DAEMON, "failure", "Return-Path: <>") + report(), "5.1.1", True),
    "qmail": (
        head("MAILER-DAEMON@mx.server.example", "failure notice", "Return-Path: <>")
        + "\nHi. This is the qmail-send program at mx.server.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n<anna@customer.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\n"
        "Return-Path: <support@operator.example>\nMessage-ID: <sent-7@operator.example>\n",
        "5.1.1",
        True,
    ),
    "exim": (
        head(
            "Mail Delivery System <Mailer-Daemon@mx.server.example>",
            "Mail delivery failed: returning message to sender",
            "X-Failed-Recipients: anna@customer.example",
            "Auto-Submitted: auto-replied",
        )
        + "\nThis message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n"
        "  anna@customer.example\n    SMTP error from remote mail server after RCPT TO:<anna@customer.example>:\n    550 5.1.1 user unknown\n\n------ This is a copy of the message, including all the headers. ------\n\nMessage-ID: <sent-7@operator.example>\n",
        "5.1.1",
        True,
    ),
    "exchange-old": (
        head("System Administrator <postmaster@customer.example>", "Undeliverable: Your question")
        + "\nYour message did not reach some or all of the intended recipients.\n\n      Subject:\tYour question\n\nThe following recipient(s) could not be reached:\n\n"
        "      anna@customer.example on 3/3/2025 10:01 AM\n            The e-mail account does not exist at the organization this message was sent to.\n            <mx.customer.example #5.1.1>\n",
        "5.1.1",
        True,
    ),
    "postfix-text": (
        head(DAEMON, "Undelivered Mail Returned to Sender")
        + "\nThis is the mail system at host mx.server.example.\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients.\n\n"
        "<anna@customer.example>: host mx.customer.example[192.0.2.1] said: 550 5.1.1\n    <anna@customer.example>: Recipient address rejected: User unknown\n",
        "5.1.1",
        True,
    ),
    "no-status": (
        head("postmaster@customer.example", "Delivery failure")
        + "\nYour message could not be delivered.\n\nanna@customer.example: mailbox is full\n",
        "5.2.2",
        True,
    ),
    "code-only": (
        head("MAILER-DAEMON@mx.server.example", "Returned mail: User unknown")
        + "\n   ----- The following addresses had permanent fatal errors -----\n<anna@customer.example>\n\n   ----- Transcript of session follows -----\n550 anna@customer.example... User unknown\n",
        "5.1.1",
        True,
    ),
    "sent-as-its-recipient": (
        head("relay.example", "Undelivered Mail Returned to Sender", 'Content-Type: multipart/mixed; boundary="b"').replace(
            "support@operator", "anna@customer"
        )
        + "\n--b\n\nAn error occurred while trying to deliver the mail to the following recipients:\nanna@customer.example\n\nStatus: 5.1.1\n"
        "--b\nContent-Type: message/rfc822\n\nFrom: support@operator.example\nTo: anna@customer.example\nMessage-ID: <sent-7@operator.example>\n\nHi\n--b--\n",
        "5.1.1",
        True,
    ),
    "code-for-status": (head(DAEMON, "Undelivered Mail") + report("failed", "550", "5.2.1 the account is disabled"), "5.2.1", True),
    "answers": (
        head("Postmaster@customer.example", "系统退信", "In-Reply-To: <sent-7@operator.example>")
        + "\n抱歉，您的邮件被退回来了。\n\n收件人 anna@customer.example\n\nSMTP error, RCPT TO: Host customer.example said 550 No such user here\n",
        "5.1.1",
        True,
    ),
    # No status part, and in some no server by name: letters of filters, gateways and old servers, in the forms of public bounce collections.
    "filter-smtp": (
        head("imss@customer.example", "Mail could not be delivered", 'Content-Type: multipart/mixed; boundary="b"')
        + "\n--b\n\n****** Message from the filter ******\n\nSent <<< RCPT TO:<anna@customer.example>\nReceived >>> 550 5.1.1 unknown user.\n\nUnable to deliver message to <anna@customer.example>.\n"
        "--b\nContent-Type: message/rfc822\n\nFrom: support@operator.example\nTo: anna@customer.example\nMessage-ID: <sent-7@operator.example>\n\nHi\n--b--\n",
        "5.1.1",
        True,
    ),
    "two-languages": (
        head("relay-17@customer.example", "Your question : non remis (delivery failed)")
        + "\n*****\nVotre message n'a pas pu etre delivre a\nanna@customer.example\n*****\nYour message could not be delivered to\nanna@customer.example\n*****\n",
        "",
        True,
    ),
    "no-reply-sender": (
        head("no-reply@customer.example", "Error notice", 'Content-Type: multipart/mixed; boundary="b"')
        + "\n--b\n\nYour mail sent on: Mon, 03 Mar 2025\n     Could not be delivered to: <anna@customer.example>\n     As their mailbox is full.\n"
        "--b\nContent-Type: message/rfc822\n\nFrom: support@operator.example\nTo: anna@customer.example\nMessage-ID: <sent-7@operator.example>\n\nHi\n--b--\n",
        "5.2.2",
        True,
    ),
    "daemon-through-a-list": (
        head("MAILER-DAEMON@customer.example", "Processing Error", "List-Id: Users <users.lists.example>", "Precedence: bulk")
        + "\nIntended recipient: anna@customer.example\n\nThe following mail has come back because it met an error.\n\n--------RETURNED MAIL FOLLOWS--------\nMessage-ID: <sent-7@operator.example>\n",
        "",
        True,
    ),
    "labels": (
        head(DAEMON, "Undeliverable: Your question", "Auto-Submitted: auto-replied", "In-Reply-To: <sent-7@operator.example>")
        + '\nDelivery has failed to these recipients or distribution lists:\n\nServer "192.0.2.1:25" returned an error:\n\n\t* [anna@customer.example]: 550 anna@customer.example...User account is overquota\n\n'
        "Details:\n\n\t* From: support@operator.example\n\t* To: others@lists.example\n\t* Subject: Version 2.0.12\n",
        "5.2.2",
        True,
    ),
    "expanded": (
        head(DAEMON, "Returned mail: see transcript for details", "Auto-Submitted: auto-generated (failure)")
        + "\n   ----- The following addresses had permanent fatal errors -----\nann@elsewhere.example\n    (reason: 553 sender refused)\n    (expanded from: <anna@customer.example>)\n\n"
        "   ----- Transcript of session follows -----\n... while talking to mx.elsewhere.example.:\n>>> DATA\n<<< 553 5.7.1 sender refused\n",
        "5.7.1",
        True,
    ),
    "late": (
        head("MAILER-DAEMON@customer.example", "failure delivery")
        + "\nUnable to deliver message to the following address(es).\n\n<anna@customer.example>:\nSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\nI'm not going to try again; this message has been in the queue too long.\n",
        "4.4.1",
        True,
    ),
    "postponed": (
        head("postmaster@customer.example", "Mail Delivery Warning")
        + '\nThis is an advisory-only email.\n\nDelivery of email to this address\n"anna@customer.example"\nhas been postponed due to a full mailbox.\nWe will continue to try to deliver your message over the next few days.\n',
        "4.2.2",
        False,
    ),
    "passed-on": (
        head(DAEMON, "Undelivered Mail Returned to Sender")
        + report().replace(
            "Final-Recipient: rfc822; anna@customer.example",
            "Final-Recipient: rfc822; ann@elsewhere.example\nOriginal-Recipient: rfc822;anna@customer.example",
        ),
        "5.1.1",
        True,
    ),
    "odd-action": (
        head(DAEMON, "Delivery status notification: error", "Return-Path: <>") + report("error", "5.0.0", "smtp; no route"),
        "5.0.0",
        True,
    ),
    "words-for-status": (
        head(DAEMON, "Delivery Status") + report("failed", "553 Exceeded maximum inbound message size", "none"),
        "5.3.4",
        True,
    ),
    "many-times": (
        head(DAEMON, "Returned mail")
        + report().replace(
            "Diagnostic-Code: smtp; ",
            "\nFinal-Recipient: rfc822; ANNA@customer.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; ",
        ),
        "5.1.1",
        True,
    ),
    "empty-status": (
        head(DAEMON, "Mail not delivered", 'Content-Type: multipart/mixed; boundary="b"')
        + "\n--b\n\nMail delivery failed.\n\nThe following recipients did not receive this message:\n\n<anna@customer.example>\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.customer.example\n\n--b--\n",
        "",
        True,
    ),
    "scanned-on-the-way": (
        head("postmaster@customer.example", "Delivery Status Notification (Failure)", 'Content-Type: multipart/mixed; boundary="w"')
        + "\n--w\nContent-Type: message/rfc822\n\n"
        + head("postmaster@customer.example", "Delivery Status Notification (Failure)")
        + report()
        + "--w--\n",
        "5.1.1",
        True,
    ),
    "transcript": (
        head("Mail Gateway <gateway@server.example>", "Undeliverable mail")
        + "\n   ----- Transcript of session follows -----\nanna@customer.example: 550 5.1.1 nobody of that name here\n\n   --- Unsent message follows ---\nFrom: support@operator.example\nTo: anna@customer.example\nMessage-ID: <sent-7@operator.example>\nSubject: Your question\n\nDear customer\n",
        "5.1.1",
        True,
    ),
    "refused-by-receipt": (
        head("Postmaster <postmaster@customer.example>", "Rejected: Your question", "Auto-Submitted: auto-replied (rejected)")
        + 'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=disposition-notification; boundary="b"\n\n--b\n\nYour mail to <anna@customer.example> was automatically rejected:\nQuota exceeded\n--b\n'
        "Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; anna@customer.example\nDisposition: automatic-action/MDN-sent-automatically; deleted\n\n"
        "--b\nContent-Type: message/rfc822\n\nFrom: support@operator.example\nTo: anna@customer.example\nMessage-ID: <sent-7@operator.example>\n\nHello\n--b--\n",
        "5.2.2",
        True,
    ),
    "reasons-explained": (
        head(DAEMON, "failure notice", "Return-Path: <>")
        + "\nYour mail was not delivered. Most often the address does not exist, or was mistyped.\n\n<anna@customer.example>:\nThe mailbox is full.\n",
        "5.2.2",
        True,
    ),
    "french": (head("postmaster@customer.example", "Non remis : Votre question") + report(), "5.1.1", True),
}
