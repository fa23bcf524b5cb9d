"""Tells what wrote a mail: a person, a machine that answers by itself, a server that returns mail, a complaint, or a list.

What is no person's is never answered, so where the header leaves doubt, the machine is preferred. Must not read further than the
header, the types of the parts and the beginning of the text.
"""

from __future__ import annotations

from channels.mail import bounces, words
from channels.mail.mime import Part
from channels.mail.model import Failure, Kind, Mailbox

_SERVERS = ("mailer-daemon", "mailerdaemon", "mail-daemon", "postmaster", "mailer_daemon", "mail delivery", "microsoftexchange", "mdaemon")
_NOT_ANSWERED = {
    *("noreply", "no-reply", "no_reply", "donotreply", "do-not-reply", "do_not_reply"),
    *("nicht-antworten", "ne-pas-repondre", "nepasrepondre"),
}
_REPLY_FIELDS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply-from",
    "x-mail-autoreply",
    "x-autoreply-from",
    "x-pos-autoreply",
)
_LIST_FIELDS = (
    *("list-id", "list-post", "list-unsubscribe", "mailing-list", "x-mailing-list", "x-mailman-version"),
    *("feedback-id", "x-campaignid", "x-csa-complaints"),
)


def kind_of(root: Part, sender: Mailbox, subject: str, text: str) -> tuple[Kind, tuple[Failure, ...]]:
    """Return what wrote the mail, and for a bounce or complaint whom it is about."""
    complaints = bounces.complaint_failures(root)
    if complaints:
        return Kind.COMPLAINT, tuple(complaints)
    lowered = subject.lower()
    if returned := _bounced(root, sender, lowered, text):
        return returned
    if _automatic(root, sender, lowered):
        return Kind.AUTO_REPLY, ()
    if any(root.first(name) for name in _LIST_FIELDS) or _precedence(root) in {"list", "bulk"}:
        return Kind.LIST, ()
    return Kind.PERSON, ()


def _bounced(root: Part, sender: Mailbox, subject: str, text: str) -> tuple[Kind, tuple[Failure, ...]] | None:
    if bounces.has_status(root):
        found = bounces.status_failures(root)
        if found:
            return Kind.BOUNCE, tuple(found)
        report = root.type.values.get("report-type", "").lower() == "delivery-status"
        if report and not _from_server(root, sender) and not any(phrase in subject for phrase in words.RETURNED):
            return Kind.AUTO_REPLY, ()
        letter = bounces.letter_failures(root, text) if any(phrase in subject for phrase in ("fail", "undeliver", "returned")) else []
        return (Kind.BOUNCE, tuple(letter)) if letter else (Kind.AUTO_REPLY, ())
    if root.first("x-failed-recipients"):
        return Kind.BOUNCE, tuple(bounces.letter_failures(root, text))
    if _from_server(root, sender) and (any(phrase in subject for phrase in words.RETURNED) or _says_returned(text)):
        return Kind.BOUNCE, tuple(bounces.letter_failures(root, text))
    return None


def _says_returned(text: str) -> bool:
    beginning = text[:1000].lower()
    return (
        "qmail-send program" in beginning or any(phrase in beginning for phrase in words.RETURNED) or "could not be delivered" in beginning
    )


def _from_server(root: Part, sender: Mailbox) -> bool:
    null_sender = root.first("return-path").strip() == b"<>" or not (sender.address or sender.name)
    local = sender.address.partition("@")[0].lower()
    shown = sender.name.lower()
    return null_sender or local.startswith(_SERVERS) or shown.startswith(_SERVERS) or not local


def _precedence(root: Part) -> str:
    return root.first("precedence").decode("ascii", "ignore").strip().lower()


def _automatic(root: Part, sender: Mailbox, subject: str) -> bool:
    submitted = root.first("auto-submitted").decode("ascii", "ignore").strip().lower()
    if submitted and submitted.partition(";")[0].strip() != "no":
        return True
    if any(root.first(name).strip().lower() not in {b"", b"no"} for name in _REPLY_FIELDS):
        return True
    if _precedence(root) in {"auto_reply", "auto-reply", "autoreply"}:
        return True
    if root.type.values.get("report-type", "").lower() in {"disposition-notification", "feedback-report"}:
        return True
    if any(part.type.value == "text/calendar" and part.type.values.get("method", "").lower() == "reply" for part in root.walk()):
        return True
    if subject.removeprefix("re:").strip().startswith(words.AUTOMATIC):
        return True
    return sender.address.partition("@")[0].lower() in _NOT_ANSWERED or root.first("return-path").strip() == b"<>"
