"""Reads delivery status notifications (RFC 3464): which recipients failed, with what status, and of which mail.

Must not decide whether a mail is a bounce, nor read letters; those are `kinds` and `letters`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from channels.mail import fields, reasons
from channels.mail.bodies import content_of
from channels.mail.mime import Part, text_fields
from channels.mail.model import Failure, Mailbox

FAILURES_MAX = 50
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
ADDRESS = re.compile(
    r"[^\s<>@()\[\]:;,\"'=&?/\\|{}]{1,64}@[A-Za-z0-9\u0080-\uffff](?:[A-Za-z0-9\u0080-\uffff-]|[._](?=[A-Za-z0-9\u0080-\uffff])){0,253}"
)
_BLOCK = re.compile(rb"(?:\r\n|\n|\r(?!\n))[ \t]{0,200}(?:\r\n|\n|\r)")
_STATUS_TYPES = {"message/delivery-status", "message/global-delivery-status"}
_HEADER_TYPES = {"text/rfc822-headers", "text/rfc822-header", "text/rfc822", "message/rfc822-headers", "message/global-headers"}
_ANSWERED = ("x-original-message-id", "x-cm-original-message-id", "in-reply-to")
_DONE = ("delivered", "relayed", "expanded", "deliverable")
_DELAYED = ("delayed", "delay")


def has_status(root: Part) -> bool:
    """Tell whether any part is a delivery status."""
    return any(part.type.value in _STATUS_TYPES for part in root.walk())


def tells_success(root: Part) -> bool:
    """Tell whether the delivery status parts name recipients that were reached."""
    return any(_action(block) in _DONE for block in _blocks(root))


def status_failures(root: Part) -> list[Failure]:
    """Return the recipients that delivery status parts name as failed or delayed, each once; none for notes of success."""
    original = original_id(root)
    found: dict[str, Failure] = {}
    for block in _blocks(root):
        failure = _failure(block, original)
        if failure and len(found) < FAILURES_MAX:
            found.setdefault(failure.address.lower(), failure)
    return list(found.values())


def _blocks(root: Part) -> Iterable[Mapping[str, str]]:
    for part in root.walk():
        if part.type.value in _STATUS_TYPES:
            for block in _BLOCK.split(content_of(part).strip())[: 2 * FAILURES_MAX]:
                yield text_fields(block.strip(b"\r\n"))


def _action(block: Mapping[str, str]) -> str:
    return block.get("action", "").strip().lower().partition(" ")[0].strip(".;,")


def _failure(block: Mapping[str, str], original: str) -> Failure | None:
    # The address that the mail was sent to is known to its sender; the final one may be where it was passed on to.
    address = _recipient(block.get("original-recipient", "")) or _recipient(block.get("final-recipient", ""))
    action = _action(block)
    if not ("original-recipient" in block or "final-recipient" in block) or action in _DONE:
        return None
    given = _STATUS.search(block.get("status", ""))
    detail = _STATUS.search(block.get("diagnostic-code", ""))
    said = f"{block.get('status', '')} {block.get('diagnostic-code', '')}"
    status = given[1] if given else detail[1] if detail else reasons.status(said) or reasons.meaning(said)
    if given and detail and given[1].endswith(".0.0") and given[1][0] == detail[1][0]:
        status = detail[1]  # the remote server was more exact
    cause = reasons.meaning(said) if status.endswith(".0.0") else ""
    permanent = action not in _DELAYED if action else status.startswith("5")
    return Failure(address, status, permanent=permanent, message_id=original, cause=cause)


def _recipient(value: str) -> str:
    """Return the address of a field such as `rfc822; jo@example.org`."""
    address = (value.partition(";")[2] or value).strip()
    if "@" not in address:
        address = address.replace("+40", "@")
    if found := ADDRESS.search(address):
        return lower_domain(found[0])
    plain = address.strip("<>\"' ")
    return lower_domain(plain) if "@" in plain and not re.search(r"\s", plain) and len(plain) <= 320 else ""


def lower_domain(address: str) -> str:
    """Return an address with its domain in lower case."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def original_id(root: Part) -> str:
    """Return the id of the mail that a report encloses, else of the one that it says it answers, or nothing."""
    enclosed = [field for head in _originals(root) for field in head.get("message-id", [])[:1]]
    answered = [value for name in _ANSWERED for value in root.all(name)[:1]]
    return next(iter(fields.message_ids([*enclosed, *answered])), "")


def original_recipients(root: Part) -> list[str]:
    """Return to whom the mail that a report encloses was addressed."""
    boxes: list[Mailbox] = []
    for head in _originals(root):
        boxes += [*fields.mailboxes(head.get("to", []), set()), *fields.mailboxes(head.get("cc", []), set())]
    return list(dict.fromkeys(lower_domain(box.address) for box in boxes if box.address))


def original_senders(root: Part) -> list[str]:
    """Return what From says in the mails, or headers of mails, that a mail encloses; empty where there is none."""
    return [b" ".join(head.get("from", [])[:1]).decode("utf-8", "replace") for head in _originals(root)]


def _originals(root: Part) -> Iterable[Mapping[str, list[bytes]]]:
    for part in root.walk():
        if part is root:
            continue
        if part.type.value in _HEADER_TYPES:
            yield {name: [value.encode()] for name, value in text_fields(content_of(part).strip()).items()}
        elif part.type.value.startswith("message/") and part.children:
            yield {name: part.children[0].all(name) for name in ("message-id", "from", "to", "cc")}
