"""What a mail means to the gateway: something a person said, a report on a mail of ours, or something that is recorded only.

Nothing in a mail proves who sent it, and nothing here believes it; that a mail or a thread is ours is checked against the record. Must
not know a provider.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b

from channels import email_addresses, texts
from channels.mail.model import Attachment, Failure, Kind, Mail, Mailbox
from core.model.address import Address, AddressKind
from core.model.inbound import DeliveryReport, Ignored, InboundEvent, InboundMessage, Letter, Media
from core.model.mail_ids import message_of, token_of, without_token
from core.model.outbound import DeliveryStatus

TEXT_CHARS_MAX = 100_000  # of what we say
HEARD_CHARS_MAX = 200_000
QUOTED_CHARS_MAX = 50_000
SUBJECT_CHARS_MAX = 500
REFERENCES_MAX = 50
MAIL_ID_CHARS_MAX = 400
_PEOPLE_MAX = 50
_UNREADABLE = "unreadable"
_ABOUT_THE_MAIL = ("4.", "5.2.2", "5.2.3", "5.3.4", "5.6.", "5.7.")  # away, too full, too large, refused: the address may be there


def events_of(mail: Mail, *, sender: str | None, recipients: Sequence[str], raw: bytes) -> list[InboundEvent]:
    """Return the events of a mail.

    `sender` and `recipients` are those of the envelope; the sender is empty for a null one and None where nobody told. `raw` stands for
    the mail where it has no id of its own.
    """
    if mail.kind in {Kind.BOUNCE, Kind.COMPLAINT}:
        ours = [failure for failure in mail.failures if message_of(failure.message_id)]
        if ours:
            return [_report(mail.kind, failure) for failure in ours]
    ours_too = {without_token(address).lower() for address in recipients}
    author = author_of(mail.sender.address or sender or "", raw)
    own = without_token(author.value) in ours_too
    wrote = email_addresses.mailbox(mail.author.address) if mail.author else author
    behind_list = wrote is not None and without_token(wrote.value) not in ours_too and sender != ""
    return [
        InboundMessage(
            _external_id(mail, raw),
            author,
            Address(AddressKind.EMAIL, without_token(recipients[0]).lower() if recipients else ""),
            _said(mail),
            media=tuple(_media(one) for one in mail.attachments),
            sent_at=round(mail.date.timestamp() * 1_000) if mail.date and 1970 < mail.date.year < 9000 else None,
            profile_name=texts.clean(mail.sender.name) or None,
            letter=Letter(
                mail_id=texts.clean(mail.message_id)[:MAIL_ID_CHARS_MAX],
                subject=texts.clean(mail.subject)[:SUBJECT_CHARS_MAX],
                to=_people(mail.to),
                cc=_people(mail.cc),
                references=_references(mail),
                token=_token(mail, recipients),
                automatic=_automatic(mail, sender, own=own),
                through=mail.through if behind_list else (),
                author=wrote.value if mail.author and wrote else "",
                author_name=texts.clean(mail.author.name) if mail.author else "",
                quoted=texts.clean(mail.divided.quoted)[:QUOTED_CHARS_MAX],
                signature=texts.clean(mail.divided.signature)[:QUOTED_CHARS_MAX],
                safe_html=texts.clean(mail.safe_html),
            ),
        )
    ]


def handed_on(event: InboundEvent, ours: Sequence[str]) -> InboundEvent:
    """Return an event as it is for who owns the addresses `ours`: a person's mail that came through no list but ours is a person's."""
    letter = event.letter if isinstance(event, InboundMessage) else None
    if not isinstance(event, InboundMessage) or letter is None or not letter.through:
        return event
    known = {box.value for address in ours if (box := email_addresses.mailbox(address))}
    names = known | {address.replace("@", ".") for address in known}  # the latter is how lists make their ids
    author = Address(AddressKind.EMAIL, letter.author) if letter.author else event.sender
    if without_token(author.value) in known or not names.issuperset(letter.through):
        return event
    name = letter.author_name or None if letter.author else event.profile_name
    told = letter.automatic if letter.automatic == _UNREADABLE else ""
    return replace(event, sender=author, profile_name=name, letter=replace(letter, automatic=told))


def incomplete(events: Sequence[InboundEvent], why: str) -> list[InboundEvent]:
    """Return what stands for a mail of which only the header is here: a person has to look at it."""
    return [
        replace(event, text=why, letter=_unread(event.letter)) if isinstance(event, InboundMessage) and event.letter is not None else event
        for event in events
    ]


def _unread(letter: Letter) -> Letter:
    """Return a letter that a person has to look at, unless a machine wrote it; through a list it may be a person's."""
    return replace(letter, automatic=letter.automatic if letter.automatic and not letter.through else _UNREADABLE)


