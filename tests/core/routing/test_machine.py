"""A machine of random agents, customers and supervisors: whatever they do, a conversation has one owner and no word is sent unseen."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from core import agents
from core.routing import speak, work
from core.routing.refused import Refused
from core.store import conversations
from core.store.agents import Agent
from core.store.sqlite import open_store
from tests.core.routing.people import CHANNELS, NOW, add_agent, customer_says, hand_over, new_id

WHO = st.integers(0, 3)


class Desk(RuleBasedStateMachine):
    """Two agents, a supervisor and one who may be disabled, around one customer who keeps writing."""

    items = Bundle("items")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_store(Path(self.folder.name) / "parley.db", synchronous="normal")
        self.seen: dict[str, int] = {}  # what each agent has on the screen
        self.unseen: dict[str, int] = {}  # the latest word of others, by what the model knows
        self.speaking = 0

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @initialize(target=items)
    def begin(self) -> str:
        def unit(tx: object) -> tuple[str, str, list[Agent]]:
            people = [add_agent(tx, f"agent{n}", role) for n, role in enumerate(("agent", "agent", "supervisor", "agent"))]
            return customer_says(tx, "agent"), hand_over(tx), people

        self.conversation, item, self.people = self.store.write_sync(unit)
        self.unseen = {agent.id: self._seq() for agent in self.people}
        self.seen = dict.fromkeys(self.unseen, 0)
        return item

    def _seq(self) -> int:
        return self.store.read_sync(lambda tx: conversations.load(tx, self.conversation).seq)

    def _try(self, unit: object) -> bool:
        try:
            self.store.write_sync(unit)
        except Refused:
            return False
        return True

    @rule(item=items, who=WHO)
    def claim(self, item: str, who: int) -> None:
        self._try(lambda tx: work.claim(tx, item, self.people[who], NOW))

    @rule(item=items, who=WHO)
    def release(self, item: str, who: int) -> None:
        self._try(lambda tx: work.release(tx, item, self.people[who], NOW))

    @rule(item=items, who=WHO)
    def take_over(self, item: str, who: int) -> None:
        self._try(lambda tx: work.take_over(tx, item, self.people[who], NOW))

    @rule(item=items, who=WHO)
    def force_return(self, item: str, who: int) -> None:
        self._try(lambda tx: work.force_return(tx, item, self.people[who], NOW))

    @rule(who=WHO)
    def look(self, who: int) -> None:
        self.seen[self.people[who].id] = self._seq()

    @rule()
    def customer_writes(self) -> None:
        self.store.write_sync(lambda tx: customer_says(tx, "and another thing"))
        self.unseen = dict.fromkeys(self.unseen, self._seq())

    @rule(who=WHO)
    def reply(self, who: int) -> None:
        agent = self.people[who]
        against = self.seen[agent.id]
        holder = self.store.read_sync(lambda tx: conversations.load(tx, self.conversation).agent_id)
        unit = lambda tx: speak.reply(  # noqa: E731
            tx, CHANNELS, self.conversation, agent, "Hello", against_seq=against, cause=new_id(), at=NOW
        )
        sent = self._try(unit)
        assert sent == (holder == agent.id and against >= self.unseen[agent.id]), "exactly the holder who has seen everything may speak"
        if sent:
            for other in self.people:
                if other.id != agent.id:
                    self.unseen[other.id] = self._seq()

    @rule()
    def disable_and_enable(self) -> None:
        last = self.people[-1]
        self.store.write_sync(lambda tx: agents.disable(tx, last.id, NOW))
        self.store.write_sync(lambda tx: agents.enable(tx, last.id))

    @invariant()
    def one_owner(self) -> None:
        def unit(tx: object) -> tuple[object, object]:
            live = tx.all("select state, agent_id from work_item where state <> 'done'")
            return live, tx.one("select owner, agent_id from conversation where id = ?", (self.conversation,))

        live, conversation = self.store.read_sync(unit)
        assert len(live) == 1
        state, holder = live[0]
        assert conversation == (("agent", holder) if state == "working" else ("queued", None))
        assert (holder is None) == (state == "waiting")


TestDesk = Desk.TestCase
TestDesk.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
