"""Reads complaints: feedback reports (RFC 5965), and the mails that some providers send instead of them.

Must not look at what the complaint is about.
"""

from __future__ import annotations

from channels.mail import bounces, fields
from channels.mail.bodies import content_of
from channels.mail.mime import Part, text_fields
from channels.mail.model import Failure

_NO_COMPLAINT = {"not-spam", "auth-failure"}  # feedback of the opposite kind, and of servers about each other
_RECIPIENT_FIELDS = ("original-rcpt-to", "removal-recipient", "x-rcpt-to")
_COMPLAINED = "x-hmxmroriginalrecipient"  # Microsoft's complaints are no reports; the mail that they enclose has this


def failures(root: Part) -> list[Failure]:
    """Return whom a complaint is about; an empty address where it does not tell, and nothing if it is none."""
    for part in root.walk():
        if part.type.value == "message/feedback-report":
            report = text_fields(content_of(part).strip())
            if report.get("feedback-type", "").strip().lower() in _NO_COMPLAINT:
                return []
            named = next((found[0] for name in _RECIPIENT_FIELDS if (found := bounces.ADDRESS.search(report.get(name, "")))), "")
            return [_complaint(root, named, report.get("original-message-id", ""))]
        if part is not root and part.type.value == "message/rfc822" and part.children and (told := part.children[0].first(_COMPLAINED)):
            box = next(iter(fields.mailboxes([told], set())), None)
            return [_complaint(root, box.address if box else "")]
    return []


def _complaint(root: Part, named: str, about: str = "") -> Failure:
    address = bounces.lower_domain(named) if named else next(iter(bounces.original_recipients(root)), "")
    told = next(iter(fields.message_ids([about.encode()])), "")
    return Failure(address, message_id=told or bounces.original_id(root), permanent=True)
