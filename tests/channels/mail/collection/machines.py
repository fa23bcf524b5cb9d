"""Mails that no person wrote: complaints, automatic replies and lists, in the forms of those who write them, and people who look like them."""

# ruff: noqa: E501 - samples stand as they arrive

from __future__ import annotations

from collections.abc import Iterator

from tests.channels.mail.collection.case import Case
from tests.channels.mail.collection.returned import BOUNCES, DAEMON, head, report

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
    "absence-in-the-text": head("anna@customer.example", "Re: Your question")
    + "\nHello,\n\nI am out of the office until 14 March and have no access to my e-mail. For urgent matters please write to bob@customer.example.\n\nAnna\n",
    "absence-in-the-text-german": head("anna@customer.example", "AW: Ihre Frage")
    + "\nGuten Tag,\n\nich bin bis 14. März nicht im Büro. Ihre Nachricht wird nicht weitergeleitet.\n\n> Was können wir für Sie tun?\n",
    "absence-in-the-text-french": head("anna@customer.example", "Re: Votre question")
    + "\nBonjour,\n\nmerci de votre message. Je suis absente du bureau cette semaine et vous lirai à mon retour.\n",
    "challenge-human": head("anna@customer.example", "Re: Your question")
    + "\nHello, this is my mail filter. I have not seen your mail yet. Please press the button below to verify you are human.\n",
    "challenge-approved": head("anna@customer.example", "Waiting for you")
    + "\nYour mail waits. Once only, to protect my inbox from junk, answer this mail with the same subject.\n",
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
    "holiday-colon": head("Anna <anna@customer.example>", "Urlaub: kein Netz")
    + "\nIch bin in Spanien und habe kein Netz. Was muss ich einstellen?\n",
    "away-asks": head("Anna <anna@customer.example>", "Away") + "\nI shall be abroad until May. Can I pause my contract?\n",
    "office-asks": head("Anna <anna@customer.example>", "My router")
    + "\nThank you for your message. I am out of the office this week; could your engineer come on the 14th?\n",
    "office-tells": head("Anna <anna@customer.example>", "My router")
    + "\nI am out of the office this week, so nobody can open the door. Come later.\n",
    "office-thanks": head("Anna <anna@customer.example>", "My router")
    + "\nThank you for your message. I am out of the office this week. Please call me on Monday.\n",
    "holiday-trouble": head("Anna <anna@customer.example>", "No signal")
    + "\nThank you for your message. I am on holiday in Spain and cannot call anybody. Switch roaming on.\n",
    "verified": head("Anna <anna@customer.example>", "The app")
    + "\nYour app wants a code and then nothing happens. I am human, I promise.\n",
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
