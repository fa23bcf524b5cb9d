"""Statements over letters: what a message has that is a mail, the threads that mails form, and who takes part in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from core.model.inbound import Letter
from core.store.api import Tx
from core.store.documents import decode, encode

CANDIDATES_MAX = 20
_INSERT = (
    "insert into letter (message_id, channel_id, conversation_id, address, direction, thread, mail_id, subject_key, automatic, answers,"
    " header, body, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_BODY = ("quoted", "signature", "safe_html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """Where a letter belongs. `address` is the other side's; `answers` is the message that one of ours answers."""

    message_id: str
    channel_id: str
    conversation_id: str
    address: str
    direction: str
    thread: str
    subject_key: str = ""
    answers: str | None = None
    at: int


def insert(tx: Tx, filed: Filed, letter: Letter) -> None:
    """File a letter."""
    body = {name: value for name in _BODY if (value := getattr(letter, name))}
    header: dict[str, Any] = {"subject": letter.subject, "to": letter.to, "cc": letter.cc, "references": letter.references}
    if body:
        header["more"] = sorted(body)
    tx.execute(
        _INSERT,
        (
            filed.message_id,
            filed.channel_id,
            filed.conversation_id,
            filed.address,
            filed.direction,
            filed.thread,
            letter.mail_id,
            filed.subject_key,
            letter.automatic,
            filed.answers,
            encode(header),
            encode(body),
            filed.at,
        ),
    )


def conceal(tx: Tx, message_id: str, text: str) -> None:
    """Forget what a mail says, which was a secret: its quotation, signature and look, and a subject with a word of `text`."""
    row = tx.one("select header, subject_key from letter where message_id = ?", (message_id,))
    if row is None:
        return
    known, key = decode(row[0]), row[1]
    known.pop("more", None)
    if any(word in known["subject"] for word in text.split()):
        known["subject"], key = "", ""
    tx.execute("update letter set header = ?, subject_key = ?, body = ? where message_id = ?", (encode(known), key, encode({}), message_id))


def refer(tx: Tx, channel_id: str, thread: str, mail_ids: Iterable[str]) -> None:
    """Say that a thread refers to mails."""
    tx.many(
        "insert into letter_reference (channel_id, mail_id, thread) values (?, ?, ?) on conflict do nothing",
        [(channel_id, mail_id, thread) for mail_id in mail_ids],
    )


def add_participants(tx: Tx, thread: str, addresses: Iterable[str]) -> None:
    """Say who else takes part in a thread."""
    tx.many(
        "insert into thread_participant (thread, address) values (?, ?) on conflict do nothing",
        [(thread, address) for address in addresses],
    )


def takes_part(tx: Tx, thread: str, address: str) -> bool:
    """Tell whether mails of a thread were addressed to somebody."""
    return tx.one("select 1 from thread_participant where thread = ? and address = ?", (thread, address)) is not None


def threads_of_mail(tx: Tx, channel_id: str, mail_id: str) -> list[str]:
    """Return the threads that a mail is in, then those that refer to it; the oldest first, so that nobody can push them out."""
    own = tx.all(
        "select thread from letter where channel_id = ? and mail_id = ? and mail_id <> '' order by created_at limit ?",
        (channel_id, mail_id, CANDIDATES_MAX),
    )
    referring = tx.all(
        "select thread from letter_reference where channel_id = ? and mail_id = ? order by thread limit ?",
        (channel_id, mail_id, CANDIDATES_MAX),
    )
    return [row[0] for row in (*own, *referring)]


def thread_of_subject(tx: Tx, channel_id: str, address: str, subject_key: str, since: int) -> str | None:
    """Return the thread of the latest mail that somebody wrote under a subject since then, None if there is none."""
    row = tx.one(
        "select thread from letter where channel_id = ? and address = ? and subject_key = ? and subject_key <> ''"
        " and direction = 'inbound' and created_at > ? order by created_at desc limit 1",
        (channel_id, address, subject_key, since),
    )
    return None if row is None else str(row[0])


