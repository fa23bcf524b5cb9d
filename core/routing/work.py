"""Who holds a hand-over: claim, release, take over, force back, close. At no time has a conversation two owners.

Every change is decided by one conditional update of the work item; the conversation follows it in the same transaction,
with a new owner epoch, so that whatever the owner before had written but not sent is held back.
"""

from __future__ import annotations

from core.routing.refused import Refused
from core.store import agents, conversations, interactions, work_items
from core.store.agents import Agent, Role
from core.store.api import Tx
from core.store.conversations import Conversation
from core.store.events import append
from core.store.work_items import WorkItem

NOTE_MAX_CHARS = 4_000


def claim(tx: Tx, item_id: str, agent: Agent, at: int) -> WorkItem:
    """Take a waiting item; the agent who has it already gets it again. Raises `Refused`: not_found, taken, done."""
    item = existing(tx, item_id)
    if item.state == "working" and item.agent_id == agent.id:
        return item
    if not work_items.assign(tx, item_id, agent.id, at):
        raise _gone(tx, item)
    conversation = conversations.load(tx, item.conversation_id)
    work_items.set_operator(tx, item.interaction_id, agent.login)
    append(tx, conversation, "work_item.claimed", at, ref=item.id, body={"agent_id": agent.id})
    _own(tx, conversation, "agent", agent.id, at, by=agent.id)
    return existing(tx, item_id)


def release(tx: Tx, item_id: str, agent: Agent, at: int) -> WorkItem:
    """Let an own item wait again, with its age kept; raises `Refused`: not_found, not_yours, done."""
    item = held(tx, item_id, agent)
    return _return(tx, item, agent.id, at)


def take_over(tx: Tx, item_id: str, agent: Agent, at: int) -> WorkItem:
    """Take an item from the colleague who has it, for supervisors; raises `Refused`: not_found, not_yours, taken, done."""
    item = existing(tx, item_id)
    if item.state == "waiting" or item.agent_id == agent.id:
        return claim(tx, item_id, agent, at)
    _only_supervisors(agent)
    if item.agent_id is None or not work_items.reassign(tx, item_id, item.agent_id, agent.id, at):
        raise _gone(tx, item)
    conversation = conversations.load(tx, item.conversation_id)
    work_items.set_operator(tx, item.interaction_id, agent.login)
    append(tx, conversation, "work_item.claimed", at, ref=item.id, body={"agent_id": agent.id, "from": item.agent_id})
    _own(tx, conversation, "agent", agent.id, at, by=agent.id)
    return existing(tx, item_id)


def force_return(tx: Tx, item_id: str, agent: Agent, at: int) -> WorkItem:
    """Send an item that a colleague has back to its queue, for supervisors; raises `Refused`: not_found, not_yours, done."""
    item = existing(tx, item_id)
    if item.agent_id != agent.id:
        _only_supervisors(agent)
    if item.state == "waiting":
        return item
    if item.state == "done":
        raise _gone(tx, item)
    return _return(tx, item, agent.id, at)


def return_all(tx: Tx, agent_id: str, at: int) -> None:
    """Send everything that an agent holds back to the queues."""
    for item in work_items.held_by(tx, agent_id):
        _return(tx, item, None, at)


def close(tx: Tx, item_id: str, agent: Agent, disposition: str, at: int, *, note: str = "") -> WorkItem:
    """End an own item and the contacts that it was about; the bot owns the conversation again, which the caller then tells the dialog.

    Raises `Refused`: not_found, not_yours, done, bad_text.
    """
    item = held(tx, item_id, agent)
    if not work_items.finish(tx, item_id, agent.id, disposition, at):
        raise _gone(tx, item)
    conversation = conversations.load(tx, item.conversation_id)
    if note.strip():
        append_note(tx, conversation, agent, note, at)
    append(tx, conversation, "work_item.closed", at, ref=item.id, body={"agent_id": agent.id, "disposition": disposition})
    for interaction_id in work_items.open_interactions(tx, conversation.id):
        about = disposition if interaction_id == item.interaction_id else None
        interactions.close_one(tx, conversation, interaction_id, reason="agent", at=at, disposition=about)
    _own(tx, conversation, "bot", None, at, by=agent.id)
    return existing(tx, item_id)


def append_note(tx: Tx, conversation: Conversation, agent: Agent, text: str, at: int, *, ref: str | None = None) -> int:
    """Append an internal note, which no customer ever sees, and return its number; the caller saves. Raises `Refused`: bad_text."""
    text = text.strip()
    if not text or len(text) > NOTE_MAX_CHARS:
        raise Refused("bad_text", f"A note has 1 to {NOTE_MAX_CHARS} characters.")
    return append(tx, conversation, "note.added", at, ref=ref, body={"agent_id": agent.id, "text": text})


def existing(tx: Tx, item_id: str) -> WorkItem:
    """Return a work item; raises `Refused`: not_found."""
    item = work_items.find(tx, item_id)
    if item is None:
        raise Refused("not_found", "There is no such hand-over.")
    return item


def held(tx: Tx, item_id: str, agent: Agent) -> WorkItem:
    """Return an item that this agent holds; raises `Refused`: not_found, not_yours, done."""
    item = existing(tx, item_id)
    if item.state != "working" or item.agent_id != agent.id:
        raise _gone(tx, item, code="not_yours")
    return item


def _return(tx: Tx, item: WorkItem, by: str | None, at: int) -> WorkItem:
    if item.agent_id is None or not work_items.unassign(tx, item.id, item.agent_id):
        raise _gone(tx, item)
    conversation = conversations.load(tx, item.conversation_id)
    append(tx, conversation, "work_item.returned", at, ref=item.id, body={"agent_id": item.agent_id, "by": by})
    _own(tx, conversation, "queued", None, at, by=by)
    return existing(tx, item.id)


def _own(tx: Tx, conversation: Conversation, owner: str, agent_id: str | None, at: int, *, by: str | None) -> None:
    conversation.owner, conversation.agent_id = owner, agent_id
    conversation.owner_epoch += 1
    append(tx, conversation, "owner.changed", at, body={"owner": owner, "agent_id": agent_id, "by": by})
    conversations.save(tx, conversation)


def _only_supervisors(agent: Agent) -> None:
    if not agent.role.covers(Role.SUPERVISOR):
        raise Refused("not_yours", "Only a supervisor may take work from a colleague.")


def _gone(tx: Tx, item: WorkItem, code: str = "taken") -> Refused:
    now = existing(tx, item.id)
    if now.state == "done":
        return Refused("done", "This hand-over is closed.", item=item.id)
    holder = agents.find(tx, now.agent_id) if now.agent_id else None
    name = holder.name if holder else None
    if code == "not_yours" and holder is None:
        return Refused("not_yours", "Claim this hand-over first.", item=item.id, agent=None)
    return Refused(code, f"{name or 'A colleague'} has this hand-over.", item=item.id, agent=name)
