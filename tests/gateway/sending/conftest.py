"""The dispatcher on a virtual clock: real store, real rows, and providers that a test writes down."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from config.keys import open_keys
from config.load import load
from core import dispatch
from core.clock import Clock
from core.model.address import Address, AddressKind
from core.model.capabilities import Capabilities
from core.model.dialog import Advanced
from core.model.ids import ChannelId
from core.model.outbound import OutboundMessage, Reply, SendResult
from core.store.api import Unit
from core.store.blobs import Blobs
from core.store.sqlite import SqliteStore
from core.turn import Turns
from gateway.counters import Counters
from gateway.hints import Hints
from gateway.runtime import ConfiguredChannel, Gateway
from gateway.workers import Workers
from tests.core.conftest import NOW, RULES, Played, World, channels, played, store

__all__ = ["Provider", "Sends", "channels", "people", "played", "sends", "store"]
T = TypeVar("T")
UNKNOWN_WAIT_MS = 120_000


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on which time passes only while nobody has anything to do."""

    def __init__(self) -> None:
        self.now_s = 0.0
        super().__init__(_Skipping(self))

    def time(self) -> float:
        return self.now_s


class _Skipping(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "nothing is left to happen"
        self._loop.now_s += timeout
        return super().select(0)


class AtOnce:
    """A store whose units are done when they are asked for, so that no thread takes part."""

    def __init__(self, opened: SqliteStore) -> None:
        self._opened = opened

    async def write(self, unit: Unit[T]) -> T:
        return self._opened.write_sync(unit)

    async def read(self, unit: Unit[T]) -> T:
        return self._opened.read_sync(unit)


async def takes(message: OutboundMessage) -> SendResult:
    """Take a message at once."""
    return SendResult(f"x-{message.id}-{message.attempt}")


@dataclass
class Provider:
    """An adapter that does what a test says, and remembers when it was asked for what."""

    capabilities: Capabilities
    behave: Callable[[OutboundMessage], Awaitable[SendResult]] = takes
    kind: str = "fake"
    asked: list[tuple[float, OutboundMessage]] = field(default_factory=list)

    async def send(self, message: OutboundMessage) -> SendResult:
        self.asked.append((asyncio.get_running_loop().time(), message))
        return await self.behave(message)

    def times(self) -> list[float]:
        return [at for at, _ in self.asked]


@dataclass
class Sends:
    """A dispatcher with its channels, which a test runs for as long as it likes."""

    world: World
    data: Path
    loop: VirtualLoop
    providers: dict[str, Any] = field(default_factory=dict)
    life: tuple[Gateway, Workers] | None = None
    lives: int = 0

    def channel(self, name: str, provider: Any = None, **capabilities: Any) -> Any:
        """Add a channel like the one for short messages."""
        like = self.world.channels["sms"]
        able = replace(like.capabilities, **capabilities)
        made = provider or Provider(able)
        made.capabilities = able
        self.world.channels[name] = replace(like, id=ChannelId(name), capabilities=able, looks_up=hasattr(made, "look_up"))
        self.providers[name] = made
        return made

    def say(self, channel: str, recipients: list[Address], text: str = "Hello.") -> None:
        """Queue a message to each of them, as a turn does."""
        for recipient in recipients:
            self.world.now = self.now() - 1_000  # an arrival is a second later
            self.world.dialog.then(Advanced({}, (Reply(text),)))
            self.world.hear(channel, recipient, "hi")

    def now(self) -> int:
        return NOW + int(self.loop.now_s * 1_000)

    def run(self, seconds: float, *also: Callable[[], None]) -> None:
        """Let the dispatcher work for so long; `also` is called at the beginning, beside it."""
        self.loop.run_until_complete(self._run(seconds, also))

    async def _run(self, seconds: float, also: tuple[Callable[[], None], ...]) -> None:
        if self.life is None:
            gateway = self._gateway()
            self.life = (gateway, Workers(gateway, _nothing, UNKNOWN_WAIT_MS))
        task = asyncio.ensure_future(self.life[1].dispatch())
        for one in also:
            one()
        await _pass(seconds)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def restart(self) -> None:
        """Begin another life of the process, which knows only what is in the store."""
        self.life = None
        self.lives += 1
        lease = f"life {self.lives}"
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.world.store.write_sync(lambda tx: dispatch.take_over(tx, self.world.channels, lease, self.now()))

    def _gateway(self) -> Gateway:
        configured = {
            name: ConfiguredChannel(self.world.channels[name], provider, None, "", "") for name, provider in self.providers.items()
        }
        return Gateway(
            settings=load(None, {}),
            data=self.data,
            url="",
            keys=open_keys(self.data),
            store=AtOnce(self.world.store),  # type: ignore[arg-type]  # the same units on the same file, without its threads
            blobs=Blobs(self.data / "contents"),
            clock=Clock(now_ms=self.now),
            channels=configured,
            turns=self.world.turns,
            hints=Hints(),
            counters=Counters(),
            lease=f"life {self.lives}",
        )

    def states(self) -> dict[str, int]:
        return dict(self.world.rows("select state, count(*) from outbox group by state"))


def later(seconds: float) -> Awaitable[None]:
    """Return what is done after so long on the virtual clock."""
    loop = asyncio.get_running_loop()
    passed = loop.create_future()
    loop.call_later(seconds, passed.set_result, None)
    return passed


async def _nothing(_: int) -> int:
    return 0


async def _pass(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    passed = loop.create_future()
    loop.call_later(seconds, passed.set_result, None)
    await passed


def people(count: int, beginning: int = 0) -> list[Address]:
    """Return so many different people."""
    return [Address(AddressKind.MSISDN, f"+2547000{beginning + number:05d}") for number in range(count)]


@pytest.fixture
def sends(store: SqliteStore, channels: dict[str, Any], played: Played, tmp_path: Path) -> Iterator[Sends]:
    mine = dict(channels)
    loop = VirtualLoop()
    yield Sends(World(store, mine, played, Turns(played, mine, RULES)), tmp_path, loop)
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def at(loop: VirtualLoop, seconds: float, what: Coroutine[Any, Any, None] | Callable[[], None]) -> Callable[[], None]:
    """Return what has something happen so many seconds from now."""
    return partial(loop.call_later, seconds, what)