def customer_of(tx: Tx, channel_id: str, thread: str) -> tuple[str, str] | None:
    """Return the party whose thread it is, as it is known today, with its conversation; None if there is no such thread on the channel."""
    row = tx.one(
        "select coalesce(p.merged_into, p.id) from letter l join conversation c on c.id = l.conversation_id"
        " join party p on p.id = c.party_id where l.thread = ? and l.channel_id = ? order by l.created_at limit 1",
        (thread, channel_id),
    )
    if row is None:
        return None
    conversation = tx.one("select id from conversation where party_id = ?", (row[0],))
    return None if conversation is None else (row[0], conversation[0])


def latest_heard(tx: Tx, channel_id: str, conversation_id: str, address: str) -> tuple[str, str] | None:
    """Return message and thread of the latest mail that a person wrote from an address in a conversation, None if there is none."""
    row = tx.one(
        "select message_id, thread from letter where conversation_id = ? and channel_id = ? and address = ? and direction = 'inbound'"
        " and automatic = '' order by created_at desc limit 1",
        (conversation_id, channel_id, address),
    )
    return None if row is None else (row[0], row[1])


def copy_of(tx: Tx, filed: Filed, mail_id: str, external_id: str) -> str | None:
    """Return the message that is the same mail as it came to another mailbox of ours before, None if there is none."""
    row = tx.one(
        "select l.message_id from letter l join message m on m.id = l.message_id where l.mail_id = ? and l.mail_id <> '' and l.address = ?"
        " and l.direction = 'inbound' and l.channel_id <> ? and m.cause_id = ? order by l.created_at limit 1",
        (mail_id, filed.address, filed.channel_id, external_id),
    )
    return None if row is None else str(row[0])


def answers_since(tx: Tx, conversation_id: str, address: str, since: int) -> int:
    """Return how many mails the bot wrote to an address since then."""
    row = tx.one(
        "select count(*) from letter l join message m on m.id = l.message_id where l.conversation_id = ? and l.created_at > ?"
        " and l.address = ? and l.direction = 'outbound' and m.author = 'bot'",
        (conversation_id, since, address),
    )
    return 0 if row is None else int(row[0])


def of_outgoing(tx: Tx, message_id: str) -> Letter | None:
    """Return the mail that a message of ours answers, with the thread of both; None for a message that is no mail."""
    row = tx.one(
        "select l.thread, a.mail_id, a.header from letter l left join letter a on a.message_id = l.answers where l.message_id = ?",
        (message_id,),
    )
    if row is None:
        return None
    thread, mail_id, header = row
    if header is None:
        return Letter(token=thread)
    known = decode(header)
    return Letter(mail_id=mail_id, subject=known["subject"], references=tuple(known["references"]), token=thread)


def follow(tx: Tx, message_id: str, earlier: str) -> None:
    """Put a mail of ours, if it is one, where an earlier one is whose place it takes: into that thread, answering what that answered."""
    tx.execute(
        "update letter set thread = e.thread, answers = e.answers from letter e where letter.message_id = ? and e.message_id = ?",
        (message_id, earlier),
    )


def shown(automatic: str, header: str) -> dict[str, Any]:
    """Return what the desk shows of a mail; `more` names what else there is to be had of it."""
    known = decode(header)
    made = {name: known[name] for name in ("subject", "to", "cc", "more") if known.get(name)}
    return made | ({"automatic": automatic} if automatic else {})


def body_of(tx: Tx, message_id: str) -> tuple[str, dict[str, str]] | None:
    """Return the conversation of a mail and what is shown of it on demand: quoted, signature, safe_html, as far as it has them."""
    row = tx.one("select conversation_id, body from letter where message_id = ?", (message_id,))
    return None if row is None else (row[0], decode(row[1]))
