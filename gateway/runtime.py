"""What a running gateway consists of: one value that every handler and loop is given. It is filled by `compose` and decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from config.keys import Keys
from config.settings import Settings
from core.clock import Clock
from core.model.adapter import Adapter, AnswersRequests, Prepares
from core.model.channel import Channel
from core.model.dialog import RunAction
from core.model.outbound import Answer
from core.store.blobs import Blobs
from core.store.sqlite import SqliteStore
from core.turn import Turns
from gateway.counters import Counters
from gateway.hints import Hints
from gateway.patience import Patience
from gateway.requests import OpenRequest, OpenRequests

if TYPE_CHECKING:
    from gateway.demo.operator import Demo
    from gateway.media.contents import Contents


@dataclass(frozen=True, slots=True)
class ConfiguredChannel:
    """A channel with what the gateway needs besides: its adapter, its typed settings, and the secret in its webhook's path."""

    channel: Channel
    adapter: Adapter
    settings: Any = field(repr=False)
    secret: str = field(repr=False)
    webhook_url: str = field(repr=False)
    answers: AnswersRequests | None = field(default=None, repr=False)  # the adapter, where the answer to a request depends on it
    sorry: Answer | None = None  # what a person hears or reads whose request could not be taken in
    patience: Patience | None = None  # how long such a person waits at most
    prepares: Prepares | None = field(default=None, repr=False)  # the adapter, where it must ask its provider before it can judge a request


@dataclass(slots=True)
class Gateway:
    """A running gateway. `url` is where browsers and providers reach it; `lease` names this process in claimed rows."""

    settings: Settings
    data: Path
    url: str
    keys: Keys
    store: SqliteStore
    blobs: Blobs
    clock: Clock
    channels: Mapping[str, ConfiguredChannel]
    turns: Turns
    hints: Hints
    counters: Counters
    lease: str
    demo: Demo | None = None
    requests: OpenRequests = field(default_factory=OpenRequests)
    mail_ports: dict[str, int] = field(default_factory=dict)  # where mails are taken over, by channel
    contents: Contents = field(init=False)
    start_action: Callable[[RunAction, OpenRequest | None], None] = field(init=False)

    def core_channels(self) -> dict[str, Channel]:
        """Return the channels as the core sees them, by id."""
        return {name: configured.channel for name, configured in self.channels.items()}


GATEWAY = web.AppKey("gateway", Gateway)
