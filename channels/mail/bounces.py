"""Reads what came back: delivery status notifications (RFC 3464), the letters of servers that write none, complaints (RFC 5965).

Must not decide whether a mail is a bounce; that is `kinds`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from channels.mail import fields
from channels.mail.bodies import content_of
from channels.mail.mime import Part, text_fields
from channels.mail.model import Failure

_BLOCK = re.compile(rb"(?:\r\n|\n|\r(?!\n))[ \t]{0,200}(?:\r\n|\n|\r)")
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.#-])([45]\d\d)(?=[ \t-]|[-#]|$)(?![.\d])", re.MULTILINE)
_ADDRESS = re.compile(
    r"[^\s<>@()\[\]:;,\"'=&?/\\|{}]{1,64}@[A-Za-z0-9\u0080-\uffff](?:[A-Za-z0-9\u0080-\uffff.-]{0,253}[A-Za-z0-9\u0080-\uffff])?"
)
_MACHINES = ("mailer-daemon", "postmaster", "mail-daemon", "bounce", "noreply", "no-reply", "abuse", "support", "helpdesk")
_FAILURES_MAX = 50
_NO_COMPLAINT = {"not-spam", "auth-failure"}  # feedback of the opposite kind, and of servers about each other
_LETTER_CHARS_MAX = 20_000
_ORIGINAL_BELOW = re.compile(
    r"^[ \t]?(?:-{2,}[ \t]*(?:below this line is a copy|this is a copy|original message|message header|returned message"
    r"|undelivered message)"
    r"|received: |return-path: |x-.{0,40}: |message header follows)",
    re.IGNORECASE | re.MULTILINE,
)

# What servers say in words where they give no status.
_REASONS: tuple[tuple[str, str], ...] = (
    *(
        (words, "5.1.1")
        for words in ("user unknown", "unknown user", "no such user", "does not exist", "doesn't exist", "mailbox unavailable")
    ),
    *(
        (words, "5.1.1")
        for words in ("recipient rejected", "address rejected", "not found", "no mailbox", "unknown recipient", "invalid recipient")
    ),
    *(
        (words, "5.1.1")
        for words in ("address not found", "no longer available", "unbekannter empfänger", "existiert nicht", "n'existe pas", "no existe")
    ),
    *(
        (words, "5.2.2")
        for words in ("over quota", "quota exceeded", "mailbox full", "mailbox is full", "exceeded storage", "postfach ist voll", "quota")
    ),
    *(
        (words, "5.1.2")
        for words in ("host unknown", "host not found", "domain not found", "name service error", "unrouteable", "unroutable")
    ),
    *((words, "5.2.1") for words in ("disabled", "inactive", "suspended")),
    *((words, "5.3.4") for words in ("too large", "message size")),
    *((words, "5.7.1") for words in ("spam", "blocked", "blacklist", "policy", "denied", "not authorized", "relay")),
    *((words, "4.4.1") for words in ("timed out", "connection refused", "could not connect", "no answer from host")),
)
_DELAYED = ("delayed", "will be retried", "still trying", "not yet been delivered", "temporarily", "keep trying", "warning: message")


def status_failures(root: Part) -> list[Failure]:
    """Return the recipients that delivery status parts name as failed or delayed; none for notes of success."""
    original = original_id(root)
    found: list[Failure] = []
    for part in root.walk():
        if part.type.value not in {"message/delivery-status", "message/global-delivery-status"}:
            continue
        for block in _BLOCK.split(content_of(part).strip())[: 2 * _FAILURES_MAX]:
            failure = _failure(text_fields(block.strip(b"\r\n")), original)
            if failure and len(found) < _FAILURES_MAX:
                found.append(failure)
    return found


def has_status(root: Part) -> bool:
    """Tell whether any part is a delivery status."""
    return any(part.type.value in {"message/delivery-status", "message/global-delivery-status"} for part in root.walk())


def _failure(block: object, original: str) -> Failure | None:
    values: dict[str, str] = dict(block) if isinstance(block, dict) else {}
    recipient = values.get("original-recipient") or values.get("final-recipient", "")
    action = values.get("action", "").strip().lower().partition(" ")[0]
    if not (recipient or values.get("final-recipient")) or action in {"delivered", "relayed", "expanded"}:
        return None
    final = _recipient(values.get("final-recipient", "")) or _recipient(recipient)
    given = _STATUS.search(values.get("status", ""))
    detail = _STATUS.search(values.get("diagnostic-code", ""))
    status = given[1] if given else detail[1] if detail else ""
    if given and detail and given[1].endswith(".0.0") and given[1][0] == detail[1][0]:
        status = detail[1]  # the remote server was more exact
    permanent = action == "failed" if action else status.startswith("5")
    return Failure(final, status, permanent=permanent, message_id=original)


def _recipient(value: str) -> str:
    """Return the address of a field such as `rfc822; jo@example.org`."""
    address = value.partition(";")[2] or value
    found = _ADDRESS.search(address.replace("+40", "@") if "@" not in address else address)
    return _lower_domain(found[0]) if found else ""


def _lower_domain(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def original_id(root: Part) -> str:
    """Return the id of the mail that a report encloses, or nothing."""
    for part in root.walk():
        if part is root:
            continue
        enclosed = part.type.value
        if enclosed in {"text/rfc822-headers", "message/rfc822-headers"}:
            found = fields.message_ids([text_fields(content_of(part).strip()).get("message-id", "").encode()])
        elif enclosed.startswith("message/") and part.children:
            found = fields.message_ids(part.children[0].all("message-id")[:1])
        else:
            continue
        if found:
            return found[0]
    return ""


def letter_failures(root: Part, text: str) -> list[Failure]:
    """Return the recipients that a server's letter names in words: X-Failed-Recipients, else the addresses in its text."""
    letter = text[:_LETTER_CHARS_MAX]
    below = _ORIGINAL_BELOW.search(letter)
    letter, copy = (letter[: below.start()], letter[below.start() :]) if below else (letter, "")
    named = [box.address for box in fields.mailboxes(root.all("x-failed-recipients"), set())]
    addresses = named or list(dict.fromkeys(_addresses(letter)))[:_FAILURES_MAX]
    status = _status(letter)
    delayed = not status.startswith("5") and any(words in letter.lower() for words in _DELAYED)
    original = original_id(root) or next(iter(fields.message_ids(re.findall(rb"(?im)^message-id:[ \t]*(\S{3,998})", copy.encode()))), "")
    permanent = not delayed and not status.startswith("4")
    return [Failure(_lower_domain(address), status, permanent=permanent, message_id=original) for address in addresses]


