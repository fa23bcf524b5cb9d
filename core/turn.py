"""One turn of a conversation: what happened is recorded, the dialog advances, replies and work are written, in one unit of work.

Nothing here sends, waits or reads a clock; what must happen outside comes back in the `Outcome`, after the commit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core import record
from core.effects import Applied, apply
from core.identity import people
from core.model.address import Address
from core.model.channel import Channel
from core.model.dialog import (
    ActionDone,
    ActionLate,
    Dialog,
    DialogContext,
    DialogInput,
    Fact,
    HandedBack,
    RunAction,
    Said,
    SessionEnded,
    TimerFired,
)
from core.model.ids import derive
from core.model.inbound import ContactSignal, InboundMessage, Session
from core.model.outbound import Answer, Author, OutboundMessage, Reply
from core.record import Link
from core.record_actions import RECORD_ACTIONS, RecordScope, set_consent
from core.store import actions, conversations, interactions, journal, messages, timers
from core.store.api import Tx
from core.store.conversations import Conversation, Person

RECORD_ACTIONS_PER_TURN = 8
ACTION_LEASE_MARGIN_MS = 15_000
TEXT_MAX_CHARS = 4_000


@dataclass(frozen=True, slots=True)
class TurnRules:
    """What an operator decided for all turns. Times in ms; `lease` names the process that runs actions."""

    country: str
    operator: str
    default_language: str
    queue: str
    close_after_ms: int
    code_key: bytes
    lease: str
    apology: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that came in on a channel: the id that all its effects derive from, when, and the raw body for the journal."""

    id: str
    channel: Channel
    received_at: int
    raw: str


@dataclass(slots=True)
class Outcome:
    """What a turn came to. `answer` is None while an action must end first; `wake` are the topics of loops that have work now."""

    conversation_id: str | None = None
    answer: Answer | None = None
    duplicate: bool = False
    action: RunAction | None = None
    wake: set[str] = field(default_factory=set)