def author_of(claimed: str, raw: bytes) -> Address:
    """Return whom a mail is from; one that nobody could answer gets an address of its own, so that it is not taken for another's."""
    known = email_addresses.mailbox(claimed)
    return known or Address(AddressKind.EMAIL, f"{blake2b(raw, digest_size=8).hexdigest()}@no-sender.invalid")


def _said(mail: Mail) -> str:
    """Return what is new in a mail; the whole of it where nothing could be told apart, the subject where nothing is new."""
    new = mail.divided.text or ("" if mail.divided.quoted else mail.body)
    return texts.clean(new.strip() or mail.subject)[:HEARD_CHARS_MAX]


def _external_id(mail: Mail, raw: bytes) -> str:
    """Return an id for this mail: its own one counts only together with what it says, lest a forged one swallow another's mail."""
    if not mail.message_id:
        return f"raw:{blake2b(raw, digest_size=16).hexdigest()}"
    says = blake2b(digest_size=16)
    for part in (mail.sender.address, mail.subject, mail.date.isoformat() if mail.date else "", mail.body):
        says.update(part.encode("utf-8", "surrogatepass") + b"\x00")
    for attached in mail.attachments:
        says.update(blake2b(attached.content, digest_size=16).digest())
    return f"{texts.clean(mail.message_id)[:MAIL_ID_CHARS_MAX]}:{says.hexdigest()}"


def _people(named: Sequence[Mailbox]) -> tuple[str, ...]:
    """Return addresses in the form in which senders are known; what is no address, as it stands."""
    return tuple(
        known.value if (known := email_addresses.mailbox(box.address)) else texts.clean(box.address) for box in named[:_PEOPLE_MAX]
    )


def _references(mail: Mail) -> tuple[str, ...]:
    """Return what a mail answers, the nearest first."""
    nearest = dict.fromkeys((*mail.in_reply_to, *reversed(mail.references)))
    return tuple(texts.clean(known) for known in nearest if len(known) <= MAIL_ID_CHARS_MAX)[:REFERENCES_MAX]


def _token(mail: Mail, recipients: Sequence[str]) -> str:
    """Return the thread that the mail was sent to; mailboxes that are fetched know it only from the header."""
    addressed = (*recipients, *(box.address for box in (*mail.to, *mail.cc)))
    return next((token for address in addressed if (token := token_of(address))), "")


def _automatic(mail: Mail, sender: str | None, *, own: bool) -> str:
    if mail.kind is not Kind.PERSON:
        return mail.kind.value
    return Kind.AUTO_REPLY.value if sender == "" or own else ""


def _report(kind: Kind, failure: Failure) -> InboundEvent:
    """Return what a bounce or complaint says of a mail of ours."""
    recipient = email_addresses.mailbox(failure.address)
    message_id, code = message_of(failure.message_id), failure.status or None
    if kind is Kind.COMPLAINT:
        return DeliveryReport(
            failure.message_id, DeliveryStatus.DELIVERED, message_id, "complaint", recipient=recipient, verdict="opted_out"
        )
    if not failure.permanent:
        return Ignored("delayed")
    verdict = "" if (failure.cause or failure.status).startswith(_ABOUT_THE_MAIL) else "unreachable"
    return DeliveryReport(failure.message_id, DeliveryStatus.UNDELIVERED, message_id, code, recipient=recipient, verdict=verdict)


def _media(attached: Attachment) -> Media:
    main = attached.content_type.partition("/")[0]
    return Media(
        main if main in {"image", "audio", "video"} else "document",
        content_type=attached.content_type,
        name=attached.name,
        values={"content_id": attached.content_id} if attached.content_id else {},
        content=attached.content,
    )
