"""What the conformance suite needs to know of a kind: how its provider authenticates, speaks and answers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from core.model.adapter import Adapter
from core.model.ids import MessageId
from core.model.inbound import RawRequest
from core.model.outbound import Answer, OutboundMessage, Reply

PUBLIC_URL = "https://gateway.example/hooks/one/path-secret-canary-9f86d081884c7d65"
NOWHERE = "http://127.0.0.1:1"  # where no provider listens
MESSAGE_ID = MessageId("0197a5f0-1111-8222-a333-444455556666")
Change = Callable[[RawRequest], RawRequest]


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """How the provider says that it has taken a message."""

    external_id: str
    status: int
    document: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A kind under test. `make(provider_base)` builds its adapter with the secrets named in `secrets`."""

    kind: str
    settings: Any
    make: Callable[[str], Adapter]
    says: Callable[[str, Mapping[str, str]], RawRequest]  # an unauthenticated message with this text and these unknown fields
    authentic: Change  # what the provider adds to be believed
    authentic_before: Change | None  # the same with the secret that is about to go; None for a kind without secrets
    forgeries: Mapping[str, Change]  # what must not be believed
    secrets: tuple[str, ...]
    samples: Path
    message: OutboundMessage
    heard: Callable[[str], str] = str  # what arrives of a text, where it is not the very same
    texts_of: Callable[[Answer], list[str]] | None = None  # reads the replies out of an inline answer
    accepted: Accepted | None = None  # None where nothing can be sent
    impatient: Callable[[str], Adapter] | None = None  # as `make`, but waiting a fraction of a second for the provider
    sending: Callable[[], Awaitable[None]] | None = None  # the checks of sending, for a kind that does not send by HTTP
    offline_parse: Callable[[RawRequest, str], Any] = field(default=lambda _request, _region: [])

    def recorded(self) -> list[dict[str, Any]]:
        """Return the recorded requests of the kind with what is expected of them."""
        lines = [line for path in sorted(self.samples.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
        return [json.loads(line) for line in lines if line.strip()]


def request_of(record: Mapping[str, Any]) -> RawRequest:
    """Return the request that a sample records."""
    return RawRequest(
        method=record.get("method", "POST"),
        url=record.get("url", PUBLIC_URL),
        headers={name.lower(): value for name, value in record["headers"].items()},
        body=record["body"].encode(),
        received_at=record.get("received_at", 1_767_225_600_000),
        remote=record.get("remote", "127.0.0.1"),
    )


def with_header(request: RawRequest, name: str, value: str) -> RawRequest:
    """Return the request with one header set."""
    return replace(request, headers={**request.headers, name: value})


def saying(message: OutboundMessage, text: str, *, ends_session: bool = False) -> OutboundMessage:
    """Return the message with another text."""
    return replace(message, reply=Reply(text, ends_session=ends_session))


def subject_of(kind: str) -> Subject:
    """Return the subject of a registered kind; a kind without one is not tested, and that is a failure."""
    subject: Subject = import_module(f"tests.channels.{kind}.subject").SUBJECT
    return subject