class Turns:
    """The use cases that take a conversation on; holds no state but its configuration."""

    def __init__(self, dialog: Dialog, channels: Mapping[str, Channel], rules: TurnRules) -> None:
        self._dialog = dialog
        self._channels = channels
        self._rules = rules

    def receive(self, tx: Tx, arrival: Arrival, said: InboundMessage) -> Outcome:
        """Take in a message. One that came before changes nothing and gets the answer that was given then."""
        earlier = journal.find(tx, arrival.channel.id, said.external_id)
        if earlier is not None:
            return Outcome(earlier.conversation_id, earlier.answer, duplicate=True)
        person, link = self._meet(tx, arrival, said.sender)
        what = self._heard(tx, person, link, arrival, said)
        outcome = self._advance(tx, person, link, what, arrival.id, arrival.received_at, request=(arrival.channel.id, said.external_id))
        journal.insert(
            tx, arrival.channel.id, said.external_id, arrival.id, outcome.conversation_id, arrival.received_at, arrival.raw, outcome.answer
        )
        return outcome

    def signal(self, tx: Tx, arrival: Arrival, signal: ContactSignal) -> Outcome:
        """Take in something that is not a message: a session that ended, a visitor who came, a change of consent."""
        if journal.find(tx, arrival.channel.id, signal.external_id) is not None:
            return Outcome(answer=arrival.channel.acknowledge(()), duplicate=True)
        person, link = self._meet(tx, arrival, signal.sender)
        outcome = self._signalled(tx, person, link, arrival, signal)
        outcome.answer = arrival.channel.acknowledge(())
        journal.insert(
            tx, arrival.channel.id, signal.external_id, arrival.id, person.conversation.id, arrival.received_at, arrival.raw, outcome.answer
        )
        return outcome

    def action_done(self, tx: Tx, action_id: str, done: ActionDone, at: int, *, waiting: bool) -> Outcome:
        """Take in the end of an action. `waiting` says that the request which caused it is still open in this process."""
        row = actions.find(tx, action_id)
        if row is None or not actions.end(tx, action_id, at, done.error):
            return Outcome(duplicate=True)
        person, link = self._return_to(tx, row.interaction_id, row.conversation_id)
        request = None
        if waiting and not row.late and row.inbound_channel is not None and row.inbound_external is not None:
            request = (row.inbound_channel, row.inbound_external)
        cause = derive(action_id, "done")
        outcome = self._advance(tx, person, link, done, cause, at, request=request)
        if request is not None and outcome.answer is not None:
            journal.set_answer(tx, *request, outcome.answer)
        return outcome

    def action_late(self, tx: Tx, action_id: str, at: int) -> Outcome:
        """End the open request of an action that takes too long; if it has just ended, return the answer that it gave."""
        row = actions.find(tx, action_id)
        if row is None or row.inbound_channel is None or row.inbound_external is None:
            return Outcome()
        if not actions.set_late(tx, action_id):
            entry = journal.find(tx, row.inbound_channel, row.inbound_external)
            return Outcome(row.conversation_id, None if entry is None else entry.answer)
        person, link = self._return_to(tx, row.interaction_id, row.conversation_id)
        request = (row.inbound_channel, row.inbound_external)
        outcome = self._advance(tx, person, link, ActionLate(action_id), derive(action_id, "late"), at, request=request)
        if outcome.answer is not None:
            journal.set_answer(tx, *request, outcome.answer)
        return outcome

    def timer(self, tx: Tx, conversation_id: str, kind: str, at: int) -> Outcome:
        """Carry out a timer that is due; nothing happens if another was quicker."""
        taken = timers.take(tx, conversation_id, kind, at)
        if taken is None:
            return Outcome(duplicate=True)
        payload, interaction_id = taken
        if kind.startswith("close:"):
            return self._close_when_silent(tx, conversation_id, kind.removeprefix("close:"), at)
        if interaction_id is None:
            return Outcome(conversation_id)
        person, link = self._return_to(tx, interaction_id, conversation_id)
        cause = derive(interaction_id, f"timer:{kind}:{person.conversation.version}")
        return self._advance(tx, person, link, TimerFired(kind, json.loads(payload)), cause, at, request=None)

    def hand_back(self, tx: Tx, conversation_id: str, interaction_id: str, *, closed: bool, at: int) -> Outcome:
        """Tell the dialog that the agent has left; to be called after the ownership was given back to the bot."""
        person, link = self._return_to(tx, interaction_id, conversation_id)
        cause = derive(interaction_id, f"back:{person.conversation.version}")
        return self._advance(tx, person, link, HandedBack(closed), cause, at, request=None)

    def _meet(self, tx: Tx, arrival: Arrival, sender: Address) -> tuple[Person, Link]:
        person = people.meet(tx, sender, arrival.channel, arrival.id, arrival.received_at)
        if person.interaction_id is None:
            person.interaction_id = derive(arrival.id, "interaction")
            self._open(tx, person, arrival.channel, "inbound", arrival.received_at)
        else:
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
        session, texts = _new_part(conversation, arrival.channel.id, said)
        shown = "*".join(texts) if texts else said.text
        content = {"media": messages.media_documents(said.media)} if said.media else {}
        record.hear(
            tx,
            conversation,
            link,
            message_id=arrival.id,
            text=shown,
            content=json.dumps(content, ensure_ascii=False) if content else None,
            at=arrival.received_at,
            external_id=said.external_id,
        )
        return Said(tuple(text[:TEXT_MAX_CHARS] for text in texts), said.choice, said.media, session, said.session_id)

    def _signalled(self, tx: Tx, person: Person, link: Link, arrival: Arrival, signal: ContactSignal) -> Outcome:
        conversation = person.conversation
        what: DialogInput
        match signal.signal:
            case "hung_up":
                if conversation.session_id != signal.session_id:
                    return self._finish(tx, person, link, Outcome(conversation.id))
                conversation.session_channel = conversation.session_id = conversation.session_seen = None
                what = SessionEnded(signal.session_id)
            case "joined":
                if conversation.state is not None:
                    return self._finish(tx, person, link, Outcome(conversation.id))
                what = Said(session=Session.NEW)
            case "opted_out" | "opted_in":
                set_consent(tx, person, opted_in=signal.signal == "opted_in", at=arrival.received_at)
                return self._finish(tx, person, link, Outcome(conversation.id))
            case _:
                return self._finish(tx, person, link, Outcome(conversation.id))
        return self._advance(tx, person, link, what, arrival.id, arrival.received_at, request=None)

    def _return_to(self, tx: Tx, interaction_id: str, conversation_id: str) -> tuple[Person, Link]:
        """Return the person of an interaction and the line on which they can be answered now."""
        stored = interactions.get(tx, interaction_id)
        if stored is None:
            raise KeyError(interaction_id)
        channel = self._channels[stored["channel_id"]]
        address = Address(type(channel.reaches)(stored["address_kind"]), stored["address"])
        person = conversations.person(tx, address, channel.id)
        if person is None or person.conversation.id != stored["conversation_id"]:
            raise KeyError(conversation_id)
        person.interaction_id = interaction_id
        return person, Link(channel, address, interaction_id)

    def _close_when_silent(self, tx: Tx, conversation_id: str, interaction_id: str, at: int) -> Outcome:
        conversation = conversations.load(tx, conversation_id)
        stored = interactions.get(tx, interaction_id)
        if stored is None or stored["status"] != "open":
            return Outcome(conversation_id)
        quiet_until = stored["last_at"] + self._rules.close_after_ms
        if quiet_until > at or conversation.owner != "bot":
            timers.set_one(
                tx, conversation_id, f"close:{interaction_id}", max(quiet_until, at + self._rules.close_after_ms // 4), {}, interaction_id
            )
            return Outcome(conversation_id)
        interactions.close_one(tx, conversation, interaction_id, reason="timeout", at=at)
        conversations.save(tx, conversation)
        return Outcome(conversation_id, wake={"events"})

    def _context(self, person: Person, channel: Channel, cause: str, at: int) -> DialogContext:
        facts = person.facts
        return DialogContext(
            now_ms=at,
            cause=cause,
            conversation_id=person.conversation.id,
            channel_id=channel.id,
            capabilities=channel.capabilities,
            language=person.language,
            country=self._rules.country,
            trust=people.trust(person, channel),
            known=person.role == "customer",
            name=person.name,
            opted_out=person.opted_out,
            owner=person.conversation.owner,
            facts={name: Fact(**fact) for name, fact in facts.items()} if facts else {},
        )

    def _advance(
        self,
        tx: Tx,
        person: Person,
        link: Link,
        what: DialogInput,
        cause: str,
        at: int,
        *,
        request: tuple[str, str] | None,
    ) -> Outcome:
        """Take the dialog on, run record actions as they come, and write all that follows.

        With a `request` the replies travel in its answer; without, they go out on a line that can be pushed to.
        """
        inline = request is not None and link.channel.capabilities.inline_reply
        out = link if inline else record.push_link(self._channels, link)
        speaking = (out or link).channel
        state: dict[str, Any] | None = json.loads(person.conversation.state) if person.conversation.state else None
        replies: list[Reply] = []
        fired = isinstance(what, TimerFired)
        applied = Applied()
        run: RunAction | None = None
        for _ in range(RECORD_ACTIONS_PER_TURN):
            step = self._dialog.advance(state, what, self._context(person, speaking, cause, at))
            state = step.state
            replies += step.replies
            apply(tx, person, link, step.effects, applied, self._rules.queue, cause, at)
            run, applied.run = applied.run, None
            if run is None or run.name not in RECORD_ACTIONS:
                break
            person, what = self._run_record_action(tx, person, link, run, at)
        person.conversation.state = json.dumps(state, ensure_ascii=False, separators=(",", ":")) if state else None
        person.conversation.failures = 0
        outcome = Outcome(person.conversation.id, wake={"events"})
        if person.opted_out and fired:
            replies.clear()
        sent = self._say_all(tx, person, out, replies, cause, at, inline=inline)
        if run is not None:
            outcome.action = run
            until = at + int(run.timeout_s * 1000) * (run.retries + 1) + ACTION_LEASE_MARGIN_MS
            actions.insert(
                tx,
                run,
                conversation_id=person.conversation.id,
                interaction_id=link.interaction_id,
                inbound=request,
                at=at,
                lease=self._rules.lease,
                lease_until=until,
            )
        if request is not None and not (run is not None and link.channel.capabilities.answer_deadline_s is not None):
            outcome.answer = link.channel.acknowledge(sent)
        if applied.close is not None:
            interactions.close_one(tx, person.conversation, link.interaction_id, reason=applied.close, at=at)
        if applied.timers:
            outcome.wake.add("timers")
        return self._finish(tx, person, link, outcome)

    def _run_record_action(self, tx: Tx, person: Person, link: Link, run: RunAction, at: int) -> tuple[Person, ActionDone]:
        scope = RecordScope(
            person=person,
            link=link,
            channels=self._channels,
            cause=run.key,
            at=at,
            country=self._rules.country,
            operator=self._rules.operator,
            language=person.language or self._rules.default_language,
            code_key=self._rules.code_key,
        )
        slots = RECORD_ACTIONS[run.name](tx, scope, run.tracker.get("slots", {}))
        events = tuple({"event": "slot", "name": name, "value": value} for name, value in slots.items())
        return scope.person, ActionDone(run.key, run.name, events)

    def _say_all(
        self,
        tx: Tx,
        person: Person,
        out: Link | None,
        replies: Sequence[Reply],
        cause: str,
        at: int,
        *,
        inline: bool,
    ) -> list[OutboundMessage]:
        if out is None:
            return []
        sent = []
        for ordinal, reply in enumerate(replies):
            sent.append(record.say(tx, person.conversation, out, reply, author=Author.BOT, cause=cause, ordinal=ordinal, at=at, inline=inline))
            if reply.ends_session:
                person.conversation.session_channel = person.conversation.session_id = person.conversation.session_seen = None
        return sent

    def _finish(self, tx: Tx, person: Person, link: Link, outcome: Outcome) -> Outcome:
        conversations.save(tx, person.conversation)
        if link.channel.capabilities.pulled:
            outcome.wake.add(f"address:{link.address.value}")
        else:
            outcome.wake.add("outbox")
        outcome.wake.add("events")
        return outcome


def _new_part(conversation: Conversation, channel_id: str, said: InboundMessage) -> tuple[Session, tuple[str, ...]]:
    """Return what is new in a message. Where a network repeats the whole session's input, the new part begins where the old one ended."""
    if said.session_id is None:
        return said.session, (said.text,) if said.text or said.choice is None else ()
    known = conversation.session_channel == channel_id and conversation.session_id == said.session_id
    seen = conversation.session_seen if known else None
    conversation.session_channel, conversation.session_id, conversation.session_seen = channel_id, said.session_id, said.text
    if not said.cumulative:
        return (Session.RESUME if known else Session.NEW), (said.text,)
    if seen is None:
        return Session.NEW, tuple(said.text.split("*")) if said.text else ()
    new = said.text[len(seen) :]
    return Session.RESUME, (new.removeprefix("*") if seen else new,)
