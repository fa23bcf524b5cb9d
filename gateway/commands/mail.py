"""`parley mail`: what is understood of raw mails, for support people and for tests.

Needs no store, no configuration and no secrets. Must not send or record anything.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, BinaryIO

import click

from channels.mail.model import Attachment, Failure, Mail, Mailbox
from gateway.mail_parsing import MailParsers, UnreadableMail


@click.group
def command() -> None:
    """Show what is understood of mails."""


@command.command("parse", short_help="Show what is understood of raw mails.")
@click.argument("files", nargs=-1, required=True, type=click.File("rb", lazy=True), metavar="FILE…")
def parse_command(files: Sequence[BinaryIO]) -> None:
    """Show what is understood of the raw mail in each FILE (- for standard input), a line of JSON each.

    A line has, among others, from, name, to, cc, subject, date, message_id, references, text (what is new), quoted, signature,
    attachments and kind: person, auto_reply, bounce, complaint or list. A mail that needs more than two seconds or too much memory
    gives an error instead.
    """
    asyncio.run(_print(files))


async def _print(files: Sequence[BinaryIO]) -> None:
    async with MailParsers() as parsers:
        for file in files:
            try:
                document = mail_document(await parsers.parse_in_child(file.read()))
            except UnreadableMail as error:
                document = {"error": "unreadable", "detail": str(error)}
            if len(files) > 1:
                document = {"file": file.name, **document}
            click.echo(json.dumps(document))


def mail_document(mail: Mail) -> dict[str, Any]:
    """Return a mail as plain JSON; ids have their angle brackets, dates are ISO 8601 with the sender's zone."""
    return {
        "from": mail.sender.address,
        "name": mail.sender.name,
        "to": [box.address for box in mail.to],
        "cc": [box.address for box in mail.cc],
        "reply_to": [box.address for box in mail.reply_to],
        "recipients": [_mailbox(box) for box in (*mail.to, *mail.cc)],
        "subject": mail.subject,
        "date": mail.date.isoformat() if mail.date else None,
        "message_id": _bracketed(mail.message_id),
        "in_reply_to": [_bracketed(known) for known in mail.in_reply_to],
        "references": [_bracketed(known) for known in mail.references],
        "kind": mail.kind.value,
        "text": mail.divided.text,
        "quoted": mail.divided.quoted,
        "signature": mail.divided.signature,
        "body": mail.body,
        "html": mail.safe_html,
        "attachments": [_attachment(file) for file in mail.attachments],
        "failures": [_failure(failure) for failure in mail.failures],
        "over": sorted(mail.over),
    }


def _bracketed(known: str) -> str:
    return f"<{known}>" if known else ""


def _mailbox(box: Mailbox) -> dict[str, str]:
    return {"address": box.address, "name": box.name}


def _attachment(file: Attachment) -> dict[str, Any]:
    return {
        "name": file.name,
        "type": file.content_type,
        "size": file.size,
        "content_id": file.content_id,
        "inline": file.inline,
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "address": failure.address,
        "status": failure.status,
        "permanent": failure.permanent,
        "message_id": _bracketed(failure.message_id),
    }
