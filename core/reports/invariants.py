"""What must be true of every record at any moment; a break is a defect of the program or damage to the file.

Each rule is one statement that returns the ids which break it. What the schema itself refuses is no rule here.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.store.api import Tx


@dataclass(frozen=True, slots=True)
class Rule:
    """A statement that returns the ids of what breaks it. `code` is stable, `text` says what should be true."""

    code: str
    text: str
    sql: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that does not hold, how often, and the first ids."""

    code: str
    text: str
    count: int
    ids: tuple[str, ...]


RULES = (
    Rule(
        "message_without_journal",
        "Every message of a customer came in through the journal.",
        "select m.id from message m where m.direction = 'inbound' and not exists"
        " (select 1 from inbound i where i.channel_id = m.channel_id and i.external_id = m.cause_id and i.id = m.id)",
    ),
    Rule(
        "message_without_event",
        "Every message is in the event log under its own number.",
        "select m.id from message m where not exists (select 1 from event e where e.conversation_id = m.conversation_id"
        " and e.seq = m.seq and e.ref = m.id and e.kind in ('message.in', 'message.out'))",
    ),
    Rule(
        "event_gap",
        "The events of a conversation are numbered without gaps, up to the number that the conversation has reached.",
        "select c.id from conversation c left join (select conversation_id, count(*) as n, max(seq) as last from event"
        " group by conversation_id) e on e.conversation_id = c.id where coalesce(e.n, 0) <> c.seq or coalesce(e.last, 0) <> c.seq",
    ),
    Rule(
        "message_without_outbox",
        "Every message that waits to be sent is in the outbox; one of unknown outcome that was given up waits no more.",
        "select m.id from message m where m.direction = 'outbound' and m.status in ('queued', 'sending', 'retry_wait', 'unknown')"
        " and not exists (select 1 from outbox o where o.message_id = m.id"
        " and (o.state in ('queued', 'sending', 'retry_wait', 'unknown')"
        " or (m.status = 'unknown' and o.state in ('dead', 'expired') and o.dead_at is not null)))",
    ),
    Rule(
        "attempt_gap",
        "The attempts to send a message are numbered without gaps, as many as the outbox counts.",
        "select o.message_id from outbox o left join (select message_id, count(*) as n, max(number) as last from attempt"
        " group by message_id) a on a.message_id = o.message_id where coalesce(a.n, 0) <> o.attempts or coalesce(a.last, 0) <> o.attempts",
    ),
    Rule(
        "two_open_attempts",
        "A message is never sent twice at once.",
        "select message_id from attempt where ended_at is null group by message_id having count(*) > 1",
    ),
    Rule(
        "status_behind_report",
        "A message that was reported delivered or read is so in the record.",
        "select m.id from message m where m.status not in ('delivered', 'read') and exists"
        " (select 1 from delivery_report r where r.message_id = m.id and r.status in ('delivered', 'read'))",
    ),
    Rule(
        "interaction_half_closed",
        "An interaction is closed if and only if it has a time of closing.",
        "select id from interaction where (status = 'closed') <> (closed_at is not null)",
    ),
    Rule(
        "interaction_link_broken",
        "The interaction before an interaction is one of the same person, begun no later.",
        "select i.id from interaction i where i.previous_id is not null and not exists"
        " (select 1 from interaction p where p.id = i.previous_id and p.opened_at <= i.opened_at)",
    ),
    Rule(
        "queued_without_item",
        "A conversation that waits for an agent has one waiting work item, one that an agent owns a work item of that agent.",
        "select c.id from conversation c where c.owner <> 'bot' and"
        " (select count(*) from work_item w where w.conversation_id = c.id and ((c.owner = 'queued' and w.state = 'waiting')"
        " or (c.owner = 'agent' and w.state = 'working' and w.agent_id = c.agent_id))) <> 1",
    ),
    Rule(
        "item_without_owner",
        "A work item that is not done belongs to a conversation which the bot does not own.",
        "select w.id from work_item w join conversation c on c.id = w.conversation_id where w.state <> 'done' and c.owner = 'bot'",
    ),
    Rule(
        "address_with_two_owners",
        "An address has at most one owner at any time.",
        "select a.id from contact_medium a join contact_medium b on a.kind = b.kind and a.value = b.value and a.id < b.id"
        " where a.valid_from < coalesce(b.valid_to, 9223372036854775807) and b.valid_from < coalesce(a.valid_to, 9223372036854775807)",
    ),
    Rule(
        "action_left_running",
        "An action that has ended has a time of ending, one that has not has none.",
        "select id from action where (state in ('waiting', 'running')) <> (ended_at is null)",
    ),
)


def check(tx: Tx, ids_max: int = 5) -> list[Broken]:
    """Return the rules that do not hold."""
    broken = []
    for rule in RULES:
        ids = tuple(str(row[0]) for row in tx.all(rule.sql))
        if ids:
            broken.append(Broken(rule.code, rule.text, len(ids), ids[:ids_max]))
    return broken
