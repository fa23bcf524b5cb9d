"""Which thread a mail belongs to, whether its sender may be in it, and whether it is to be answered at all.

Everything in a mail is what somebody claims. A token or a reference only proposes a thread; who takes part in it decides. Nobody comes
into the conversation of another person by knowing a thread's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

from core.model.address import Address, Strength
from core.model.channel import Channel
from core.model.ids import derive
from core.model.inbound import InboundMessage, Letter
from core.model.mail_ids import TOKEN_BYTES, message_id_of, without_token
from core.routing.handover import queue_item
from core.store import conversations, interactions, letters, parties
from core.store.api import Tx
from core.store.conversations import Person
from core.store.events import append
from core.store.letters import CANDIDATES_MAX, Filed

RECENT_MS = 30 * 24 * 3_600_000  # so long a subject alone continues a thread
LOOP_MS = 3_600_000
LOOP_ANSWERS = 20  # to one address within that time: no person writes so often, but two machines do
UNREADABLE = "unreadable"
_AGAIN = re.compile(
    r"(?:re|aw|sv|vs|antw|fw|fwd|wg|tr|rv|enc|ynt|odp|res|ref|r|i) ?(?:\[\d{1,4}\] ?|\(\d{1,4}\) ?)?[:\uff1a] ?"  # in one line, lower case
)
_SUBJECT_KEY_CHARS_MAX = 200


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a mail belongs.

    `guest_of` is the conversation of another person in whose thread the sender takes part; `stranger` says that the mail named a thread
    in which its sender has no part, so that it began one of its own.
    """

    thread: str
    guest_of: str | None = None
    stranger: bool = False


def place(tx: Tx, channel_id: str, said: InboundMessage, cause: str, at: int) -> Placed | None:
    """Return the thread of a mail: the one of its token, of its references, or of its subject, if its sender is in it; else a new one.

    None for what is no mail.
    """
    if said.letter is None:
        return None
    medium = parties.current_medium(tx, said.sender)
    party = None if medium is None else medium[1]
    refused = False
    for thread in _candidates(tx, channel_id, said.sender, said.letter, at):
        customer = letters.customer_of(tx, channel_id, thread)
        if customer is None:
            continue
        if customer[0] == party:
            return Placed(thread)
        if letters.takes_part(tx, thread, said.sender.value):
            return Placed(thread, guest_of=customer[1])
        refused = True
    return Placed(new_thread(cause), stranger=refused)


def _candidates(tx: Tx, channel_id: str, sender: Address, letter: Letter, at: int) -> Iterator[str]:
    seen: set[str] = set()
    for thread in _proposed(tx, channel_id, sender, letter, at):
        if thread not in seen and len(seen) < CANDIDATES_MAX:
            seen.add(thread)
            yield thread


def _proposed(tx: Tx, channel_id: str, sender: Address, letter: Letter, at: int) -> Iterator[str]:
    if letter.token:
        yield letter.token
    for mail_id in letter.references:
        yield from letters.threads_of_mail(tx, channel_id, mail_id)
    recent = letters.thread_of_subject(tx, channel_id, sender.value, subject_key(letter.subject), at - RECENT_MS)
    if recent is not None:
        yield recent


def new_thread(cause: str) -> str:
    """Return the name of a thread that begins with `cause`; nobody can guess it who does not know that id."""
    return blake2b(f"{cause}\x1fthread".encode(), digest_size=TOKEN_BYTES).hexdigest()


def subject_key(subject: str) -> str:
    """Return a subject in the form in which an answer has the same: without the marks of answers, in one case."""
    rest = " ".join(subject.casefold().split())
    while again := _AGAIN.match(rest):
        rest = rest[again.end() :]
    return rest[:_SUBJECT_KEY_CHARS_MAX]


def guest(tx: Tx, conversation_id: str, address: Address, channel_id: str) -> Person:
    """Return somebody who takes part in the thread of another person: nothing is known of them, and the conversation is the other's."""
    conversation = conversations.load(tx, conversation_id)
    party = parties.get(tx, conversation.party_id) or {}
    opened = interactions.open_of(tx, conversation_id, channel_id, address.value)
    interaction_id, last_at = opened or (None, 0)
    return Person(
        address=address,
        medium_id="",
        strength=Strength.CLAIMED,
        opted_out=False,
        role=party["role"],
        name=None,
        language=party["language"],
        facts={},
        interaction_id=interaction_id,
        reason=None,
        last_at=last_at,
        conversation=conversation,
    )


def file_heard(tx: Tx, channel: Channel, person: Person, said: InboundMessage, placed: Placed, message_id: str, at: int) -> str | None:
    """File a mail that came in. Return None if the dialog is to answer it, else why a person must, which is empty if nobody needs to.

    A stranger's references are not kept: they belong to somebody else's thread. What came to another mailbox of ours as well is answered
    from there.
    """
    letter = said.letter or Letter()
    conversation, sender = person.conversation, said.sender
    filed = Filed(
        message_id=message_id,
        channel_id=channel.id,
        conversation_id=conversation.id,
        address=sender.value,
        direction="inbound",
        thread=placed.thread,
        subject_key=subject_key(letter.subject),
        at=at,
    )
    letters.insert(tx, filed, letter)
    if placed.stranger:
        append(tx, conversation, "mail.stranger", at, ref=message_id)
    else:
        letters.refer(tx, channel.id, placed.thread, letter.references)
    if letter.automatic:
        return "unreadable_mail" if letter.automatic == UNREADABLE else ""
    copied = letters.copy_of(tx, filed, letter.mail_id, said.external_id)
    if copied is not None:
        append(tx, conversation, "mail.copy", at, ref=message_id, body={"of": copied})
        return ""
    named = {without_token(address.lower()) for address in (*letter.to, *letter.cc)}
    letters.add_participants(tx, placed.thread, sorted(named - {channel.address.value, sender.value}))
    if placed.guest_of is not None:
        return "mail_guest"
    parties.set_unreachable(tx, sender, None)
    loops = letters.answers_since(tx, conversation.id, sender.value, at - LOOP_MS) >= LOOP_ANSWERS
    return "mail_loop" if loops else None


def conceal(tx: Tx, message_id: str, said: InboundMessage) -> None:
    """Forget what a mail says beside its text, of which the dialog has found that it is a secret."""
    letters.conceal(tx, message_id, said.text)


def hand_over(tx: Tx, person: Person, interaction_id: str, queue: str, reason: str, cause: str, at: int) -> None:
    """Let a conversation wait for a person because of a mail; nothing happens without a reason."""
    if not reason:
        return
    card = {"wanted": person.reason, "reason": reason}
    item_id = derive(cause, "work_item")
    queue_item(tx, person.conversation, item_id, interaction_id=interaction_id, queue=queue, reason=reason, card=card, at=at)


def file_said(tx: Tx, channel: Channel, recipient: Address, *, message_id: str, conversation_id: str, at: int) -> None:
    """File a mail of ours when it is written, so that an answer finds it however quick it is."""
    heard = letters.latest_heard(tx, channel.id, conversation_id, recipient.value)
    answers, thread = heard or (None, new_thread(message_id))
    filed = Filed(
        message_id=message_id,
        channel_id=channel.id,
        conversation_id=conversation_id,
        address=recipient.value,
        direction="outbound",
        thread=thread,
        answers=answers,
        at=at,
    )
    letters.insert(tx, filed, Letter(mail_id=message_id_of(message_id, channel.address.value.rpartition("@")[2])))