def _addresses(letter: str) -> Iterator[str]:
    for found in _ADDRESS.finditer(letter):
        if not found[0].lower().startswith(_MACHINES):
            yield found[0].strip(".")


def _status(letter: str) -> str:
    if found := _STATUS.search(letter):
        return found[1]
    lowered = letter.lower()
    reason = next((status for words, status in _REASONS if words in lowered), "")
    if code := _CODE.search(letter):
        return reason if reason.startswith(code[1][0]) else f"{code[1][0]}.0.0"
    return reason


def complaint_failures(root: Part) -> list[Failure]:
    """Return whom a feedback report complains about; empty addresses where the report does not tell."""
    for part in root.walk():
        if part.type.value == "message/feedback-report":
            report = text_fields(content_of(part).strip())
            if report.get("feedback-type", "").strip().lower() in _NO_COMPLAINT:
                return []
            recipient = _recipient(report.get("original-rcpt-to", "") or report.get("removal-recipient", ""))
            return [Failure(recipient or _recipient_of_original(root), message_id=original_id(root), permanent=True)]
    return []


def _recipient_of_original(root: Part) -> str:
    for part in root.walk():
        if part is not root and part.type.value.startswith("message/") and part.children:
            return next((box.address for box in fields.mailboxes(part.children[0].all("to"), set())), "")
    return ""
