"""Mails that no person wrote: returned ones, complaints, automatic replies and lists, in the forms of the servers that write them."""

# ruff: noqa: E501 - samples stand as they arrive

from __future__ import annotations

from collections.abc import Iterator

from tests.channels.mail.collection.case import Case

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
    "french": (head("postmaster@customer.example", "Non remis : Votre question") + report(), "5.1.1", True),
}
AUTOMATIC: dict[str, str] = {
    "rfc3834": head("Anna <anna@customer.example>", "Re: Your question", "Auto-Submitted: auto-replied") + "\nI am away.\n",
    "generated": head("system@customer.example", "Report", "Auto-Submitted: auto-generated (nightly)") + "\nAll is well.\n",
    "precedence": head("anna@customer.example", "Away", "Precedence: auto_reply") + "\nAway.\n",
    "x-autoreply": head("anna@customer.example", "Re: Your question", "X-Autoreply: yes") + "\nAway.\n",
    "x-autorespond": head("anna@customer.example", "Re: Your question", "X-Autorespond: 1") + "\nAway.\n",
    "outlook": head("anna@customer.example", "Automatic reply: Your question", "X-Auto-Response-Suppress: All") + "\nI am out of office.\n",
    "german": head("anna@customer.example", "=?utf-8?Q?Automatische_Antwort=3A_Ihre_Frage?=") + "\nIch bin nicht da.\n",
    "german-old": head("anna@customer.example", "Abwesenheitsnotiz: Ihre Frage") + "\nIch bin nicht da.\n",
    "french": head("anna@customer.example", "=?utf-8?Q?R=C3=A9ponse_automatique_=3A_Votre_question?=") + "\nJe suis absente.\n",
    "spanish": head("anna@customer.example", "=?utf-8?Q?Respuesta_autom=C3=A1tica=3A_Su_pregunta?=") + "\nNo estoy.\n",
    "italian": head("anna@customer.example", "Risposta automatica: Domanda") + "\nSono assente.\n",
    "dutch": head("anna@customer.example", "Automatisch antwoord: Vraag") + "\nIk ben er niet.\n",
    "russian": head("anna@customer.example", "Автоматический ответ: Вопрос") + "\nМеня нет.\n",
    "japanese": head("anna@customer.example", "自動応答: 質問") + "\n不在です。\n",
    "vacation": head("anna@customer.example", "Out of Office: Re: Your question") + "\nBack on Monday.\n",
    "rule": head("anna@customer.example", "Selected autoreply", "Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All")
    + "\nHi.\n",
    "answer-suffix": head("anna@customer.example", "Re: Your question (Automatic Response)") + "\nI am away.\n",
    "closed-inbox": head(
        "noreply@customer.example", "=?UTF-8?Q?AutoRespons?= :Your question", "Return-Path: <>", "Auto-Submitted: auto-replied"
    )
    + "\nThis inbox anna@customer.example is no longer in use. Please write to somebody else.\n",
    "ticket": head("helpdesk@customer.example", "[help #7] AutoReply: Your question") + "\nWe have your request.\n",
    "notes": head("anna@customer.example", "AUTO: Anna is out of the office. (returning 05/01/2026)") + "\nI am out of the office.\n",
    "says-so": head("anna@customer.example", "Thank you") + "\nThis is an automated response. We have received your message.\n",
    "absent-colon": head("anna@customer.example", "Urlaub: Re: Ihre Frage") + "\nBin ab Montag wieder da.\n",
    "junk": head("anna@customer.example", "Re: Your question", "Precedence: junk") + "\nAway.\n",
    "vacation-bulk": head("anna@customer.example", "Thank you for your e-mail", "Precedence: bulk", "Return-Path: <>")
    + "\nI shall reply soon.\n",
    "vacation-on-a-list": head("anna@customer.example", "Re: News", "List-Id: Users <users.lists.example>", "Auto-Submitted: auto-replied")
    + "\nAway.\n",
    "challenge": head("anna@customer.example", "Re: Your question")
    + "\nYour message was received.\n\nThis account is protected by a filter. Please click on the link to have your address added to the list.\n",
    "challenge-with-status": head("noreply@filter.example", "Re: Your question (Action Required)")
    + report("delayed", "4.7.0", "smtp; waits", "This is a one-time automated message to confirm that you are on my Guest List."),
    "no-reply-parts": head("Jobs <jobs-noreply@shop.example>", "Your application") + "\nWe have it.\n",
    "daemon-notice": head("MAILER-DAEMON@customer.example", "Mail quota warning") + "\nPlease tidy up.\n",
    "tracker": head("tracker-daemon@customer.example", "[Bug 7] New") + "\nSomebody wrote.\n",
    "no-reply": head("Shop <no-reply@shop.example>", "Your order") + "\nThank you for your order.\n",
    "receipt": head("anna@customer.example", "Read: Your question")
    + 'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"\n\n--b\n\nYour message was read.\n--b\n'
    "Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;anna@customer.example\nDisposition: manual-action/MDN-sent-manually; displayed\n--b--\n",
    "delivered": head("postmaster@customer.example", "Delivered: Your question", "Auto-Submitted: auto-generated")
    + report("delivered", "2.0.0", "250 ok", "It was delivered."),
}
FEEDBACK = (
    head("complaints@provider.example", "Report")
    + 'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n--b\n\nThis is a report.\n--b\nContent-Type: message/feedback-report\n\n'
    "Feedback-Type: {type}\nUser-Agent: SomeGenerator/1.0\nVersion: 1\nOriginal-Rcpt-To: anna@customer.example\n--b\nContent-Type: message/rfc822\n\n"
    "From: support@operator.example\nTo: anna@customer.example\nMessage-ID: <sent-7@operator.example>\nSubject: Offer\n\nBuy.\n--b--\n"
)
AUTOMATIC |= {
    "invitation-accepted": head("anna@customer.example", "Accepted: A call", 'Content-Type: multipart/alternative; boundary="b"')
    + "\n--b\n\nAnna has accepted.\n--b\nContent-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR\nMETHOD:REPLY\nEND:VCALENDAR\n--b--\n",
    "no-spam": FEEDBACK.format(type="not-spam"),
    "failed-checks": FEEDBACK.format(type="auth-failure"),
}
LISTS: dict[str, str] = {
    "rfc2919": head("Anna <anna@customer.example>", "[users] Question", "List-Id: Users <users.lists.example>", "Precedence: list")
    + "\nHello all.\n",
    "newsletter": head("Shop <news@shop.example>", "Offers", "List-Unsubscribe: <https://shop.example/u>") + "\nBuy now.\n",
    "bulk": head("Shop <news@shop.example>", "Offers", "Precedence: bulk") + "\nBuy now.\n",
    "newsletter-no-reply": head("Shop <no-reply@shop.example>", "Offers", "List-Unsubscribe: <https://shop.example/u>") + "\nBuy now.\n",
    "tracker-list": head("tracker@customer.example", "[Bug 7] New", "Auto-Submitted: auto-generated", "List-Id: <bugs.lists.example>")
    + "\nNew.\n",
    "post": head("Anna <anna@customer.example>", "Question", "List-Post: <mailto:users@lists.example>") + "\nHello all.\n",
}
COMPLAINTS = {
    "arf": FEEDBACK.format(type="abuse"),
    "opt-out": FEEDBACK.format(type="opt-out")
    .replace("Original-Rcpt-To: anna", "Removal-Recipient: anna")
    .replace("message/rfc822", "text/rfc822-header"),
    "named-in-report": head("complaints@provider.example", "Report")
    + 'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n'
    "Original-Rcpt-To: <anna@customer.example>\nOriginal-Message-ID: <sent-7@operator.example>\n--b--\n",
    "enclosed-only": head("staff@provider.example", "complaint about message from 192.0.2.7")
    + 'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: message/rfc822\n\nX-HmXmrOriginalRecipient: <anna@customer.example>\n'
    "From: support@operator.example\nMessage-ID: <sent-7@operator.example>\nSubject: Offer\n\nBuy.\n--b--\n",
}
PEOPLE: dict[str, str] = {  # who only look like machines
    "enclosed-bounce": head("Anna <anna@customer.example>", "This came back")
    + 'Content-Type: multipart/mixed; boundary="a"\n\n--a\n\nWhat is this?\n--a\nContent-Type: message/rfc822\n\n'
    + head(DAEMON, "Undelivered Mail Returned to Sender")
    + report()
    + "--a--\n",
    "returned": head("Anna <anna@customer.example>", "Undelivered parcel returned to sender") + "\nMy phone came back. Where is it now?\n",
    "office": head("Anna <anna@customer.example>", "Our office has no network, out of service") + "\nPlease help.\n",
    "not-automatic": head("Anna <anna@customer.example>", "Question", "Auto-Submitted: no") + "\nHello?\n",
    "failure": head("Anna <anna@customer.example>", "failure of delivery")
    + "\nMy SIM was not delivered to anna@customer.example's house. 550 shillings lost.\n",
    "forwarded-bounce": head("Anna <anna@customer.example>", "Fwd: Undelivered Mail Returned to Sender")
    + "\nI get this when I write to you.\n\n---------- Forwarded message ---------\nFrom: Mail Delivery System <MAILER-DAEMON@x.example>\nSubject: Undelivered\n\n<support@operator.example>: 550 5.1.1\n",
    "invitation": head("anna@customer.example", "A call", 'Content-Type: multipart/alternative; boundary="b"')
    + "\n--b\n\nShall we talk?\n--b\nContent-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR\n--b--\n",
    "error-told": head("Anna <anna@customer.example>", "Undeliverable")
    + "\nHi, I get the error 550 5.1.1 User unknown when I write to bob@friend.example: my message could not be delivered.\n",
    "error-quoted": head("Anna <anna@customer.example>", "Re: Undelivered Mail Returned to Sender")
    + "\nI never sent that.\n\n> This is the mail system at host mx.example.\n> your message could not be delivered\n> <bob@friend.example>: host mx said: 550 5.1.1\n",
    "error-below": head("Anna <anna@customer.example>", "Undelivered mail")
    + "\nMy mail could not be delivered, see below.\n\n-----Original Message-----\nFrom: Mail Delivery System <MAILER-DAEMON@x.example>\nSubject: Undelivered\n\n<bob@friend.example>: 550 5.1.1\n",
    "error-enclosed": head("Anna <anna@customer.example>", "Delivery failed", 'Content-Type: multipart/mixed; boundary="w"')
    + "\n--w\n\nMy mail could not be delivered, look.\n--w\nContent-Type: message/rfc822\n\n"
    + head(DAEMON, "Undelivered Mail Returned to Sender")
    + "\nIt failed.\n--w--\n",
    "status-passed-on": head(
        "Anna <anna@customer.example>", "Fwd: Undelivered Mail Returned to Sender", 'Content-Type: multipart/mixed; boundary="b"'
    )
    + "\n--b\n\nWhat is this?\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; bob@friend.example\nAction: failed\nStatus: 5.1.1\n\n--b--\n",
    "text-message": head("Anna <anna@customer.example>", "SMS not delivered")
    + "\nMy message could not be delivered to +44 7700 900123. It says error 500.\n",
    "holiday": head("Anna <anna@customer.example>", "On vacation in Spain - roaming does not work") + "\nPlease help.\n",
    "holiday-short": head("Anna <anna@customer.example>", "Vacation") + "\nCan I pause my contract?\n",
    "out-of-credit": head("Anna <anna@customer.example>", "I am out of credit") + "\nHow do I top up?\n",
    "answer-to-automatic": head("Anna <anna@customer.example>", "Re: Automatic reply: Your question") + "\nNobody has answered yet.\n",
    "answer-to-absence": head("Anna <anna@customer.example>", "Re: Out of Office AutoReply: Your question") + "\nWho else can help?\n",
    "no-sender": head("", "Ticket by unknown user") + "\nThis comes from an unknown user.\n",
    "postmaster": head("Postmaster <postmaster@customer.example>", "Block list") + "\nOur server is on your list. Could you remove it?\n",
    "relay-service": head("Anna <anna@customer.example>", "Question", "Feedback-ID: 1.region.abc:Relay") + "\nHello?\n",
    "suppress-all": head("Anna <anna@customer.example>", "Re: ticket", "X-Auto-Response-Suppress: All") + "\nHello?\n",
    "suppress": head("Anna <anna@customer.example>", "Re: ticket", "X-Auto-Response-Suppress: OOF") + "\nHello?\n",
}


def cases() -> Iterator[Case]:
    """Yield every mail of a machine, and some of people for comparison."""
    for name, (raw, _, _) in BOUNCES.items():
        yield Case(f"bounce-{name}", raw.encode(), kind="bounce")
    for kind, mails in {"auto_reply": AUTOMATIC, "list": LISTS, "complaint": COMPLAINTS, "person": PEOPLE}.items():
        for name, raw in mails.items():
            yield Case(f"{kind}-{name}", raw.encode(), kind=kind)
