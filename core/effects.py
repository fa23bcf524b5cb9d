"""Carrying out what a dialog decided besides speaking: each effect becomes rows of the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import assert_never

from core.model.dialog import (
    CancelTimer,
    CloseInteraction,
    Effect,
    Fact,
    HandOver,
    Remember,
    RunAction,
    SetConsent,
    SetLanguage,
    SetReason,
    SetTimer,
)
from core.model.ids import derive
from core.record import Link
from core.record_actions import set_consent
from core.routing.handover import queue_item
from core.store import interactions, parties, timers
from core.store.api import Tx
from core.store.conversations import Person

QueueOf = Callable[[str | None], str]


@dataclass(slots=True)
class Applied:
    """What the turn itself still has to do: run an action, close the interaction; `timers` says that one was set."""

    run: RunAction | None = None
    close: str | None = None
    timers: bool = False


def apply(tx: Tx, person: Person, link: Link, effects: Sequence[Effect], applied: Applied, queue_of: QueueOf, cause: str, at: int) -> None:
    """Carry out effects in their order; what concerns the turn itself is noted in `applied`."""
    conversation = person.conversation
    for effect in effects:
        match effect:
            case RunAction():
                applied.run = effect
            case CloseInteraction():
                applied.close = effect.reason
            case SetReason():
                interactions.set_reason(tx, link.interaction_id, effect.reason)
            case SetTimer():
                due = at + int(effect.after_s * 1000)
                timers.set_one(tx, conversation.id, effect.kind, due, effect.payload, link.interaction_id)
                applied.timers = True
            case CancelTimer():
                timers.cancel(tx, conversation.id, effect.kind)
            case SetLanguage():
                person.language = effect.language
                parties.set_language(tx, person.party_id, effect.language)
            case SetConsent():
                set_consent(tx, person, opted_in=effect.opted_in, at=at)
            case Remember():
                person.facts[effect.name] = asdict(Fact(effect.value, link.channel.id, at, effect.verified))
                parties.set_facts(tx, person.party_id, person.facts)
            case HandOver():
                queue_item(
                    tx,
                    conversation,
                    derive(cause, "work_item"),
                    interaction_id=link.interaction_id,
                    queue=queue_of(effect.queue),
                    reason=effect.reason,
                    card=effect.card,
                    at=at,
                )
            case _:
                assert_never(effect)
