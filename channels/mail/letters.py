"""Reads the letters in which servers return mail without a delivery status: whom they name, and what they give as the reason.

Must not decide whether a mail is such a letter; that is `kinds`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from channels.mail import bounces, fields, machines
from channels.mail.mime import Part
from channels.mail.model import Failure

_LETTER_CHARS_MAX = 20_000
_MACHINES = ("mailer-daemon", "postmaster", "mail-daemon", "bounce", "noreply", "no-reply", "abuse", "support", "helpdesk")
_STATUS = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.#-])([45]\d\d)(?=[ \t-]|[-#]|$)(?![.\d])", re.MULTILINE)
_SERVER_SAID = re.compile(
    r"(?:said|replied|reason|response|responded|error|code|status|diagnostic|<<<|>>>)[^\n\w]{0,12}(?:smtp[ ;:]{0,3})?"
    r"(?:code )?[45]\d\d\b|\b[45]\d\d[ -]#?[45]\.\d\.\d|\(#[45]\.\d\.\d",
    re.IGNORECASE,
)
_COPY = re.compile(
    r"^[ \t]?(?:-{2,}[ \t]*(?:below this line is a copy|this is a copy|original message|message header|returned m|unsent message"
    r"|undelivered message|the header of the original|original mail)"
    r"|received: |return-path: |x-.{0,40}: |message header follows|original message (?:headers|details)"
    r"|(?:the )?(?:first|header)[^\n]{0,60} (?:of )?(?:the|your) (?:original|rejected) )",
    re.IGNORECASE | re.MULTILINE,
)
_LABEL = re.compile(
    r"^\W{0,8}(?:from|to|cc|bcc|sender|reply-to|subject|date|sent|message-id|mail from|reporting-mta|remote-mta|x-[\w-]{1,40}"
    r"|von|an|betreff|de|à|para|da|a|oggetto|objet|asunto)\b[^:\n]{0,15}:",
    re.IGNORECASE,
)
_EXPANDED = re.compile(
    r"\((?:expanded from|generated from|ultimately generated from):?\s{0,20}<?([^\s<>()@]{1,64}@[^\s<>()]{1,255})>?\)", re.IGNORECASE
)
_EXPANDED_WITHIN = 500  # characters between an address and what it was expanded from
_ORIGINAL_ID = re.compile(rb"(?im)^message-id:[ \t]*(\S{3,998})")
_ORIGINAL_TO = re.compile(r"(?im)^to:[ \t]*([^\n]{3,998})")


def gives_evidence(root: Part, text: str) -> bool:
    """Tell whether a letter holds what only servers write: an answer of SMTP, or the mail that it returns."""
    letter, copy = _divided(text)
    return bool(copy) or bounces.encloses(root) or bool(_SERVER_SAID.search(letter))


def names_anybody(text: str) -> bool:
    """Tell whether there is an address in a letter."""
    return bool(bounces.ADDRESS.search(_divided(text)[0]))


def failures(root: Part, text: str) -> list[Failure]:
    """Return the recipients that a server's letter names in words: X-Failed-Recipients, else the addresses in its text."""
    letter, copy = _divided(text)
    letter = _unexpanded(letter)
    named = [bounces.lower_domain(box.address) for box in fields.mailboxes(root.all("x-failed-recipients"), set()) if box.address]
    sent_to = bounces.original_recipients(root) or [
        bounces.lower_domain(found[0]) for line in _ORIGINAL_TO.findall(copy)[:1] for found in bounces.ADDRESS.finditer(line)
    ]
    addresses = named or _addresses(root, letter, sent_to)
    own = _by_address(letter) if len(addresses) > 1 else {}
    original = bounces.original_id(root) or next(iter(fields.message_ids(_ORIGINAL_ID.findall(copy.encode()))), "")
    return [_failure(address, own.get(address.lower(), ""), letter, original) for address in addresses]


def _divided(text: str) -> tuple[str, str]:
    """Return a letter without the mail that it returns, and that mail."""
    letter = text[:_LETTER_CHARS_MAX]
    below = _COPY.search(letter)
    return (letter[: below.start()], letter[below.start() :]) if below else (letter, "")


def _unexpanded(letter: str) -> str:
    """Return a letter with the addresses that its server made of others replaced by those that the mail was sent to."""
    done = ""
    position = 0
    for found in _EXPANDED.finditer(letter):
        before = letter[position : found.start()]
        made = list(bounces.ADDRESS.finditer(before, max(0, len(before) - _EXPANDED_WITHIN)))
        done += f"{before[: made[-1].start()]}{found[1]}{before[made[-1].end() :]}" if made else before + found[1]
        position = found.end()
    return done + letter[position:]


def _failure(address: str, about: str, letter: str, original: str) -> Failure:
    """Return what became of one recipient: `about` is what the letter says of it."""
    status = _status(about) or _status(letter)
    reason = _reason(about) or _reason(letter)
    delayed = not status.startswith("5") and any(words in letter.lower() for words in machines.DELAYED)
    if not status:
        status = f"4{reason[1:]}" if delayed else reason
    return Failure(address, status, permanent=not delayed and not status.startswith("4"), message_id=original)


def _addresses(root: Part, letter: str, sent_to: list[str]) -> list[str]:
    """Return whom a letter names: above all those to whom the mail went, never those to whom the letter itself is addressed."""
    to_us = {
        found[0].lower()
        for name in ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
        for value in root.all(name)
        for found in bounces.ADDRESS.finditer(value.decode("utf-8", "replace"))
    }
    lines = letter.split("\n")
    for among in (_in(line for line in lines if not _LABEL.match(line)), _in(line for line in lines if _LABEL.match(line))):
        others = [address for address in among if address.lower() not in to_us]
        known = [address for address in others if address.lower() in {sent.lower() for sent in sent_to}]
        people = [address for address in others if not address.lower().startswith(_MACHINES)]
        if found := known or people or others:
            return found[: bounces.FAILURES_MAX]
    return sent_to if len(sent_to) == 1 else []


def _in(lines: Iterable[str]) -> list[str]:
    seen: dict[str, str] = {}
    for found in bounces.ADDRESS.finditer("\n".join(lines)):
        seen.setdefault(found[0].lower(), bounces.lower_domain(found[0]))
    return list(seen.values())


def _by_address(letter: str) -> dict[str, str]:
    """Return what stands after each address, up to the next one."""
    places = list(bounces.ADDRESS.finditer(letter))
    after: dict[str, str] = {}
    for here, following in zip(places, [*places[1:], None], strict=True):
        known = here[0].lower()
        after[known] = after.get(known, "") + letter[here.end() : following.start() if following else len(letter)]
    return after


def _status(letter: str) -> str:
    """Return the status or the code that a letter gives; a code is told more exactly by the words beside it."""
    if found := _STATUS.search(letter):
        return found[1]
    if code := _CODE.search(letter):
        reason = _reason(letter)
        return reason if reason.startswith(code[1][0]) else f"{code[1][0]}.0.0"
    return ""


def _reason(letter: str) -> str:
    lowered = " ".join(letter.lower().split())
    return next((status for words, status in machines.REASONS if words in lowered), "")
