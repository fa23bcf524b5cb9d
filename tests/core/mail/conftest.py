"""A mailbox with real threads, to which a test lets people write raw mails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from channels.email import Settings, make, parse
from core import dispatch
from core.arrival import Arrival
from core.clock import Clock
from core.model.address import Address, AddressKind
from core.model.channel import Channel
from core.model.dialog import Advanced
from core.model.ids import ChannelId
from core.model.inbound import DeliveryReport, InboundMessage
from core.model.mail_ids import message_id_of
from core.model.outbound import OutboundMessage, Reply, SendResult
from core.receipts import report
from core.store.sqlite import SqliteStore
from core.turn import Turns
from tests.channels.email.subject import mail, request
from tests.core.conftest import NOW, RULES, Played

SUPPORT = "support@operator.example"
HERE = Address(AddressKind.EMAIL, SUPPORT)
ANNA, BEN, EVE = "anna@customer.example", "ben@office.example", "eve@evil.example"
HOUR_MS = 3_600_000


@dataclass
class Post:
    """A mailbox with real threads; the dialog says the same to everybody, and remembers what it was told."""

    store: SqliteStore
    dialog: Played
    channels: dict[str, Channel]
    turns: Turns
    now: int = NOW
    count: int = 0

    def deliver(self, raw: bytes, *, recipients: str = SUPPORT, sender: str | None = None, channel: str = "mail") -> Any:
        """Take in a raw mail as the gateway does; return its one event and what the turn came to."""
        self.now += 60_000
        (event,) = parse(request(raw, recipients, sender if sender is not None else ANNA), "KE")
        if isinstance(event, InboundMessage):
            arrival = Arrival(Clock(now_ms=lambda: self.now).new_id(), self.channels[channel], self.now, "raw")
            return self.store.write_sync(lambda tx: self.turns.receive(tx, arrival, event))
        assert isinstance(event, DeliveryReport)
        return self.store.write_sync(lambda tx: report(tx, "mail", event, self.now))

    def write(self, sender: str, text: str = "hello", *, recipients: str = SUPPORT, **fields: str) -> Any:
        """Let somebody write."""
        self.count += 1
        known = {"From": sender, "Message-ID": f"<m{self.count}@{sender.rpartition('@')[2]}>", "Subject": f"Question {self.count}"}
        self.dialog.then(Advanced({"n": 1}, (Reply("Answer."),)))
        told = len(self.dialog.told)
        outcome = self.deliver(mail(text, **{**known, **fields}), recipients=recipients, sender=sender)
        if len(self.dialog.told) == told:
            self.dialog.steps.pop()
        return outcome

    def rows(self, sql: str, *args: Any) -> list[Any]:
        return self.store.read_sync(lambda tx: tx.all(sql, args))

    def thread_of(self, number: int) -> str:
        """The thread of the n-th mail that came in."""
        return str(self.rows("select thread from letter where direction = 'inbound' order by created_at limit 1 offset ?", number)[0][0])

    def send(self) -> list[OutboundMessage]:
        """Send what is due, and return it."""
        self.now += 1
        sendings = self.store.write_sync(lambda tx: dispatch.claim(tx, self.channels, self.now, "me", 10, 0))
        for sending in sendings:
            result = SendResult(message_id_of(sending.message.id, "operator.example"))
            self.store.write_sync(lambda tx, one=sending, done=result: dispatch.sent(tx, one, done, self.now))
        return [sending.message for sending in sendings]

    def conversations(self) -> int:
        return int(self.rows("select count(distinct conversation_id) from letter where direction = 'inbound'")[0][0])


@pytest.fixture
def post(store: SqliteStore, played: Played) -> Post:
    adapter = make(ChannelId("mail"), HERE, Settings(smtp_host="relay.example"), "", "KE")
    channel = Channel(ChannelId("mail"), "email", HERE, adapter.capabilities, AddressKind.EMAIL, adapter.acknowledge)
    channels = {"mail": channel}
    return Post(store, played, channels, Turns(played, channels, RULES))


def last_sent(post: Post) -> OutboundMessage:
    return post.send()[-1]
