"""Tells open pages what happens to the simulated devices, and keeps what went over the wire for a while, to be shown raw.

Must not be used outside of a demo: it keeps bodies and signatures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from gateway.simulator.twilio_wire import Exchange

KEPT = 200

Listen = Callable[[str, Mapping[str, Any]], None]


class Feed:
    """A meeting point of devices and pages; nothing is kept for a page that is not there."""

    def __init__(self) -> None:
        self._listeners: set[Listen] = set()

    def tell(self, kind: str, document: Mapping[str, Any]) -> None:
        """Tell every listener, on the event loop; `document` is JSON."""
        for listen in tuple(self._listeners):
            listen(kind, document)

    def attach(self, listen: Listen) -> None:
        """Have `listen` called for all that is told from now on."""
        self._listeners.add(listen)

    def detach(self, listen: Listen) -> None:
        """Undo `attach`."""
        self._listeners.discard(listen)


class Wire(deque[Exchange]):
    """The newest exchanges of all providers; each new one is told as `exchange`."""

    def __init__(self, feed: Feed) -> None:
        super().__init__(maxlen=KEPT)
        self._feed = feed

    def append(self, exchange: Exchange) -> None:
        """Keep and tell an exchange."""
        super().append(exchange)
        self._feed.tell("exchange", asdict(exchange))
