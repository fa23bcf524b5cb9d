"""Taking a dialog one step on and writing what follows: replies, effects, actions, timers.

It is told what happened and to whom; recording what came in is the turn's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core import record
from core.effects import Applied, apply
from core.identity import people
from core.model.channel import Channel
from core.model.dialog import ActionDone, ActionHeld, Dialog, DialogContext, DialogInput, Fact, InLine, RunAction, Said, TimerFired
from core.model.ids import MessageId, derive
from core.model.outbound import Answer, Author, OutboundMessage, Reply
from core.record import Link
from core.record_actions import RECORD_ACTIONS, RecordScope
from core.routing.handover import queue_item
from core.store import actions, agents, conversations, interactions, work_items
from core.store.api import Tx
from core.store.conversations import Person
from core.store.documents import decode, encode
from core.store.events import append
from core.store.work_items import WorkItem

RECORD_ACTIONS_PER_TURN = 8
ACTION_LEASE_MARGIN_MS = 15_000
FAILURES_BEFORE_HANDOVER = 2


@dataclass(frozen=True, slots=True)
class TurnRules:
    """What an operator decided for all turns. Times in ms; `lease` names the process that runs actions."""

    country: str
    operator: str
    default_language: str
    queue: str
    queues: frozenset[str]
    close_after_ms: int
    code_key: bytes
    lease: str
    apology: Mapping[str, str]
    handed_over: Mapping[str, str]
    languages: tuple[str, ...] = ()
    codes_a_day: int = 5_000  # one-time codes, to everybody together


@dataclass(slots=True)
class Outcome:
    """What a turn came to. `answer` is None while an action must end first; `wake` are the topics of loops that have work now.

    `answers` is the request, by channel and external id, that `answer` is for where something else brought it about. `concealed` says
    that the raw input holds a secret and must not be kept.
    """

    conversation_id: str | None = None
    answer: Answer | None = None
    duplicate: bool = False
    action: RunAction | None = None
    wake: set[str] = field(default_factory=set)
    concealed: bool = False
    answers: tuple[str, str] | None = None


class Advance:
    """The dialog with its channels and rules; holds no state but its configuration."""

    def __init__(self, dialog: Dialog, channels: Mapping[str, Channel], rules: TurnRules) -> None:
        self._dialog = dialog
        self._channels = channels
        self._rules = rules

    def _context(
        self, person: Person, channel: Channel, cause: str, at: int, *, attended: bool = True, waits: WorkItem | None = None
    ) -> DialogContext:
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
            attended=attended,
            queue=waits.queue if waits else self._rules.queue,
            waits_since=waits.created_at if waits else None,
            facts={name: Fact(**fact) for name, fact in facts.items()} if facts else {},
        )

    def run(
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
        attended = not speaking.capabilities.records or agents.any_at_work(tx, at)
        queued = speaking.capabilities.records and person.conversation.owner == "queued"
        waits = work_items.live(tx, person.conversation.id) if queued else None
        state: dict[str, Any] | None = decode(person.conversation.state) if person.conversation.state else None
        replies: list[Reply] = []
        fired = isinstance(what, TimerFired)
        proved = what.proved if isinstance(what, Said) else ""
        applied = Applied()
        run: RunAction | None = None
        outcome = Outcome()
        for _ in range(RECORD_ACTIONS_PER_TURN):
            step = self._dialog.advance(state, what, self._context(person, speaking, cause, at, attended=attended, waits=waits))
            state = step.state
            replies += step.replies
            if step.conceal:
                person.conversation.session_secret = 1
                tx.execute("update message set text = ? where id = ?", (record.MASK, cause))
            apply(tx, person, link, step.effects, applied, self._queue, cause, at)
            run, applied.run = applied.run, None
            if run is None or run.name not in RECORD_ACTIONS:
                break
            person, what = self._run_record_action(tx, person, link, run, at, proved)
            outcome.wake.add("outbox")  # it may have sent a code
        person.conversation.state = encode(state) if state else None
        person.conversation.failures = 0
        outcome.concealed = bool(person.conversation.session_secret)
        outcome.conversation_id = person.conversation.id
        if person.opted_out and fired:
            replies.clear()
        sent = self.say_all(tx, person, out or link, replies, cause, at, inline=inline, lost=out is None, outcome=outcome)
        if run is not None:
            outcome.action = run
            append(tx, person.conversation, "action.asked", at, ref=run.key, body={"name": run.name})
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
            outcome.answer = link.channel.acknowledge(sent if inline else ())
        if applied.close is not None:
            interactions.close_one(tx, person.conversation, link.interaction_id, reason=applied.close, at=at)
        if applied.timers:
            outcome.wake.add("timers")
        return self.finish(tx, person, link, outcome)

    def hold(self, person: Person, link: Link, asked: ActionHeld, cause: str, at: int) -> tuple[MessageId, Answer]:
        """Return the answer that asks somebody to wait, with the id of its message; neither belongs into the record of what was said."""
        message = self.aside(person, link, asked, derive(cause, "out:0"), at)
        return message.id, link.channel.acknowledge((message,))

    def aside(self, person: Person, link: Link, what: ActionHeld | InLine, message_id: str, at: int) -> OutboundMessage:
        """Return what the dialog says beside its turns, which leaves no trace in it."""
        state = decode(person.conversation.state) if person.conversation.state else None
        (reply,) = self._dialog.advance(state, what, self._context(person, link.channel, message_id, at)).replies
        return OutboundMessage(MessageId(message_id), link.channel.address, link.address, reply)

    def _queue(self, wanted: str | None) -> str:
        """Return the queue for a hand-over: the one a flow names if there is such a one, else the default."""
        return wanted if wanted in self._rules.queues else self._rules.queue

    def apologise(self, tx: Tx, person: Person, link: Link, cause: str, at: int, *, request: tuple[str, str] | None) -> Outcome:
        """Say sorry for a dialog that failed; after the second time in a row people take over."""
        conversation = person.conversation
        conversation.failures += 1
        append(tx, conversation, "flow.failed", at, body={"times": conversation.failures})
        if conversation.failures >= FAILURES_BEFORE_HANDOVER and conversation.owner == "bot":
            queue_item(
                tx,
                conversation,
                derive(cause, "work_item"),
                interaction_id=link.interaction_id,
                queue=self._rules.queue,
                reason="flow_failed",
                card={"wanted": person.reason, "reason": "flow_failed", "failed": "the dialog stopped with an error"},
                at=at,
            )
        texts = self._rules.handed_over if conversation.owner == "queued" else self._rules.apology
        text = texts.get(person.language or self._rules.default_language) or texts["en"]
        inline = request is not None and link.channel.capabilities.inline_reply
        out = link if inline else record.push_link(self._channels, link)
        reply = Reply(text, ends_session=link.channel.capabilities.session)
        outcome = Outcome(conversation.id, concealed=bool(conversation.session_secret))
        sent = self.say_all(tx, person, out or link, [reply], cause, at, inline=inline, lost=out is None, outcome=outcome)
        if request is not None:
            outcome.answer = link.channel.acknowledge(sent if inline else ())
        return self.finish(tx, person, link, outcome)

    def _run_record_action(self, tx: Tx, person: Person, link: Link, run: RunAction, at: int, proved: str) -> tuple[Person, ActionDone]:
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
            codes_a_day=self._rules.codes_a_day,
            proved=proved,
        )
        slots = RECORD_ACTIONS[run.name](tx, scope, run.tracker.get("slots", {}))
        events = tuple({"event": "slot", "name": name, "value": value} for name, value in slots.items())
        return scope.person, ActionDone(run.key, run.name, events)

    def say_all(
        self,
        tx: Tx,
        person: Person,
        out: Link,
        replies: Sequence[Reply],
        cause: str,
        at: int,
        *,
        inline: bool,
        lost: bool,
        outcome: Outcome,
    ) -> list[OutboundMessage]:
        """Record replies on a line and return them as messages. `lost`: no channel can carry them, which the record then shows."""
        if not (inline or lost or out.channel.capabilities.pulled):
            outcome.wake.add("outbox")
        sent = []
        for ordinal, reply in enumerate(replies):
            sent.append(
                record.say(
                    tx, person.conversation, out, reply, author=Author.BOT, cause=cause, ordinal=ordinal, at=at, inline=inline, lost=lost
                )
            )
            if reply.ends_session:
                person.conversation.session_channel = person.conversation.session_id = person.conversation.session_seen = None
        return sent

    def finish(self, tx: Tx, person: Person, link: Link, outcome: Outcome) -> Outcome:
        """Write the conversation back and note which loops have work now."""
        conversations.save(tx, person.conversation)
        if link.channel.capabilities.pulled:
            outcome.wake.add(f"address:{link.address.value}")
        outcome.wake.add("events")
        return outcome
