"""One turn of a conversation: what happened is recorded, the dialog advances, replies and work are written, in one unit of work.

Nothing here sends, waits or reads a clock; what must happen outside comes back in the `Outcome`, after the commit.
"""

from __future__ import annotations

from collections.abc import Mapping

from core import calls, corrections, letters, lines, media, record
from core.advance import Advance, Outcome, TurnRules
from core.arrival import Arrival
from core.identity import people
from core.model.address import Address, AddressKind
from core.model.channel import Channel
from core.model.dialog import (
    ActionDone,
    ActionHeld,
    ActionLate,
    Corrects,
    Dialog,
    DialogInput,
    HandedBack,
    Said,
    SessionEnded,
    TimerFired,
)
from core.model.ids import derive
from core.model.inbound import ContactSignal, InboundMessage, Session
from core.model.outbound import Author, OutboundMessage
from core.record import Link
from core.record_actions import set_consent
from core.sessions import close_when_silent, new_part
from core.store import actions, conversations, interactions, journal, messages, timers
from core.store.api import Tx
from core.store.conversations import Person
from core.store.documents import decode, encode
from core.store.events import append

TEXT_MAX_CHARS = 4_000
TOUCH_MS = 15_000  # the time of the latest word is kept to this precision


class Turns:
    """The use cases that take a conversation on; holds no state but its configuration."""

    def __init__(self, dialog: Dialog, channels: Mapping[str, Channel], rules: TurnRules) -> None:
        self._channels = channels
        self._rules = rules
        self._advance = Advance(dialog, channels, rules)

    def receive(self, tx: Tx, arrival: Arrival, said: InboundMessage, *, sorry: bool = False) -> Outcome:
        """Take in a message. One that came before changes nothing and gets the answer that was given then.

        `sorry` is for the second run, when the dialog failed in the first: the message is recorded and gets an apology.
        """
        earlier = journal.find(tx, arrival.channel.id, said.external_id)
        if earlier is not None:
            return Outcome(earlier.conversation_id, earlier.answer, duplicate=True)
        placed = letters.place(tx, arrival.channel.id, said, arrival.id, arrival.received_at)
        person, link = self._meet(tx, arrival, said.sender, placed.guest_of if placed else None, people.own_number(said))
        if said.language_hint:
            people.assume_language(tx, person, said.language_hint, self._rules.languages)
        if said.profile_name:
            people.hear_name(tx, person, said.profile_name)
        what = self._heard(tx, person, link, arrival, said)
        aside = letters.file_heard(tx, arrival.channel, person, said, placed, arrival.id, arrival.received_at) if placed else arrival.aside
        aside = "" if what.corrects is Corrects.EARLIER else aside
        request = None if arrival.missed_at is not None else (arrival.channel.id, said.external_id)
        if aside is None:
            outcome = self._go_on(tx, person, link, what, arrival.id, arrival.received_at, request, sorry=sorry)
        else:
            outcome = self._set_aside(tx, person, link, arrival, aside)
        if media.record(tx, arrival.id, arrival.channel.id, said.media, arrival.received_at):
            outcome.wake.add("media")
        raw = record.MASK if outcome.concealed else arrival.raw
        if outcome.concealed and placed:
            letters.conceal(tx, arrival.id, said)
        journal.insert(
            tx, arrival.channel.id, said.external_id, arrival.id, outcome.conversation_id, arrival.received_at, raw, outcome.answer
        )
        return outcome

    def signal(self, tx: Tx, arrival: Arrival, signal: ContactSignal, *, quiet: bool = False) -> Outcome:
        """Take in something that is not a message: a session that ended, a visitor who came, a change of consent.

        `quiet` is for the second run, when the dialog failed in the first: the dialog is not told.
        """
        earlier = journal.find(tx, arrival.channel.id, signal.external_id)
        if earlier is not None:
            return Outcome(answer=earlier.answer or arrival.channel.acknowledge(()), duplicate=True)
        person, link = self._meet(tx, arrival, signal.sender)
        outcome = self._signalled(tx, person, link, arrival, signal, quiet=quiet)
        outcome.answer = outcome.answer or arrival.channel.acknowledge(())
        journal.insert(
            tx, arrival.channel.id, signal.external_id, arrival.id, person.conversation.id, arrival.received_at, arrival.raw, outcome.answer
        )
        return outcome

    def action_done(self, tx: Tx, action_id: str, done: ActionDone, at: int, *, waiting: bool, sorry: bool = False) -> Outcome:
        """Take in the end of an action. `waiting`: the request which caused it is still open in this process. `sorry`: as in `receive`."""
        row = actions.find(tx, action_id)
        if row is None or not actions.end(tx, action_id, at, done.error):
            return Outcome(duplicate=True)
        try:
            person, link = self._return_to(tx, row.interaction_id, row.conversation_id)
        except KeyError:  # the address has another owner by now, or its channel is gone: nobody is left to tell
            return self._let_go(tx, row.conversation_id, action_id, done, at)
        request = None
        waiting = waiting or calls.is_held(row, at)
        if waiting and not row.late and row.inbound_channel is not None and row.inbound_external is not None:
            request = (row.inbound_channel, row.inbound_external)
        append(tx, person.conversation, "action.ended", at, ref=action_id, body={"name": done.name, "error": done.error})
        cause = derive(action_id, "done")
        outcome = self._go_on(tx, person, link, done, cause, at, request, sorry=sorry)
        if request is not None and outcome.answer is not None:
            journal.set_answer(tx, *request, outcome.answer)
            outcome.answers = request
        elif request is not None and outcome.action is not None:
            calls.pass_on(tx, row, outcome.action.key, at)
        return outcome

    def action_late(self, tx: Tx, action_id: str, at: int) -> Outcome:
        """Answer the open request of an action that takes too long; if it has just ended, return the answer that it gave.

        Whoever can be kept on the line is asked to wait; for others the session ends, and the result follows.
        """
        row = actions.find(tx, action_id)
        if row is None or row.inbound_channel is None or row.inbound_external is None:
            return Outcome()
        request = (row.inbound_channel, row.inbound_external)
        entry = journal.find(tx, *request)
        if entry is not None and entry.answer is not None:
            return Outcome(row.conversation_id, entry.answer)
        running = actions.awaited(tx, *request)  # another one by now, if the flow went on from the first to the next
        current = None if running is None else actions.find(tx, running)
        if running is None or current is None:
            return Outcome(row.conversation_id)
        try:
            person, link = self._return_to(tx, row.interaction_id, row.conversation_id)
        except KeyError:  # as in `action_done`, which follows
            actions.set_late(tx, running)
            return Outcome(row.conversation_id)
        until = calls.held_until(current, link.channel)
        if at < until:
            asked = ActionHeld(running, again=current.held_until is not None)
            message_id, answer = self._advance.hold(person, link, asked, derive(running, f"held:{request[1]}"), at)
            calls.keep(tx, current, request, message_id, answer, until, at)
            return Outcome(row.conversation_id, answer)
        actions.set_late(tx, running)
        outcome = self._advance.run(tx, person, link, ActionLate(running), derive(running, "late"), at, request=request)
        if outcome.answer is not None:
            journal.set_answer(tx, *request, outcome.answer)
        return outcome

    def in_line(self, tx: Tx, channel: Channel, signal: ContactSignal, at: int) -> OutboundMessage | None:
        """Return what a caller hears who waits in a line for people, or is called out of it; None if nobody waits for them any more."""
        return lines.heard(tx, self._advance, channel, signal, at)

    def timer(self, tx: Tx, conversation_id: str, kind: str, at: int) -> Outcome:
        """Carry out a timer that is due; nothing happens if another was quicker."""
        taken = timers.take(tx, conversation_id, kind, at)
        if taken is None:
            return Outcome(duplicate=True)
        payload, interaction_id = taken
        if kind.startswith("close:"):
            closed = close_when_silent(tx, conversation_id, kind.removeprefix("close:"), at, self._rules.close_after_ms)
            return Outcome(conversation_id, wake={"events"} if closed else set())
        if interaction_id is None:
            return Outcome(conversation_id)
        person, link = self._return_to(tx, interaction_id, conversation_id)
        cause = derive(interaction_id, f"timer:{kind}:{person.conversation.version}")
        return self._advance.run(tx, person, link, TimerFired(kind, decode(payload)), cause, at, request=None)

    def hand_back(self, tx: Tx, conversation_id: str, interaction_id: str, *, closed: bool, at: int) -> Outcome:
        """Tell the dialog that the agent has left; to be called after the ownership was given back to the bot."""
        person, link = self._return_to(tx, interaction_id, conversation_id)
        cause = derive(interaction_id, f"back:{person.conversation.version}")
        return self._advance.run(tx, person, link, HandedBack(closed), cause, at, request=None)

    def _let_go(self, tx: Tx, conversation_id: str, action_id: str, done: ActionDone, at: int) -> Outcome:
        conversation = conversations.load(tx, conversation_id)
        conversation.state = None
        append(tx, conversation, "action.ended", at, ref=action_id, body={"name": done.name, "error": done.error or "line_gone"})
        conversations.save(tx, conversation)
        return Outcome(conversation_id, wake={"events"})

    def _go_on(
        self, tx: Tx, person: Person, link: Link, what: DialogInput, cause: str, at: int, request: tuple[str, str] | None, *, sorry: bool
    ) -> Outcome:
        if sorry:
            return self._advance.apologise(tx, person, link, cause, at, request=request)
        return self._advance.run(tx, person, link, what, cause, at, request=request)

    def _set_aside(self, tx: Tx, person: Person, link: Link, arrival: Arrival, reason: str) -> Outcome:
        """Leave alone what the dialog must not answer; with a reason, a person gets it."""
        letters.hand_over(tx, person, link.interaction_id, self._rules.queue, reason, arrival.id, arrival.received_at)
        return self._advance.finish(tx, person, link, Outcome(person.conversation.id, arrival.channel.acknowledge(())))

    def _meet(
        self, tx: Tx, arrival: Arrival, sender: Address, guest_of: str | None = None, own: Address | None = None
    ) -> tuple[Person, Link]:
        guest = letters.guest(tx, guest_of, sender, arrival.channel.id) if guest_of else None
        person = guest or people.meet(tx, sender, arrival.channel, arrival.id, arrival.received_at, own)
        if person.interaction_id is None:
            person.interaction_id = derive(arrival.id, "interaction")
            self._open(tx, person, arrival.channel, "inbound", arrival.received_at)
        elif arrival.received_at - person.last_at > TOUCH_MS:
            interactions.touch(tx, person.interaction_id, arrival.received_at)
        return person, Link(arrival.channel, sender, person.interaction_id)

    def _open(self, tx: Tx, person: Person, channel: Channel, direction: str, at: int) -> None:
        interaction_id = person.interaction_id or ""
        interactions.open_one(
            tx,
            person.conversation,
            interaction_id,
            channel=channel,
            address=person.address,
            direction=direction,
            contact_type=person.role,
            at=at,
        )
        timers.set_one(tx, person.conversation.id, f"close:{interaction_id}", at + self._rules.close_after_ms, {}, interaction_id)

    def _heard(self, tx: Tx, person: Person, link: Link, arrival: Arrival, said: InboundMessage) -> Said:
        conversation = person.conversation
        session, texts = new_part(conversation, arrival.channel.id, said)
        if session is Session.NEW:
            actions.set_all_late(tx, conversation.id, arrival.channel.id)  # whoever begins anew reads no answer to an earlier request
            if arrival.channel.capabilities.hold_s:
                actions.drop_held(tx, conversation.id)
        shown = "*".join(texts) if texts else said.text
        content, corrects = corrections.place(tx, conversation.id, arrival.channel.id, arrival.id, said)
        if said.media:
            content["media"] = messages.media_documents(said.media)
        record.hear(
            tx,
            conversation,
            link,
            message_id=arrival.id,
            text=shown,
            content=encode(content) if content else None,
            at=arrival.said_at,
            late=arrival.missed_at is not None,
            external_id=said.external_id,
            author=Author.SYSTEM if said.letter and said.letter.automatic else Author.CUSTOMER,
        )
        own = people.own_number(said) if conversation.owner == "bot" else None
        heard = tuple(text[:TEXT_MAX_CHARS] for text in texts)
        return Said(heard, said.choice, said.media, session, said.session_id, corrects, own.value if own else "")

    def _signalled(self, tx: Tx, person: Person, link: Link, arrival: Arrival, signal: ContactSignal, *, quiet: bool) -> Outcome:
        conversation = person.conversation
        request: tuple[str, str] | None = None
        what: DialogInput | None = None
        match signal.signal:
            case "hung_up":
                calls.hung_up(tx, conversation, signal.session_id, arrival.received_at)
                unheard = bool(arrival.channel.capabilities.hold_s) and actions.drop_held(tx, conversation.id)
                if conversation.session_id == signal.session_id:
                    conversation.session_channel = conversation.session_id = conversation.session_seen = None
                    actions.set_all_late(tx, conversation.id, arrival.channel.id)  # nobody reads the answer: the result is to follow
                elif not unheard:
                    calls.not_answered(tx, conversation, signal.value, arrival.received_at)
                    return self._advance.finish(tx, person, link, Outcome(conversation.id))
                what = SessionEnded(signal.session_id, unheard=unheard)
            case "dialled":
                request = (arrival.channel.id, signal.external_id)
                what = calls.ended(tx, conversation, signal.session_id or "", signal.value, arrival.received_at)
            case "joined" if conversation.state is None:
                people.assume_language(tx, person, signal.value, self._rules.languages)
                what = Said(session=Session.NEW)
            case "opted_out" | "opted_in":
                set_consent(tx, person, opted_in=signal.signal == "opted_in", at=arrival.received_at)
        if what is None or (quiet and request is None):
            return self._advance.finish(tx, person, link, Outcome(conversation.id))
        if quiet:
            return self._advance.apologise(tx, person, link, arrival.id, arrival.received_at, request=request)
        return self._advance.run(tx, person, link, what, arrival.id, arrival.received_at, request=request)

    def _return_to(self, tx: Tx, interaction_id: str, conversation_id: str) -> tuple[Person, Link]:
        """Return the person of an interaction and the line on which they can be answered now."""
        stored = interactions.get(tx, interaction_id)
        if stored is None:
            raise KeyError(interaction_id)
        channel = self._channels[stored["channel_id"]]
        address = Address(AddressKind(stored["address_kind"]), stored["address"])
        person = conversations.person(tx, address, channel.id)
        if person is None or person.conversation.id != stored["conversation_id"]:
            raise KeyError(conversation_id)
        person.interaction_id = interaction_id
        return person, Link(channel, address, interaction_id)
