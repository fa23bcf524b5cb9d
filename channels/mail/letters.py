"""Reads the letters in which servers return mail without a delivery status: whom they name, and what they give as the reason.

Must not decide whether a mail is such a letter; that is `kinds`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from channels.mail import bounces, fields, machines, reasons
from channels.mail.mime import Part
from channels.mail.model import Failure

_LETTER_CHARS_MAX = 20_000
_MACHINES = ("mailer-daemon", "postmaster", "mail-daemon", "bounce", "noreply", "no-reply", "abuse", "support", "helpdesk")
_SERVER_SAID = re.compile(
    r"(?:said|replied|reason|response|responded|error|code|status|diagnostic|<<<|>>>)[^\n\w]{0,12}(?:smtp[ ;:]{0,3})?"
    r"(?:code )?[45]\d\d\b|\b[45]\d\d[ -]#?[45]\.\d\.\d|\(#[45]\.\d\.\d",
    re.IGNORECASE,
)
_COPY = re.compile(
    r"^(?:[ \t]{0,8}-{2,}[ \t]*(?:below this line is a copy|this is a copy|original message|message header|returned m|unsent message"
    r"|undelivered message|the header of the original|original mail|the header and)"
    r"|[ \t]?(?:received: |return-path: |x-.{0,40}: |message header follows|original message (?:headers|details)"
    r"|(?:the )?(?:first|header)[^\n]{0,60} (?:of )?(?:the|your) (?:original|rejected) ))",
    re.IGNORECASE | re.MULTILINE,
)
_LIST_FOLLOWS = re.compile(
    r"(?:(?:following|failed|these)[ \t]{1,4}(?:e-?mail )?(?:address|recipient|user|person|empf|destinat)|failed recipients)[^\n]{0,80}\n",
    re.IGNORECASE,
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
_ORIGINAL_FROM = re.compile(r"(?im)^[ \t]?from:[ \t]*([^\n]{3,998})")
_OWN_LINE = re.compile(r"(?m)^[ \t*<\"'-]{0,9}[^\s<>@,:;\"]{1,64}@[^\s<>@,:;\"]{4,255}[>\"'.: \t]{0,5}(?:<[^\s<>]{1,320}>[ \t]{0,5})?$")
_ORIGINAL_TO = re.compile(r"(?im)^to:[ \t]*([^\n]{3,998})")


def gives_evidence(root: Part, text: str) -> bool:
    """Tell whether a letter holds what servers write: an answer of SMTP, or the mail that it returns."""
    return bool(_SERVER_SAID.search(_divided(text)[0])) or returns_mail(root, text)


def returns_mail(root: Part, text: str) -> bool:
    """Tell whether a letter holds the mail that it returns; people who pass a letter on have the letter there."""
    first = _ORIGINAL_FROM.search(_divided(text)[1])
    return bool(first and not _of_server(first[1])) or any(not _of_server(sender) for sender in bounces.original_senders(root))


def _of_server(sender: str) -> bool:
    plain = sender.lower()
    return any(word in plain for word in (*machines.SERVERS, *machines.SERVER_NAMES))


def lists_anybody(text: str) -> bool:
    """Tell whether an address has a line of its own in a letter."""
    return bool(_OWN_LINE.search(_divided(text)[0]))


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
    own = _by_address(letter)
    original = next(iter(fields.message_ids(_ORIGINAL_ID.findall(copy.encode()))), "") or bounces.original_id(root)
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
    status = reasons.status(about) or reasons.status(letter)
    delayed = not status.startswith("5") and any(words in letter.lower() for words in machines.DELAYED)
    if not status:
        meant = reasons.meaning(about) or reasons.meaning(letter)
        status = f"4{meant[1:]}" if delayed and meant else meant
    return Failure(address, status, permanent=not delayed, message_id=original)


def _addresses(root: Part, letter: str, sent_to: list[str]) -> list[str]:
    """Return whom a letter names: above all those to whom the mail went, never the letter's own sender and recipients."""
    not_meant = {
        found[0].lower()
        for name in ("from", "to", "cc", "delivered-to", "envelope-to")
        for value in root.all(name)
        for found in bounces.ADDRESS.finditer(value.decode("utf-8", "replace"))
    }
    listed = _LIST_FOLLOWS.search(letter)
    below = letter[listed.end() :].split("\n") if listed else []
    lines = letter.split("\n")
    named = (
        _in(line for line in below if not _LABEL.match(line)),
        _in(line for line in lines if not _LABEL.match(line)),
        _in(line for line in lines if _LABEL.match(line)),
    )
    for among in named:
        others = [address for address in among if address.lower() not in not_meant]
        known = [address for address in others if address.lower() in {sent.lower() for sent in sent_to}]
        people = [address for address in others if not address.lower().startswith(_MACHINES) and "." in address.partition("@")[2]]
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
    for here, following in zip(places, [*places[1:], None], strict=False):
        known = here[0].lower()
        after[known] = after.get(known, "") + letter[here.end() : following.start() if following else len(letter)]
    return after
