"""Callers who are kept on the line while an action runs: they are asked to wait, and then ask again for what follows.

What they will be told goes into the journal under the id of that next request, whether it is there already or still to come, so that
neither a crash nor a request that comes twice changes what is heard. It must not speak itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.model.channel import Channel
from core.model.ids import derive
from core.model.outbound import Answer
from core.store import actions, journal
from core.store.actions import ActionRow
from core.store.api import Tx

GRACE_MS = 10_000  # the last of the requests may be on its way when the time is up


@dataclass(frozen=True, slots=True)
class Held:
    """What a caller gets who asks again: the answer, or the action whose end must come first; neither if nothing is known of them."""

    answer: Answer | None = None
    action_id: str | None = None


def external_id(message_id: str) -> str:
    """Return the external id of the request by which somebody whom this message asked to wait asks for what follows."""
    return f"hold:{message_id}"


def held_until(row: ActionRow, channel: Channel) -> int:
    """Return until when somebody may be kept waiting for an action, ms UTC; not for one that is known to be slow."""
    if row.held_until is not None:
        return row.held_until
    return row.created_at + (0 if row.run.slow else int(channel.capabilities.hold_s * 1000))


def is_held(row: ActionRow, at: int) -> bool:
    """Tell whether somebody is on the line who will ask for the result of an action."""
    return row.held_until is not None and at < row.held_until + GRACE_MS


def keep(tx: Tx, row: ActionRow, request: tuple[str, str], message_id: str, answer: Answer, until: int, at: int) -> None:
    """Answer a request by asking its sender to wait, and expect them to ask again for the result of `row`."""
    channel_id, _ = request
    following = external_id(message_id)
    journal.set_answer(tx, *request, answer)
    journal.insert(tx, channel_id, following, derive(message_id, "asked"), row.conversation_id, at, "", None)
    actions.hold(tx, row.id, following, until)


def pass_on(tx: Tx, ended: ActionRow, next_action: str, at: int) -> None:
    """Let somebody who waits for an action that has ended wait for the next one, which it led to."""
    if ended.held_until is not None and is_held(ended, at):
        actions.hold(tx, next_action, ended.inbound_external, ended.held_until)


def asked_again(tx: Tx, channel_id: str, request_id: str) -> Held:
    """Return what somebody gets who was asked to wait; the same request again gets the same."""
    entry = journal.find(tx, channel_id, request_id)
    if entry is None:
        return Held()
    actions.let_go(tx, channel_id, request_id)
    if entry.answer is not None:
        return Held(entry.answer)
    return Held(action_id=actions.awaited(tx, channel_id, request_id))
