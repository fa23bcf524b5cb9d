"""The terminal for the conformance suite; believed is what has its method, which no web request has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from channels.console import Console, Settings, make
from channels.registry import load
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from core.model.outbound import OutboundMessage, Reply
from tests.conformance.subject import MESSAGE_ID, PUBLIC_URL, Subject

HERE = Address(AddressKind.ALIAS, "console")
SETTINGS = Settings()


def _make(provider_base: str) -> Console:
    return make(ChannelId("console"), HERE, SETTINGS, PUBLIC_URL, "KE")


def _says(text: str, unknown: Mapping[str, str]) -> RawRequest:
    return RawRequest("CONSOLE", "", {}, json.dumps({"id": "1", "text": text, **unknown}).encode(), 1_767_225_600_000)


SUBJECT = Subject(
    kind="console",
    settings=SETTINGS,
    make=_make,
    says=_says,
    authentic=lambda request: request,
    authentic_before=None,
    forgeries={method: lambda request, method=method: replace(request, method=method) for method in ("POST", "GET", "WS", "console", "")},
    secrets=("path-secret-canary-9f86d081884c7d65",),
    samples=Path(__file__).parent / "samples",
    message=OutboundMessage(MESSAGE_ID, HERE, Address(AddressKind.VISITOR, "visitor-9"), Reply("Your balance is KES 250.00")),
    offline_parse=load("console").parse,
)
