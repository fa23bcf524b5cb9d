"""A turn with everything real but the dialog, which a test plays itself, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from channels import registry
from core.advance import TurnRules
from core.arrival import Arrival
from core.clock import Clock
from core.model.address import Address, AddressKind
from core.model.channel import Channel
from core.model.dialog import Advanced, DialogContext, DialogInput, State
from core.model.ids import ChannelId
from core.model.inbound import InboundMessage, Session
from core.store.sqlite import SqliteStore, open_store
from core.turn import Turns

NOW = 1_800_000_000_000
ANNA = Address(AddressKind.MSISDN, "+254700000001")
BEN = Address(AddressKind.MSISDN, "+254700000002")
VISITOR = Address(AddressKind.VISITOR, "v1")
Step = Callable[[State | None, DialogInput, DialogContext], Advanced]


@dataclass
class Played:
    """A dialog whose next steps a test writes down; it remembers what it was told."""

    steps: list[Step] = field(default_factory=list)
    told: list[tuple[DialogInput, DialogContext]] = field(default_factory=list)

    def advance(self, state: State | None, what: DialogInput, context: DialogContext) -> Advanced:
        self.told.append((what, context))
        return self.steps.pop(0)(state, what, context)

    def then(self, *advanced: Advanced | Step) -> None:
        for one in advanced:
            self.steps.append((lambda *_, fixed=one: fixed) if isinstance(one, Advanced) else one)


def _channel(kind: str, channel_id: str, address: Address, reaches: AddressKind, **settings: Any) -> Channel:
    loaded = registry.load(kind)
    adapter = loaded.make(ChannelId(channel_id), address, loaded.settings(**settings), "https://gateway.example/c/x/y", "KE")
    return Channel(ChannelId(channel_id), kind, address, adapter.capabilities, reaches, adapter.acknowledge)


@pytest.fixture(scope="session")
def channels() -> dict[str, Channel]:
    sms = Address(AddressKind.MSISDN, "+254711082000")
    made = (
        _channel("ussd", "ussd", Address(AddressKind.SHORT_CODE, "*384*100#"), AddressKind.MSISDN),
        _channel("sms_twilio", "sms", sms, AddressKind.MSISDN, account_sid="AC1", auth_token=("t" * 32,), replies="rest"),
        _channel(
            "webchat", "web", Address(AddressKind.ALIAS, "chat"), AddressKind.VISITOR, origins=("https://a.example",), keys=("k" * 32,)
        ),
    )
    return {channel.id: channel for channel in made}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path / "parley.db")
    yield opened
    opened.close()


@pytest.fixture
def played() -> Played:
    return Played()


RULES = TurnRules(
    country="KE",
    operator="Demo Telecom",
    default_language="en",
    queue="general",
    queues=frozenset({"general", "billing"}),
    close_after_ms=3_600_000,
    code_key=b"k" * 32,
    lease="this process",
    apology={"en": "Sorry."},
    handed_over={"en": "Sorry, a colleague will answer."},
)


@dataclass
class World:
    """The turns over a real store, with short ways to let something happen and to look at the record."""

    store: SqliteStore
    channels: dict[str, Channel]
    dialog: Played
    turns: Turns
    now: int = NOW

    def arrival(self, channel_id: str, raw: str = "raw") -> Arrival:
        self.now += 1_000
        clock = Clock(now_ms=lambda: self.now)
        return Arrival(clock.new_id(), self.channels[channel_id], self.now, raw)

    def hear(self, channel_id: str, sender: Address, text: str, *, external_id: str | None = None, raw: str = "raw", **more: Any) -> Any:
        arrival = self.arrival(channel_id, raw)
        said = InboundMessage(external_id or arrival.id, sender, self.channels[channel_id].address, text, **more)
        return self.store.write_sync(lambda tx: self.turns.receive(tx, arrival, said))

    def dial(self, sender: Address, text: str, *, session_id: str = "s1") -> Any:
        ids = {"external_id": f"{session_id}:{len(text)}", "session_id": session_id}
        return self.hear("ussd", sender, text, raw=f"text={text}", session=Session.NEW, cumulative=True, **ids)

    def rows(self, sql: str, *args: Any) -> list[Any]:
        return self.store.read_sync(lambda tx: tx.all(sql, args))

    def value(self, sql: str, *args: Any) -> Any:
        return self.rows(sql, *args)[0][0]


@pytest.fixture
def world(store: SqliteStore, channels: dict[str, Channel], played: Played) -> World:
    return World(store, channels, played, Turns(played, channels, RULES))
