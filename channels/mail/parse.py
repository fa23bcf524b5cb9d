"""The door of the package: raw bytes in, an understood mail out.

Must not raise: the caps hold before anything costs time, and what makes no sense is left out.
"""

from __future__ import annotations

from html import escape

from channels.mail import bodies, dates, fields, html_text, lists, mime, model
from channels.mail.divide import divide, has_quotation, tidy
from channels.mail.kinds import is_automatic, kind_of
from channels.mail.lines import Line, plain_lines
from channels.mail.model import Cap, Divided, Kind, Mail, Mailbox


def parse(raw: bytes) -> Mail:
    """Return what a raw mail says, whatever the bytes; caps that it goes over are in `over`."""
    budget = mime.Budget()
    over = budget.over
    root = mime.read(raw, budget)
    found = bodies.collect(root, over)
    charset = next((part.type.values["charset"] for part in root.walk() if "charset" in part.type.values), "")
    sender = _sender(root, over, charset)
    subject = fields.text(root.first("subject"), over, charset)
    text, divided = _body(found.sections, sender.name, over)
    kind, failures = kind_of(root, sender, subject, text, divided.text)
    through = lists.names(root) if kind is Kind.LIST else ()
    author = lists.author(root, sender, through, over)
    if is_automatic(root, author):
        through, author = (), sender
    return Mail(
        sender=sender,
        reply_to=fields.mailboxes(root.all("reply-to"), over, charset),
        to=fields.mailboxes(root.all("to"), over, charset),
        cc=fields.mailboxes(root.all("cc"), over, charset),
        subject=subject,
        date=dates.read(root.first("date")),
        message_id=fields.message_id(root.first("message-id")),
        references=fields.message_ids(root.all("references")),
        in_reply_to=fields.message_ids(root.all("in-reply-to")),
        body=text,
        safe_html=_safe_html(found.sections),
        divided=divided if kind is not Kind.BOUNCE else Divided(text=text),
        attachments=tuple(found.attachments),
        kind=kind,
        failures=failures,
        through=through,
        author=author if author is not sender else None,
        over=frozenset(over),
    )


def _sender(root: mime.Part, over: set[Cap], charset: str) -> Mailbox:
    named = fields.mailboxes(root.all("from")[:1], over, charset) or fields.mailboxes(root.all("sender")[:1], over, charset)
    return next((box for box in named if box.address), named[0] if named else Mailbox(""))


def _body(sections: list[bodies.Section], name: str, over: set[Cap]) -> tuple[str, Divided]:
    """Return the whole text and its pieces: from the plain form, unless only the HTML form shows where the quotation begins."""
    plain: list[Line] = []
    html: list[Line] = []
    for section in sections:
        own = plain_lines(section.plain) if section.plain and section.plain.strip() else None
        rich = html_text.lines(section.html) if section.html is not None else None
        plain += own if own is not None else rich or []
        html += rich if rich is not None else own or []
    chosen = plain
    if any(section.html is not None for section in sections) and not has_quotation(plain) and has_quotation(html):
        chosen = html
    return _capped(tidy([line.text for line in plain]), over), divide(chosen, name=name)


def _capped(text: str, over: set[Cap]) -> str:
    if len(text) <= model.TEXT_CHARS_MAX:
        return text
    over.add(Cap.TEXT)
    return text[: model.TEXT_CHARS_MAX]


def _safe_html(sections: list[bodies.Section]) -> str:
    if not any(section.html for section in sections):
        return ""
    return html_text.safe(
        "\n".join(section.html if section.html is not None else f"<pre>{escape(section.plain or '')}</pre>" for section in sections)
    )
