"""Reads which list a mail came through, and who wrote it where the list put its own address into From.

Must not judge whether a list is ours: only who knows our addresses can, and everything here is what the mail claims.
"""

from __future__ import annotations

import re

from channels.mail import fields
from channels.mail.mime import Part
from channels.mail.model import Cap, Mailbox

_FIELDS = (
    *("list-id", "list-post", "list-unsubscribe", "mailing-list", "x-mailing-list", "x-mailman-version", "x-beenthere"),
    *("x-campaignid", "x-campaign-id", "x-csa-complaints"),
)
_NEWSLETTER = ("x-campaignid", "x-campaign-id", "x-csa-complaints")
_ID = re.compile(r"<\s{0,5}([^<>\s]{1,255})\s{0,5}>|^\s{0,5}([^<>\s]{1,255})\s{0,5}$")
_POST = re.compile(r"<\s{0,5}mailto:([^<>\s?]{3,320})", re.IGNORECASE)
_NAMED = re.compile(r"^\s{0,5}(?:list\s{1,5})?<?([^\s<>;,@]{1,64}@[^\s<>;,]{1,255})", re.IGNORECASE)
_NAMES = {"list-id": _ID, "list-post": _POST, "mailing-list": _NAMED, "x-mailing-list": _NAMED, "x-beenthere": _NAMED}
_WRITTEN_BY = ("x-original-from", "reply-to", "x-original-sender")  # the first two have a name beside the address
_NAMES_MAX = 10


def is_list(root: Part) -> bool:
    """Tell whether a mail has the fields of a list or a newsletter."""
    return any(root.first(name) for name in _FIELDS)


def names(root: Part) -> tuple[str, ...]:
    """Return the addresses and ids by which lists name themselves, in lower case; none for a newsletter, or a list that tells nothing."""
    if any(root.first(name) for name in _NEWSLETTER) or len(root.all("list-unsubscribe")) > 1:
        return ()
    found: dict[str, None] = {}
    for name, pattern in _NAMES.items():
        for value in root.all(name):
            told = pattern.search(value.decode("utf-8", "replace"))
            if told:
                found[next(group for group in told.groups() if group).lower()] = None
    return tuple(found) if len(found) <= _NAMES_MAX else ()


def author(root: Part, sender: Mailbox, named: tuple[str, ...], over: set[Cap]) -> Mailbox:
    """Return who wrote a mail: the sender, or whom the list names in their place if From has its own address."""
    if not _is_named(sender.address, named):
        return sender
    others = (box for name in _WRITTEN_BY for box in fields.mailboxes(root.all(name)[:1], over))
    return next((box for box in others if box.address and not _is_named(box.address, named)), sender)


def _is_named(address: str, named: tuple[str, ...]) -> bool:
    plain = address.lower()
    return plain in named or plain.replace("@", ".") in named
